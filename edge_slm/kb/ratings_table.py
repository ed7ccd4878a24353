"""The table of ratings, which a base gets when the first answer is rated.

A base without it is whole, and programs that do not know it pass it over: the version of the base
stays the same.
"""

import sqlite3

COLUMNS = (
    *("id", "at", "by", "verdict", "reason", "correction", "question", "answer", "kind"),
    *("confidence", "why", "passage", "document", "page", "document_sha256", "passages"),
    *("model", "model_sha256", "status", "decided_by", "decided_at", "approval", "approval_at"),
)
_MAKE = """CREATE TABLE IF NOT EXISTS ratings (
    id INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, by TEXT NOT NULL,
    verdict TEXT NOT NULL, reason TEXT NOT NULL, correction TEXT NOT NULL,
    question TEXT NOT NULL, answer TEXT NOT NULL, kind TEXT NOT NULL,
    confidence REAL, why TEXT NOT NULL,
    passage INTEGER, document TEXT, page INTEGER, document_sha256 TEXT, passages TEXT NOT NULL,
    model TEXT, model_sha256 TEXT,
    status TEXT NOT NULL DEFAULT 'waiting', decided_by TEXT, decided_at TEXT,
    approval INTEGER, approval_at TEXT)"""


def make(connection: sqlite3.Connection) -> None:
    """Make the table where it is absent; inside a transaction."""
    connection.execute(_MAKE)


def exists(connection: sqlite3.Connection) -> bool:
    """Return whether the base has the table."""
    row = connection.execute(
        "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'ratings'"
    )
    return row.fetchone() is not None


def origins(connection: sqlite3.Connection) -> dict[tuple[int, str], int]:
    """Return the ids of the ratings that approvals came from, by the approvals' ids and times.

    The time is part of it because SQLite gives the id of the last approval anew.
    """
    if not exists(connection):
        return {}
    rows = connection.execute(
        "SELECT approval, approval_at, id FROM ratings WHERE status = 'approved'"
    )
    return {(int(approval), str(at)): int(rating) for approval, at, rating in rows if approval}
