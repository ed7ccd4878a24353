"""Exports: a copy of the base, or its documents; whole or not at all."""

import json
import sqlite3
from pathlib import Path

import pytest

from edge_slm.errors import EdgeSlmError, UsageError
from edge_slm.kb import approvals
from edge_slm.kb.base import KnowledgeBase
from edge_slm.kb.documents import Block, Document
from edge_slm.kb.export import export_base
from edge_slm.kb.ingest import add_files
from edge_slm.kb.search import search
from tests.fakes import DIMENSIONS, FakeEmbedder
from tests.kb.samples import LEAVE, MEALS, REMOTE, check_whole, document


@pytest.fixture
def filled(base: KnowledgeBase, embedder: FakeEmbedder) -> KnowledgeBase:
    base.add(document("a.md", LEAVE, REMOTE, title='« Congés » & "jours"', pages=[1, 3]), embedder)
    base.add(
        Document(
            "b/ü.pdf", "Repas", (Block(MEALS, 2, "S"),), "https://x.example", "2024-01-31", "MIT"
        ),
        embedder,
    )
    approvals.approve(base, "Combien de congés ?", "25", 1, "DRH")
    return base


def test_the_copy_is_the_base(
    filled: KnowledgeBase, embedder: FakeEmbedder, tmp_path: Path
) -> None:
    path = tmp_path / "new" / "rh.db"
    export_base(filled, path)
    assert check_whole(path).keys() == {"a.md", "b/ü.pdf"}
    with KnowledgeBase.open(path) as copy:
        assert copy.documents() == filled.documents()
        assert approvals.all_of(copy) == approvals.all_of(filled)
        assert copy.meta == filled.meta
        assert search(copy, embedder, "congés") == search(filled, embedder, "congés")


def test_the_documents_come_back_under_their_names(
    filled: KnowledgeBase, embedder: FakeEmbedder, tmp_path: Path
) -> None:
    path = tmp_path / "rh.jsonl"
    export_base(filled, path)
    with KnowledgeBase.create(tmp_path / "again.db", "fake", DIMENSIONS) as again:
        report = add_files(again, embedder, [path])
        assert report.failed == []
        facts = [(d.name, d.title, d.date, d.licence, d.origin) for d in filled.documents()]
        assert [(d.name, d.title, d.date, d.licence, d.origin) for d in again.documents()] == facts
        text = again.page("a.md", 1) or ""
        assert LEAVE in text
        assert REMOTE in text
        assert add_files(again, embedder, [path]).unchanged == ["a.md", "b/ü.pdf"]


def test_each_line_is_one_document(filled: KnowledgeBase, tmp_path: Path) -> None:
    export_base(filled, tmp_path / "rh.JSONL")
    lines = (tmp_path / "rh.JSONL").read_text("utf-8").splitlines()
    assert [json.loads(line)["id"] for line in lines] == ["a.md", "b/ü.pdf"]


def test_an_empty_base(base: KnowledgeBase, tmp_path: Path) -> None:
    export_base(base, tmp_path / "rh.jsonl")
    export_base(base, tmp_path / "rh.db")
    assert (tmp_path / "rh.jsonl").read_bytes() == b""
    with KnowledgeBase.open(tmp_path / "rh.db") as copy:
        assert copy.documents() == []


@pytest.mark.parametrize("name", ["rh.csv", "rh", "rh.db.zip", ".db"])
def test_another_suffix_is_refused(filled: KnowledgeBase, tmp_path: Path, name: str) -> None:
    out = tmp_path / "out"
    with pytest.raises(UsageError, match=r"exported to a \.db or a \.jsonl file"):
        export_base(filled, out / name)
    assert not out.exists()


@pytest.mark.parametrize("name", ["rh.db", "rh.jsonl"])
def test_a_failed_export_leaves_what_was_there(
    filled: KnowledgeBase, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / name).write_bytes(b"precious")

    def broken(_: object, path: Path) -> None:
        path.write_bytes(b"half")
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorcode = sqlite3.SQLITE_FULL
        raise error

    monkeypatch.setattr("edge_slm.kb.export._copy", broken)
    monkeypatch.setattr("edge_slm.kb.export._documents", broken)
    with pytest.raises(EdgeSlmError, match="The disk is full"):
        export_base(filled, out / name)
    assert [path.name for path in out.iterdir()] == [name]
    assert (out / name).read_bytes() == b"precious"


@pytest.mark.parametrize("name", ["rh.db", "rh.jsonl"])
def test_a_folder_that_cannot_be_written(filled: KnowledgeBase, tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(EdgeSlmError, match="cannot be written"):
        export_base(filled, tmp_path / "file" / name)


def test_exporting_over_itself_keeps_the_base(filled: KnowledgeBase) -> None:
    export_base(filled, filled.path)
    assert check_whole(filled.path).keys() == {"a.md", "b/ü.pdf"}
