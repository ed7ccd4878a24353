"""Tables of a base, and the transactions that change them."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from edge_slm import files
from edge_slm.errors import EdgeSlmError, IntegrityError
from edge_slm.i18n import t
from edge_slm.kb import calibration, rungs

if TYPE_CHECKING:
    from sqlite_utils import Database

VERSION = "1"
MOST_DIMENSIONS = 1 << 16
META = (
    "uuid",
    "embedder",
    "dimensions",
    "language",
    "contact",
    "audience",
    "calibration",
    "created",
)
# Facts that a base made before them does not hold, and what they are then.
LATER = {"rungs": "", "curve": ""}
CHANGEABLE = frozenset({"contact", "audience", "calibration", *LATER})


def create(path: Path, meta: dict[str, str]) -> None:
    """Write an empty base at `path`, whole or not at all.

    Raises:
        EdgeSlmError: the folder cannot be written to, or the disk is full.
    """
    from sqlite_utils import Database  # 0.3 s to import: only bases that change need it

    try:
        with explained(), files.replacing(path) as temporary:
            db = Database(temporary)
            with db.atomic():
                _tables(db)
                rows = {**meta, "version": VERSION, "generation": "0"}
                db.table("meta").insert_all({"key": k, "value": v} for k, v in rows.items())
            db.close()
    except OSError as error:
        raise _unusable(error) from error


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
        KeyError: something is missing.
        ValueError: the base was written by another version, or says something impossible.
    """
    meta = dict(connection.execute("SELECT key, value FROM meta").fetchall())
    if meta.get("version") != VERSION:
        raise ValueError(f"version {meta.get('version')}, expected {VERSION}")
    if strange := [str(key) for key, value in meta.items() if not isinstance(value, str)]:
        raise ValueError(f"no text: {', '.join(strange)}")
    if not 0 < int(meta["dimensions"]) <= MOST_DIMENSIONS:
        raise ValueError(f"dimensions {meta['dimensions']}")
    meta = {key: meta[key] for key in META} | {
        key: meta.get(key, default) for key, default in LATER.items()
    }
    calibration.decoded(meta["calibration"])
    rungs.decoded(meta["rungs"])
    return meta


def check_size(connection: sqlite3.Connection, path: Path) -> None:
    """Check that a file is as long as it says; SQLite lets a last page that is cut pass.

    Raises:
        ValueError: it is not.
    """
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    (page_bytes,) = connection.execute("PRAGMA page_size").fetchone()
    if path.stat().st_size < pages * page_bytes:
        raise ValueError(f"{path.stat().st_size} bytes, expected {pages * page_bytes}")


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator["Database"]:
    """Yield the base for changes that happen all together or not at all.

    Raises:
        EdgeSlmError: the base is in use, cannot be written to, or the disk is full.
        IntegrityError: the file is damaged.
    """
    from sqlite_utils import Database

    with explained():
        db = Database(connection)
        # The write lock first: two writers that both read before they write would fail at once
        # instead of waiting for each other.
        connection.execute("BEGIN IMMEDIATE")
        with connection:
            yield db


@contextmanager
def explained() -> Iterator[None]:
    """Turn what SQLite says of the file and the disk into sentences; also a decorator.

    Raises:
        EdgeSlmError: the base is in use, cannot be read or written to, or the disk is full.
        IntegrityError: the file is damaged.
    """
    try:
        yield
    except sqlite3.DatabaseError as error:
        told = _told(error)
        if told is None:
            raise
        raise told from error


def _told(error: sqlite3.DatabaseError) -> EdgeSlmError | None:
    # The low byte is the kind of error: https://www.sqlite.org/rescode.html
    match getattr(error, "sqlite_errorcode", 0) & 0xFF:
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return in_use()
        case sqlite3.SQLITE_FULL:
            return EdgeSlmError(
                t(
                    "The disk is full and the base is as it was: make room and try again.",
                    "Le disque est plein et la base est restée telle quelle : faites de la place "
                    "et réessayez.",
                )
            )
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_IOERR:
            return _unusable(error)
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return damaged(error)
        case _:
            return None


def _unusable(error: object) -> EdgeSlmError:
    return EdgeSlmError(
        t(
            "The base's file cannot be used ({error}): check the disk, and your rights on the file "
            "and its folder.",
            "Le fichier de la base n'est pas utilisable ({error}) : vérifiez le disque, et vos "
            "droits sur le fichier et son dossier.",
            error=error,
        )
    )


def in_use() -> EdgeSlmError:
    """Return the error of a base that another program has locked."""
    return EdgeSlmError(
        t(
            "Another program is changing the base: try again when it has finished.",
            "Un autre programme modifie la base : réessayez quand il aura fini.",
        )
    )


def damaged(error: object) -> IntegrityError:
    """Return the error of a base whose content is not what this project wrote."""
    return IntegrityError(
        t(
            "The base is damaged ({error}): copy it again from where it came from.",
            "La base est abîmée ({error}) : recopiez-la depuis sa source.",
            error=error,
        )
    )


def next_generation(connection: sqlite3.Connection) -> None:
    """Mark the base as changed, so that what was computed from it is computed again.

    The clock is in the number, because two copies of a base that are changed apart must not come
    to the same one.
    """
    connection.execute(
        "UPDATE meta SET value = max(CAST(value AS INTEGER) + 1, ?) WHERE key = 'generation'",
        (time.time_ns(),),
    )


def now() -> str:
    """Return the time as a base notes it: ISO 8601, UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")
