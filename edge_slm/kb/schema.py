"""Tables of a base, and the transactions that change them."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from edge_slm import files

if TYPE_CHECKING:
    from sqlite_utils import Database

VERSION = "1"
META = ("uuid", "embedder", "dimensions", "language", "contact", "calibration", "created")


def create(path: Path, meta: dict[str, str]) -> None:
    """Write an empty base at `path`, whole or not at all."""
    from sqlite_utils import Database  # 0.3 s to import: only bases that change need it

    with files.replacing(path) as temporary:
        db = Database(temporary)
        with db.atomic():
            _tables(db)
            rows = {**meta, "version": VERSION, "generation": "0"}
            db.table("meta").insert_all({"key": k, "value": v} for k, v in rows.items())
        db.close()


def _tables(db: "Database") -> None:
    db.table("meta").create({"key": str, "value": str}, pk="key")
    db.table("documents").create(
        {
            "id": int,
            "name": str,
            "title": str,
            "origin": str,
            "date": str,
            "licence": str,
            "sha256": str,
            "access": str,
            "added": str,
            "pages": int,
        },
        pk="id",
    ).create_index(["name"], unique=True)
    db.table("pages").create(
        {"document": int, "number": int, "text": str},
        pk=("document", "number"),
        foreign_keys=[("document", "documents", "id")],
    )
    db.table("passages").create(
        {
            "id": int,
            "document": int,
            "page": int,
            "section": str,
            "text": str,
            "title_stems": str,
            "section_stems": str,
            "text_stems": str,
        },
        pk="id",
        foreign_keys=[("document", "documents", "id")],
    ).create_index(["document"])
    db.table("passages").enable_fts(
        ["title_stems", "section_stems", "text_stems"],
        tokenize="unicode61 remove_diacritics 2",
        create_triggers=True,
    )
    db.table("vectors").create(
        {"passage": int, "vector": bytes},
        pk="passage",
        foreign_keys=[("passage", "passages", "id")],
    )
    db.table("approved").create(
        {
            "id": int,
            "key": str,
            "question": str,
            "answer": str,
            "passage": int,
            "approved_by": str,
            "approved_at": str,
        },
        pk="id",
    ).create_index(["key"], unique=True)


def read_meta(connection: sqlite3.Connection) -> dict[str, str]:
    """Return what a base says of itself.

    Raises:
        sqlite3.DatabaseError: the file is no SQLite file, or holds other tables.
        ValueError: the base was written by another version.
    """
    meta = dict(connection.execute("SELECT key, value FROM meta").fetchall())
    if meta.get("version") != VERSION:
        raise ValueError(f"version {meta.get('version')}, expected {VERSION}")
    return {key: meta[key] for key in META}


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator["Database"]:
    """Yield the base for changes that happen all together or not at all."""
    from sqlite_utils import Database

    db = Database(connection)
    with db.atomic():
        yield db


def next_generation(connection: sqlite3.Connection) -> None:
    """Mark the base as changed, so that what was computed from it is computed again."""
    connection.execute(
        "UPDATE meta SET value = CAST(value AS INTEGER) + 1 WHERE key = 'generation'"
    )
