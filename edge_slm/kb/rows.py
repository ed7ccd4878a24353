"""The rows of a document: its pages, passages and vectors, written and deleted together.

The caller holds the transaction (schema.transaction).
"""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any

from edge_slm.i18n import Language
from edge_slm.kb import schema, vectors
from edge_slm.kb.documents import Document
from edge_slm.kb.lexical import stems
from edge_slm.kb.passages import Passage

if TYPE_CHECKING:
    from sqlite_utils import Database


def replace_document(
    db: "Database",
    document: Document,
    digest: str,
    access: str,
    language: Language,
    passages: Sequence[Passage],
    matrix: vectors.Vectors,
) -> None:
    """Write a document, in place of the one of the same name.

    Args:
        db: the base, in a transaction.
        document: what a reader made of a file.
        digest: its SHA-256 (documents.digest_of).
        access: label of who may read it.
        language: language of the base, which decides the stems.
        passages: what it was cut into.
        matrix: their vectors, one a row.
    """
    pages: dict[int, list[str]] = {}
    for block in document.blocks:
        pages.setdefault(block.page, []).append(block.text)
    delete_document(db.conn, document.name)
    row = {
        "name": document.name,
        "title": document.title,
        "origin": document.origin,
        "date": document.date,
        "licence": document.licence,
        "sha256": digest,
        "access": access,
        "added": schema.now(),
        "pages": max(pages),
    }
    document_id = db.table("documents").insert(row).last_pk
    db.table("pages").insert_all(
        {"document": document_id, "number": number, "text": "\n\n".join(texts)}
        for number, texts in pages.items()
    )
    for passage, vector in zip(passages, matrix, strict=True):
        columns = _passage_row(document_id, document.title, language, passage)
        passage_id = db.table("passages").insert(columns).last_pk
        db.table("vectors").insert({"passage": passage_id, "vector": vectors.to_blob(vector)})


def _passage_row(
    document_id: Any, title: str, language: Language, passage: Passage
) -> dict[str, Any]:
    return {
        "document": document_id,
        "page": passage.page,
        "section": passage.section,
        "text": passage.text,
        "title_stems": " ".join(stems(title, language)),
        "section_stems": " ".join(stems(passage.section, language)),
        "text_stems": " ".join(stems(passage.text, language)),
    }


def delete_document(connection: sqlite3.Connection, name: str) -> bool:
    """Delete a document by its name; return whether it was there."""
    with closing(connection.cursor()) as cursor:
        row = cursor.execute("SELECT id FROM documents WHERE name = ?", (name,)).fetchone()
        if row is None:
            return False
        cursor.execute(
            "DELETE FROM vectors WHERE passage IN (SELECT id FROM passages WHERE document = ?)",
            row,
        )
        # SQLite gives the id of the last passage anew: an approval must not cite another.
        cursor.execute(
            "UPDATE approved SET passage = NULL WHERE passage IN "
            "(SELECT id FROM passages WHERE document = ?)",
            row,
        )
        cursor.execute("DELETE FROM passages WHERE document = ?", row)
        cursor.execute("DELETE FROM pages WHERE document = ?", row)
        cursor.execute("DELETE FROM documents WHERE id = ?", row)
        return True
