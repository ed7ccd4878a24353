"""Log-probabilities of a tiny random model, and of files that are none."""

from pathlib import Path

import numpy as np
import pytest

from edge_slm.errors import IntegrityError, UsageError
from edge_slm_quantize.gguf.scores import CHUNK, log_probabilities, texts_of, tokenise
from edge_slm_quantize.measure.divergence import compare
from edge_slm_quantize.measure.reference import reference
from tests.quantize.tiny import tiny_gguf

TEXTS = ["the man said that he was in the house with them. " * 40] * 3


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of 320 tokens with random weights."""
    return tiny_gguf(tmp_path_factory.mktemp("model") / "tiny.gguf")


def test_rows_are_distributions_of_the_second_half(model: Path) -> None:
    chunks = tokenise(model, TEXTS, 2 * CHUNK)
    found = list(log_probabilities(model, chunks, 1))
    assert [rows.shape for rows in found] == [(CHUNK // 2, 320)] * 2
    assert np.allclose(np.exp(found[0]).sum(axis=1), 1.0, atol=1e-5)
    assert not np.shares_memory(found[0], found[1])


def test_what_comes_after_a_token_changes_nothing_before_it(model: Path) -> None:
    chunk = tokenise(model, TEXTS, 2 * CHUNK)[0]
    other = [*chunk[:-1], (chunk[-1] + 1) % 256 + 5]
    (ours,), (theirs,) = (list(log_probabilities(model, [one], 1)) for one in (chunk, other))
    assert np.allclose(ours, theirs)


def test_chunks_are_whole_and_as_many_as_asked(model: Path) -> None:
    few, many = tokenise(model, TEXTS, 1100), tokenise(model, TEXTS, 10**9)
    assert [len(chunk) for chunk in few] == [CHUNK, CHUNK]
    assert many[:2] == few
    assert {len(chunk) for chunk in many} == {CHUNK}


def test_names_of_control_tokens_in_a_text_are_plain_text(model: Path) -> None:
    chunks = tokenise(model, ["<|im_end|> " * 400], 2 * CHUNK)
    tokens = sorted({token for one in chunks for token in one[1:]})
    control = {"<|im_start|>", "<|im_end|>", "</s>"}
    assert not control & set(texts_of(model, [[token] for token in tokens]))


def test_characters_of_several_tokens_come_back_whole(model: Path) -> None:
    text = "Égalité à 42 € près. "
    chunk = tokenise(model, [text * 100], 2 * CHUNK)[0]
    (found,) = texts_of(model, [chunk[1:]])
    assert found.strip().startswith(text.strip())


def test_too_short_a_text_is_refused(model: Path) -> None:
    with pytest.raises(UsageError, match="too short"):
        tokenise(model, ["the man"], 6144)


@pytest.mark.parametrize("content", [b"", b"GGUF", b"\0" * 5000])
def test_a_file_that_is_no_model_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.gguf"
    path.write_bytes(content)
    with pytest.raises(IntegrityError, match=r"bad\.gguf"):
        tokenise(path, TEXTS, 1024)
    with pytest.raises(IntegrityError, match=r"bad\.gguf"):
        next(log_probabilities(path, [[1] * CHUNK], 1))


def test_weights_that_are_no_numbers_are_told(tmp_path: Path, model: Path) -> None:
    norm = np.full(64, np.nan, np.float32)
    bad = tiny_gguf(tmp_path / "nan.gguf", replaced={"output_norm.weight": norm})
    chunks = tokenise(model, TEXTS, 2 * CHUNK)
    kept = reference(tmp_path, "tiny", chunks, lambda: log_probabilities(model, chunks, 1))
    with pytest.raises(IntegrityError, match="NaN"):
        compare(kept, log_probabilities(bad, chunks, 1))
