"""A measure in a process of its own, and states in a folder of their own."""

import os
import sys
from pathlib import Path

import msgspec
import pytest

from edge_slm.bench.runtime.apart import run_apart
from edge_slm.bench.runtime.states import VARIABLE, own_states
from edge_slm.errors import EdgeSlmError

SERVES = """
import os
import msgspec
from edge_slm.bench.runtime.apart import serve_order


class Order(msgspec.Struct):
    word: str


def answer(order):
    os.write(1, b"native code talks\\n")
    return {"pid": os.getpid(), "word": order.word * 2}


serve_order(Order, answer)
"""


class Order(msgspec.Struct, frozen=True):
    word: str


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A module that other processes find under the name `measure`."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), *sys.path]))
    return tmp_path / "measure.py"


def test_the_order_goes_to_another_process_and_its_answer_comes_back(module: Path) -> None:
    module.write_text(SERVES)
    row = run_apart("measure", Order("é"))
    assert row["word"] == "éé"
    assert row["pid"] != os.getpid()


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("raise SystemExit('no luck')", "no luck"),
        ("import os; os.kill(os.getpid(), 11)", "-11"),
        ("print('words')", "JSON"),
        ("print('[1, 2]')", "array"),
        ("", "truncated"),
    ],
)
def test_what_fails_is_one_sentence(module: Path, code: str, said: str) -> None:
    module.write_text(code)
    with pytest.raises(EdgeSlmError, match=said) as caught:
        run_apart("measure", Order("x"))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("before", [None, "/somewhere"])
def test_the_folder_of_states_is_put_back(
    before: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    if before:
        monkeypatch.setenv(VARIABLE, before)
    with pytest.raises(KeyError), own_states() as folder:
        assert os.environ[VARIABLE] == str(folder)
        assert list(folder.iterdir()) == []
        raise KeyError
    assert os.environ.get(VARIABLE) == before
    assert not folder.exists()
