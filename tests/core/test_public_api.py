"""What `import edge_slm` gives, and what it costs."""

import json
import subprocess
import sys

import pytest

import edge_slm
from edge_slm import errors

HEAVY = {
    *("numpy", "llama_cpp", "faster_whisper", "ctranslate2", "sqlite_utils", "huggingface_hub"),
    *("textual", "torch", "transformers", "rich", "pypdf", "selectolax", "gguf", "py3langid"),
}


def loaded(code: str) -> set[str]:
    """Return the top-level modules that are loaded after a piece of code."""
    ending = "\nimport json, sys\nprint(json.dumps(sorted({m.split('.')[0] for m in sys.modules})))"
    done = subprocess.run(
        [sys.executable, "-c", code + ending], capture_output=True, text=True, check=True
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_all_names_are_sorted_and_there() -> None:
    assert edge_slm.__all__ == sorted(edge_slm.__all__)
    assert set(edge_slm.__all__) == {
        "Answer",
        "Assistant",
        "EdgeSlmError",
        "IntegrityError",
        "MissingError",
        "UsageError",
    }
    for name in edge_slm.__all__:
        assert getattr(edge_slm, name).__name__ == name


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="assistent"):
        _ = edge_slm.assistent


def test_the_version_is_that_of_the_package() -> None:
    from importlib.metadata import version

    assert edge_slm.__version__ == version("edge-slm")


def test_exit_codes_are_those_of_the_contract() -> None:
    classes = (errors.EdgeSlmError, errors.UsageError, errors.MissingError, errors.IntegrityError)
    assert [kind.exit_code for kind in classes] == [1, 2, 3, 4]
    assert all(issubclass(kind, errors.EdgeSlmError) for kind in classes)


@pytest.mark.parametrize(
    "code",
    [
        "import edge_slm",
        "import edge_slm.cli",
        "import edge_slm.routing.router, edge_slm.answer, edge_slm.i18n, edge_slm.offline",
        "from edge_slm.cli import run\nassert run(['--help']) == 0",
        "from edge_slm.cli import run\nassert run(['--version']) == 0",
        "from edge_slm.cli import run\nassert run(['ask', '--help']) == 0",
    ],
)
def test_nothing_heavy_is_imported_before_it_is_used(code: str) -> None:
    assert loaded(code) & HEAVY == set()


def test_the_check_sees_a_heavy_import() -> None:
    assert loaded("import numpy") & HEAVY == {"numpy"}


def test_python_m_is_the_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "edge_slm", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"edge-slm {edge_slm.__version__}\n"
