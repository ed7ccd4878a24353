"""What the wheel holds: the package, its cards and its samples, and no tests."""

import zipfile
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

from tests.core.source_tree import ROOT, ROOTS


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    (path,) = WheelBuilder(str(ROOT)).build(directory=str(folder), versions=["standard"])
    return zipfile.ZipFile(path)


def test_every_module_card_and_sample_is_inside(wheel: zipfile.ZipFile) -> None:
    inside = set(wheel.namelist())
    wanted = [
        path.relative_to(root) for root, package in ROOTS.items() for path in package.rglob("*.py")
    ]
    wanted += [Path("edge_slm/routing/weights.npz"), Path("edge_slm/routing/WEIGHTS.md")]
    wanted += [Path("edge_slm/energy/cpu_power.toml"), Path("edge_slm/permission/install.sh")]
    samples = [(f"examples/{name}", "*") for name in ("rh", "audio", "translation")]
    for folder, pattern in (("models", "*.toml"), *samples):
        files = sorted((ROOT / folder).glob(pattern))
        assert files
        wanted += [Path("edge_slm") / path.relative_to(ROOT) for path in files]
    targets = sorted((ROOT / "quantize" / "targets").glob("*.toml"))
    assert targets
    wanted += [Path("edge_slm_quantize") / "targets" / path.name for path in targets]
    assert [path for path in wanted if path.as_posix() not in inside] == []


def test_its_types_are_for_others_to_check(wheel: zipfile.ZipFile) -> None:
    assert "edge_slm/py.typed" in wheel.namelist()


def test_nothing_else_is_inside(wheel: zipfile.ZipFile) -> None:
    names = wheel.namelist()
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {
        *("edge_slm", "edge_slm_quantize"),
    }
    assert [name for name in names if "test" in name or name.endswith((".pyc", ".gguf"))] == []


def test_the_command_is_declared(wheel: zipfile.ZipFile) -> None:
    (entry_points,) = [name for name in wheel.namelist() if name.endswith("entry_points.txt")]
    assert "edge-slm = edge_slm.cli:main" in wheel.read(entry_points).decode()
