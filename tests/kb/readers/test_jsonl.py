"""JSON lines: rows, what wins, and bad lines."""

import json
from pathlib import Path

import pytest

from edge_slm.errors import UsageError
from edge_slm.kb.readers import read_documents

from .builders import texts, write

ROW = {"id": "F1", "title": "Congés", "text": "# Congés\n\n25 jours.\n\n## Report\n\nNon."}


def rows(*values: object) -> str:
    return "\n".join(json.dumps(value, ensure_ascii=False) for value in values)


def test_rows(tmp_path: Path) -> None:
    full: dict[str, object] = {
        **ROW,
        "url": "https://x.fr/F2",
        "updated": "2024-01-02",
        "licence": "Etalab 2.0",
    }
    full |= {"id": 2, "text_court": "Court."}
    path = write(tmp_path, "base.jsonl", "\ufeff" + rows(ROW, full) + "\n\n")
    first, second = read_documents(path)
    assert (first.name, first.title, first.origin, first.date) == ("F1", "Congés", str(path), "")
    assert [(block.section, block.text) for block in first.blocks] == [
        ("", "25 jours."),
        ("Report", "Non."),
    ]
    assert (second.name, second.origin) == ("2", "https://x.fr/F2")
    assert (second.date, second.licence) == ("2024-01-02", "Etalab 2.0")
    assert texts(second) == ["Court."]


def test_a_blank_short_text_does_not_win_and_date_is_read(tmp_path: Path) -> None:
    row = ROW | {"text_court": " ", "date": "03/02/2024"}
    (document,) = read_documents(write(tmp_path, "base.jsonl", rows(row)))
    assert texts(document) == ["25 jours.", "Non."]
    assert document.date == "2024-02-03"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"id": "F2"', "not JSON"),
        (b'{"id": "\xff"}', "not JSON"),
        ("[" * 100_000, "not JSON"),
        ('{"id": ' + "9" * 5000 + "}", "not JSON"),
        ("[1]", "not a JSON object"),
        ('{"title": "T", "text": "x"}', "id or title is missing"),
        ('{"id": true, "title": "T", "text": "x"}', "id or title is missing"),
        ('{"id": "a", "title": " ", "text": "x"}', "id or title is missing"),
        ('{"id": "a", "title": "T"}', "text is missing"),
        ('{"id": "a", "title": "T", "text": ["x"]}', "text is missing"),
        ('{"id": "a", "title": "T", "text": "<!-- x -->"}', "text is missing"),
    ],
)
def test_a_bad_line_is_named_after_the_good_ones(
    tmp_path: Path, line: str | bytes, reason: str
) -> None:
    bad = line.encode() if isinstance(line, str) else line
    path = write(tmp_path, "base.jsonl", rows(ROW).encode() + b"\n\n" + bad + b"\n")
    documents = read_documents(path)
    assert next(documents).name == "F1"
    with pytest.raises(UsageError, match=rf"base\.jsonl.*line 3.*{reason}"):
        next(documents)


def test_lone_surrogates_do_not_reach_the_base(tmp_path: Path) -> None:
    row = {"id": "a\ud800", "title": "T\udfff", "text": "x\ud800y", "url": "https://x\ud800"}
    (document,) = read_documents(write(tmp_path, "base.jsonl", json.dumps(row)))
    everything = document.name + document.title + document.origin + document.blocks[0].text
    assert everything.encode() == b"aThttps://xxy"
