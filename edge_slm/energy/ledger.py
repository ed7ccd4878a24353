"""What answers cost, kept in one SQLite file of this machine: figures only, never a word of them.

Several programs may write at once. A file that cannot be written to never costs an answer: one
sentence is raised, and nothing is half-written. Energy is summed for each method and scope apart,
so that an estimate is never added to a measurement. Does not know prices, nor other machines.
"""

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import msgspec

from edge_slm import paths
from edge_slm.answer import Answer, Energy
from edge_slm.energy import ledger_faults as faults

SWITCH = "EDGE_SLM_LEDGER"
VERSION = 1
# Marks the file as ours in its header, https://www.sqlite.org/pragma.html#pragma_application_id
APPLICATION_ID = int.from_bytes(b"ESLM")
BUSY_S = 5.0  # how long one program waits for another's transaction, which takes milliseconds


def now() -> str:
    """Return the time as an entry notes it: ISO 8601, UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """What one request cost.

    `time` is when it ended: UTC, ISO 8601, to the second. `kind` is that of the answer, or
    “stopped”, or “failed”. `method` and `scope` are those of its `Energy`. None is unknown, not 0.
    """

    time: str = msgspec.field(default_factory=now)
    task: str
    kind: str
    model: str | None = None
    model_sha256: str | None = None
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    seconds: float
    cpu_seconds: float | None = None
    joules: float | None = None
    low: float | None = None
    high: float | None = None
    method: str | None = None
    scope: str | None = None


class Sum(msgspec.Struct, frozen=True, kw_only=True):
    """Entries of one method and scope, added up.

    `answers` counts all of them, stopped and failed ones too; `without_joules` those among them
    whose energy is unknown; `without_tokens` the answers that no model wrote. `joules`, `low`,
    `high` and `cpu_seconds` are None where no entry knows them.
    """

    method: str | None
    scope: str | None
    answers: int
    without_joules: int
    without_tokens: int
    seconds: float
    cpu_seconds: float | None
    joules: float | None
    low: float | None
    high: float | None
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int

    @property
    def joules_per_answer(self) -> float | None:
        """Joules of an answer on average, of those whose energy is known."""
        known = self.answers - self.without_joules
        return None if self.joules is None or not known else self.joules / known


class Day(Sum, frozen=True, kw_only=True):
    """One local day (ISO 8601) of one method and scope, and its entries by kind."""

    day: str
    kinds: dict[str, int]


class Part(Sum, frozen=True, kw_only=True):
    """One rung, or one model (None: no model wrote), of one method and scope."""

    name: str | None


_COLUMNS = Entry.__struct_fields__
_MAKE = """CREATE TABLE entries (
    id INTEGER PRIMARY KEY, time TEXT NOT NULL, task TEXT NOT NULL, kind TEXT NOT NULL,
    model TEXT, model_sha256 TEXT, prompt_tokens INTEGER NOT NULL, cached_tokens INTEGER NOT NULL,
    completion_tokens INTEGER NOT NULL, seconds REAL NOT NULL, cpu_seconds REAL, joules REAL,
    low REAL, high REAL, method TEXT, scope TEXT)"""
_PUT = f"INSERT INTO entries ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"
# In one statement: another program may make the ledger between two.
_LOOK = """SELECT (SELECT application_id FROM pragma_application_id),
    (SELECT user_version FROM pragma_user_version), (SELECT count(*) FROM sqlite_master)"""
_DAY = "date(time, 'localtime')"
_WITHIN = f"WHERE {_DAY} BETWEEN ? AND ?"
_SUMS = """method, scope, count(*) AS answers, sum(joules IS NULL) AS without_joules,
    sum(model IS NULL AND completion_tokens = 0 AND prompt_tokens = 0
        AND kind NOT IN ('stopped', 'failed')) AS without_tokens,
    sum(seconds) AS seconds, sum(cpu_seconds) AS cpu_seconds, sum(joules) AS joules,
    sum(coalesce(low, joules)) AS low, sum(coalesce(high, joules)) AS high,
    sum(prompt_tokens) AS prompt_tokens, sum(cached_tokens) AS cached_tokens,
    sum(completion_tokens) AS completion_tokens"""


def entry_of(answer: Answer, seconds: float) -> Entry:
    """Return the entry of an answer that came after `seconds` of wall time, now."""
    model = answer.model
    entry = Entry(
        task=answer.task,
        kind=answer.kind,
        model=model.id if model else None,
        model_sha256=model.sha256 if model else None,
        prompt_tokens=answer.usage.prompt_tokens,
        cached_tokens=answer.usage.cached_tokens,
        completion_tokens=answer.usage.completion_tokens,
        seconds=seconds,
    )
    return priced(entry, answer.energy)


def priced(entry: Entry, energy: Energy) -> Entry:
    """Return an entry with what its answer cost."""
    return msgspec.structs.replace(
        entry,
        cpu_seconds=energy.cpu_seconds,
        joules=energy.joules,
        low=energy.low,
        high=energy.high,
        method=energy.method,
        scope=energy.scope,
    )


def keep_nothing() -> None:
    """Note nothing of what this process, and those that it starts, do from now on."""
    os.environ[SWITCH] = "off"


def switched_on() -> bool:
    """Return whether entries are kept: EDGE_SLM_LEDGER is not “off”.

    Raises:
        UsageError: it is neither “on” nor “off”.
    """
    value = os.environ.get(SWITCH, "").strip().lower()
    if value not in ("", "on", "off"):
        raise faults.no_switch(SWITCH, value)
    return value != "off"


class Ledger:
    """The ledger of this machine, or the one at `path`. Making one touches nothing on the disk.

    What writes stays connected, since closing is what costs: SQLite then waits for the disk. It may
    be used from any thread.

    Every method raises an EdgeSlmError of one sentence when the file is another program's, of a
    newer version, damaged, locked or not to be read or written.
    """

    def __init__(self, path: Path | None = None) -> None:
        """Name the file; it need not exist."""
        self.path = path or paths.data_dir() / "energy.db"
        self._writing = threading.Lock()
        self._writer: sqlite3.Connection | None = None
        self._inode: int | None = None  # of the file that the writer is connected to

    def close(self) -> None:
        """Let the file go; the next entry connects again."""
        with self._writing:
            self._disconnect()

    @property
    def belongs_to_another(self) -> bool:
        """Whether another account of this machine keeps it, as in a home that several share."""
        try:
            return hasattr(os, "geteuid") and self.path.stat().st_uid != os.geteuid()
        except OSError:
            return False

    def add(self, entry: Entry) -> None:
        """Write one entry, whole or not at all.

        Nothing where EDGE_SLM_LEDGER is “off”, nor in the ledger of another account.
        """
        if not switched_on() or self.belongs_to_another:
            return
        with self._to_write() as connection:
            connection.execute(_PUT, msgspec.structs.astuple(entry))

    def days(self, since: date | None = None, until: date | None = None) -> list[Day]:
        """Return local days from `since` to `until`, both included, oldest first."""
        kinds: dict[tuple[str, str | None, str | None], dict[str, int]] = {}
        sql = f"SELECT {_DAY} AS day, method, scope, kind, count(*) AS n FROM entries {_WITHIN} "
        with self._to_read() as connection:
            for row in _rows(connection, sql + "GROUP BY 1, 2, 3, 4", since, until):
                whose = (row["day"], row["method"], row["scope"])
                kinds.setdefault(whose, {})[row["kind"]] = row["n"]
            sums = _rows(
                connection,
                f"SELECT {_DAY} AS day, {_SUMS} FROM entries {_WITHIN} GROUP BY 1, 2, 3 ORDER BY 1",
                since,
                until,
            )
        return [Day(**row, kinds=kinds[row["day"], row["method"], row["scope"]]) for row in sums]

    def by_rung(self, since: date | None = None, until: date | None = None) -> list[Part]:
        """Return sums by kind of answer, most answers first."""
        return self._parts("kind", since, until)

    def by_model(self, since: date | None = None, until: date | None = None) -> list[Part]:
        """Return sums by model, most answers first; None is the answers that no model wrote."""
        return self._parts("model", since, until)

    def entries(self, since: date | None = None, until: date | None = None) -> list[Entry]:
        """Return all entries of these local days, oldest first."""
        sql = f"SELECT {', '.join(_COLUMNS)} FROM entries {_WITHIN} ORDER BY time, id"
        with self._to_read() as connection:
            return msgspec.convert(_rows(connection, sql, since, until), list[Entry])

    def clear(self) -> int:
        """Remove all entries and return how many there were; an absent file stays absent."""
        if not self.path.exists():
            return 0
        with self._to_write() as connection:
            removed = connection.execute("DELETE FROM entries").rowcount
        self.close()
        with faults.explained(self.path), closing(_connected(self.path, "rw")) as connection:
            connection.execute("VACUUM")  # not within a transaction
        return removed

    def _parts(self, column: str, since: date | None, until: date | None) -> list[Part]:
        sql = (
            f"SELECT {column} AS name, {_SUMS} FROM entries {_WITHIN} "
            f"GROUP BY {column}, method, scope ORDER BY answers DESC, name, method, scope"
        )
        with self._to_read() as connection:
            return [Part(**row) for row in _rows(connection, sql, since, until)]

    @contextmanager
    def _to_read(self) -> Iterator[sqlite3.Connection | None]:
        """Yield the file, or None where there is nothing in it yet."""
        if not self.path.exists():
            yield None
            return
        with faults.explained(self.path), closing(_connected(self.path, "ro")) as connection:
            yield connection if _is_ours(connection, self.path) else None

    @contextmanager
    def _to_write(self) -> Iterator[sqlite3.Connection]:
        """Yield the file within a transaction, made first where it is absent."""
        with self._writing, faults.explained(self.path):
            try:
                connection = self._connection()
                connection.execute("BEGIN IMMEDIATE")
                with connection:
                    if not _is_ours(connection, self.path):  # nor made by another one meanwhile
                        connection.execute(_MAKE)
                        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                        connection.execute(f"PRAGMA user_version = {VERSION}")
                    yield connection
            except BaseException:
                self._disconnect()
                raise

    def _connection(self) -> sqlite3.Connection:
        """Return a connection to the file that is there now; the file is made where it is not."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        # When one asked is nobody else's business; SQLite's own files get the same rights.
        os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))
        inode = self.path.stat().st_ino
        if self._writer and inode == self._inode:
            return self._writer
        self._disconnect()
        self._writer = _connected(self.path, "rw")
        self._inode = inode
        if not _is_ours(self._writer, self.path):
            _prefer_wal(self._writer)
        self._writer.execute("PRAGMA synchronous = NORMAL")
        return self._writer

    def _disconnect(self) -> None:
        if self._writer:
            self._writer.close()
        self._writer = None


