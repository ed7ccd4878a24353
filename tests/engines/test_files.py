"""A chat model that is the user's own file: named on the command line, and nowhere else."""

from contextlib import closing
from pathlib import Path

import pytest

from edge_slm.engines import Piece
from edge_slm.engines.files import is_file, spec_of_file
from edge_slm.engines.loaded import Engines
from edge_slm.errors import IntegrityError, UsageError
from edge_slm.store import Store
from tests.quantize.tiny import tiny_gguf


@pytest.mark.parametrize("name", ["m.gguf", "M.GGUF", "./m", "a/b", "a\\b"])
def test_a_path_or_a_gguf_name_is_a_file(name: str) -> None:
    assert is_file(name)
    assert not is_file("qwen2.5-coder-0.5b-instruct-q4_k_m")


def test_an_answer_names_the_file_its_hash_and_its_type(tmp_path: Path) -> None:
    path = tiny_gguf(tmp_path / "m.gguf")
    with closing(Engines(str(path))) as engines:
        _, used = engines.chat()
    assert (used.id, used.quantisation) == ("m.gguf", "F16")
    assert used.sha256 == spec_of_file(path).load.sha256


def test_a_client_that_asks_for_a_path_gets_no_file(tmp_path: Path) -> None:
    path = tiny_gguf(tmp_path / "m.gguf")
    with closing(Engines()) as engines, pytest.raises(UsageError, match="No model is called"):
        engines.chat(str(path))


@pytest.mark.parametrize("name", ["gone.gguf", "x" * 5000 + ".gguf", "a\0b.gguf"])
def test_a_file_that_is_not_there_is_a_sentence(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="There is no file"):
        Engines(f"{tmp_path}/{name}")


def test_a_file_that_is_no_model_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    whole = tiny_gguf(tmp_path / "whole.gguf").read_bytes()
    for content in (b"", b"text", whole[:1000]):
        path.write_bytes(content)
        with pytest.raises(IntegrityError, match="not a whole GGUF"):
            Engines(str(path))


def written(model: str) -> str:
    with closing(Engines(model)) as engines:
        events = engines.chat()[0].stream("Dis bonjour.", 8)
        return "".join(event.text for event in events if isinstance(event, Piece))


@pytest.mark.model
def test_a_file_answers_as_its_model_does() -> None:
    model = "qwen2.5-coder-0.5b-instruct-q4_k_m"
    assert written(str(Store().path(model))) == written(model) != ""
