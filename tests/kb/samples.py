"""Documents for tests of the base, and what must hold of every base."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from edge_slm.kb.documents import Block, Document

LEAVE = "Un agent à temps plein a droit à vingt-cinq jours de congés annuels."
REMOTE = "Le télétravail est ouvert trois jours par semaine au plus."
MEALS = "La cantine du siège sert des repas chauds à midi."


def document(name: str, *texts: str, title: str = "", pages: Sequence[int] = ()) -> Document:
    """Return a document of one block a text, all on page 1 unless `pages` says otherwise."""
    numbers = pages or [1] * len(texts)
    blocks = tuple(Block(text, page, "") for text, page in zip(texts, numbers, strict=True))
    return Document(name, title or name, blocks, origin=f"/docs/{name}")


def long_document(name: str, mark: str, pages: int) -> Document:
    """Return a document of one passage a page; each begins with the mark."""
    texts = [
        f"{mark} page {number}. " + f"{mark} règle du service. " * 20 for number in range(pages)
    ]
    return document(name, *texts, pages=range(1, pages + 1))


def check_whole(path: Path) -> dict[str, set[str]]:
    """Check that a base is sound and every document whole.

    Returns:
        the marks (first words) of each document's pages and passages; one each for `long_document`.
    """
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []
        # Raises when the full text differs from the passages: https://sqlite.org/fts5.html
        db.execute("INSERT INTO passages_fts(passages_fts, rank) VALUES ('integrity-check', 1)")
        passages = db.execute("SELECT id FROM passages ORDER BY id").fetchall()
        assert db.execute("SELECT passage FROM vectors ORDER BY passage").fetchall() == passages
        assert db.execute("SELECT id FROM passages_fts_docsize ORDER BY id").fetchall() == passages
        owners = db.execute("SELECT id, name, pages FROM documents").fetchall()
        return {name: _marks(db, number, pages) for number, name, pages in owners}


def _marks(db: sqlite3.Connection, document: int, pages: int) -> set[str]:
    stored = db.execute("SELECT number, text FROM pages WHERE document = ?", (document,)).fetchall()
    assert max(number for number, _ in stored) == pages
    texts = db.execute("SELECT page, text FROM passages WHERE document = ?", (document,)).fetchall()
    assert {page for page, _ in texts} == {number for number, _ in stored}
    return {text.split()[0] for _, text in stored + texts}
