"""Rows of questions: read whole, or one sentence that names the line."""

from pathlib import Path

import pytest

from edge_slm.errors import UsageError
from edge_slm.evaluation.retrieval import Question
from edge_slm.evaluation.rows import read_rows


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "questions.jsonl"


@pytest.mark.parametrize("start", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\n\n\n"])
def test_rows_are_read(path: Path, start: str, end: str) -> None:
    lines = ['{"question": "Où ?", "gold_doc": "a", "unknown": [1]}', '{"question": "Qui ?"}']
    path.write_bytes((start + end.join(lines)).encode())
    assert read_rows(path, Question) == [Question("Où ?", "a"), Question("Qui ?", None)]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"{", "truncated"),
        (b"not json", "malformed"),
        (b"[]", "Expected `object`"),
        (b'{"question": 3}', "Expected `str`"),
        (b'{"gold_doc": "a"}', "missing required field `question`"),
        (b'{"question": "\xff"}', "utf-8"),
        (b"\0\0\0", "malformed"),
        (b'{"unknown": ' + b"[" * 100_000, "recursion"),
    ],
)
def test_a_bad_line_is_named(path: Path, line: bytes, reason: str) -> None:
    path.write_bytes(b'{"question": "a"}\n\n' + line + b"\n")
    with pytest.raises(UsageError, match=f"(?i)Line 3 of .*questions.jsonl.*{reason}"):
        read_rows(path, Question)


@pytest.mark.parametrize("content", [b"", b"\n \n\t\n", b"\xef\xbb\xbf"])
def test_a_file_without_rows(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(UsageError, match="holds no row"):
        read_rows(path, Question)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "absent.jsonl"):
        with pytest.raises(UsageError, match="cannot be read"):
            read_rows(path, Question)
