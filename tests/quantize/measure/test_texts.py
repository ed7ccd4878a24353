"""Texts to calibrate and judge on: apart, always the same, and refused in one sentence."""

import json
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_slm.errors import UsageError
from edge_slm.kb.base import KnowledgeBase
from edge_slm.kb.documents import Block, Document
from edge_slm_quantize.measure import texts
from edge_slm_quantize.measure.texts import texts_from
from tests.fakes import FakeEmbedder

WORDS = [f"{a}{b}" for a in ("mar", "sol", "ven", "lin", "dor", "pec") for b in ("on", "ir", "al")]


def paragraph(seed: int, words: int = 60) -> str:
    drawn = random.Random(seed)
    return " ".join(drawn.choice(WORDS) + str(drawn.randrange(3)) * 0 for _ in range(words)) + "."


def write(folder: Path, name: str, count: int, start: int = 0) -> Path:
    """Write a Markdown file of paragraphs, each in a section so that it is a passage."""
    path = folder / name
    parts = [f"## Part {at}\n\n{paragraph(at)}" for at in range(start, start + count)]
    path.write_text("# Title\n\n" + "\n\n".join(parts), "utf-8")
    return path


def runs(found: tuple[str, ...]) -> set[str]:
    return {run for text in found for run in texts._runs(text)}


def test_no_text_and_no_run_of_words_is_in_both_lists(tmp_path: Path) -> None:
    found = texts_from([str(write(tmp_path, "a.md", 120))])
    assert not set(found.calibration) & set(found.evaluation)
    assert not runs(found.calibration) & runs(found.evaluation)
    assert 0.4 < len(found.calibration) / (len(found.calibration) + len(found.evaluation)) < 0.8


def test_the_sample_handbook_serves_where_nothing_is_given() -> None:
    found = texts_from([])
    assert not runs(found.calibration) & runs(found.evaluation)
    assert sum(map(len, found.evaluation)) > 25_000
    assert "handbook" in found.origin


def test_the_same_texts_give_the_same_lists_and_hash(tmp_path: Path) -> None:
    file = write(tmp_path, "a.md", 120)
    assert texts_from([str(file)]) == texts_from([str(file)])
    other = texts_from([str(write(tmp_path, "b.md", 120, start=500))])
    assert other.sha256 != texts_from([str(file)]).sha256


def test_more_texts_move_none_to_the_other_list(tmp_path: Path) -> None:
    one, other = write(tmp_path, "a.md", 120), write(tmp_path, "b.md", 120, start=500)
    few, many = texts_from([str(one)]), texts_from([str(one), str(other)])
    assert set(few.calibration) <= set(many.calibration)
    assert not set(few.evaluation) & set(many.calibration)


@given(st.integers(0, 10_000), st.integers(0, 39))
def test_a_near_duplicate_is_never_on_the_other_side(seed: int, place: int) -> None:
    words = paragraph(seed, 40).split()
    changed = [*words[:place], "autrement", *words[place + 1 :]]
    pair = [" ".join(words), " ".join(changed)]
    seen = texts._runs(pair[0])
    assert seen & texts._runs(pair[1])


def test_notices_that_differ_in_their_figures_are_one(tmp_path: Path) -> None:
    file = write(tmp_path, "a.md", 120)
    notices = [f"## Avis {n}\n\nLa séance du {n} mai 20{n} est reportée." for n in range(10, 30)]
    file.write_text(file.read_text("utf-8") + "\n\n" + "\n\n".join(notices), "utf-8")
    found = texts_from([str(file)])
    assert sum("reportée" in text for text in found.calibration + found.evaluation) == 1


@pytest.mark.parametrize("name", ["notes.txt", "rows.jsonl", "page.html"])
def test_files_of_every_readable_kind_are_taken(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    parts = [paragraph(at, 90) for at in range(120)]
    if name.endswith(".jsonl"):
        rows = [{"id": f"d{at}", "title": f"T{at}", "text": one} for at, one in enumerate(parts)]
        path.write_text("\n".join(map(json.dumps, rows)), "utf-8")
    elif name.endswith(".html"):
        path.write_text(
            "".join(f"<h2>{n}</h2><p>{one}</p>" for n, one in enumerate(parts)), "utf-8"
        )
    else:
        path.write_text("\n\n".join(parts), "utf-8")
    found = texts_from([str(path)])
    assert len(found.calibration) > 20 and len(found.evaluation) > 5


def test_a_base_gives_its_passages(tmp_path: Path) -> None:
    blocks = tuple(Block(paragraph(at), 1, f"part {at}") for at in range(120))
    embedder = FakeEmbedder()
    path = tmp_path / "handbook.db"
    with KnowledgeBase.create(path, "fake", embedder.dimensions) as base:
        base.add(Document("d.md", "Title", blocks), embedder)
    found = texts_from([f"kb:{path}"])
    assert set(found.calibration + found.evaluation) <= {block.text for block in blocks}


def test_a_bad_file_of_a_folder_is_passed_over_and_named_alone_it_is_refused(
    tmp_path: Path,
) -> None:
    write(tmp_path, "a.md", 120)
    bad = tmp_path / "bad.txt"
    bad.write_bytes(b"\0\1\2" * 100)
    assert texts_from([str(tmp_path)]).calibration
    with pytest.raises(UsageError, match="not text"):
        texts_from([str(bad)])


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("empty.txt", b"", "is empty"),
        ("short.txt", b"Too little.", "too little text"),
        ("binary.md", bytes(range(256)) * 50, "not text"),
        ("model.gguf", b"GGUF" * 100, "no supported format"),
        ("cut.pdf", b"%PDF-1.7\n1 0 obj", "damaged"),
        ("same.txt", b"The same words again and again, as before.\n\n" * 2000, "too little text"),
    ],
)
def test_what_is_no_text_is_refused_in_one_sentence(
    tmp_path: Path, name: str, content: bytes, sentence: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(UsageError, match=sentence) as told:
        texts_from([str(path)])
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("given", ["nowhere.txt", "nowhere", "kb:nowhere", "a\0b", "x" * 5000])
def test_what_is_not_there_is_refused_in_one_sentence(given: str) -> None:
    with pytest.raises(UsageError):
        texts_from([given])


def test_an_empty_folder_is_refused_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no document"):
        texts_from([str(tmp_path)])


def test_huge_texts_are_read_up_to_a_limit_that_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(texts, "MOST", 40_000)
    found = texts_from([str(write(tmp_path, "a.md", 400))])
    assert sum(map(len, found.calibration + found.evaluation)) <= 40_000
    assert "up to 40000 characters" in found.origin
