"""Passages of an exact length."""

from collections.abc import Callable
from pathlib import Path

import pytest

from edge_slm.bench.runtime import passages
from edge_slm.bench.runtime.passages import passage
from edge_slm.errors import MissingError


def _words(text: str) -> int:
    return len(text.split())


def _threes(text: str) -> int:
    return -(-len(text) // 3)


@pytest.mark.parametrize("tokens", [1, 2, 500, 1000, 2000])
@pytest.mark.parametrize("count", [_threes, lambda text: len(text.encode())])
def test_the_length_is_exact(tokens: int, count: Callable[[str], int]) -> None:
    text = passage(tokens, count)
    assert count(text) == tokens


def test_two_passages_share_no_beginning() -> None:
    texts = [passage(300, _threes, number) for number in range(44)]
    assert len({text[:60] for text in texts}) > 40


def test_the_headers_of_the_documents_are_left_out() -> None:
    assert "licence: CC0" not in passage(4000, _threes)


def test_a_count_that_jumps_over_a_number_is_told() -> None:
    with pytest.raises(MissingError, match="exactly 11 tokens"):
        passage(11, lambda text: len(text) // 10 * 10)


def test_too_little_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MissingError, match="less than 10000000 tokens"):
        passage(10_000_000, _words)
    monkeypatch.setattr(passages, "examples_dir", lambda: tmp_path)
    passages._documents.cache_clear()
    try:
        with pytest.raises(MissingError, match="less than 5 tokens"):
            passage(5, _words)
    finally:
        passages._documents.cache_clear()