def _connected(path: Path, mode: str) -> sqlite3.Connection:
    address = f"{path.absolute().as_uri()}?mode={mode}"
    connection = sqlite3.connect(
        address, uri=True, timeout=BUSY_S, isolation_level=None, check_same_thread=False
    )
    connection.row_factory = sqlite3.Row
    return connection


def _is_ours(connection: sqlite3.Connection, path: Path) -> bool:
    """Return whether the file is a ledger; False where it is empty. Changes nothing.

    Raises:
        EdgeSlmError: it is something else, or of a newer version.
    """
    application, version, tables = connection.execute(_LOOK).fetchone()
    if application == APPLICATION_ID and version == VERSION:
        return True
    if application == APPLICATION_ID and version > VERSION:
        raise faults.newer(path)
    # SQLite takes a file of one byte for an empty one (os_unix.c, unixFileSize).
    if application or version or tables or path.stat().st_size == 1:
        raise faults.foreign(path)
    return False


def _prefer_wal(connection: sqlite3.Connection) -> None:
    """Let readers read while one writes. Another program at this very moment may be first."""
    try:
        connection.execute("PRAGMA journal_mode = WAL")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise


def _rows(
    connection: sqlite3.Connection | None, sql: str, since: date | None, until: date | None
) -> list[dict[str, Any]]:
    if connection is None:
        return []
    ends = ((since or date.min).isoformat(), (until or date.max).isoformat())
    return [dict(row) for row in connection.execute(sql, ends)]
