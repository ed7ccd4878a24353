"""A CSV file that another program appends to: `csv:/path/log.csv?column=power_w`.

The last whole line counts; a time in the file is not read, its arrival is what dates it. A file
that is cut or replaced is read anew from its start, its columns staying where they were.
"""

import os
import stat
import time
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from edge_slm.energy.meters.external_address import (
    USUAL_DECIMALS,
    Wanted,
    taken_apart,
    told_unit,
    unit_of,
)
from edge_slm.energy.meters.external_meter import ExternalMeter, Heard
from edge_slm.energy.meters.external_value import MOST_BYTES, cells, decimals, delimiter, number
from edge_slm.errors import UsageError
from edge_slm.i18n import t


@dataclass(frozen=True)
class _Column:
    """Which cell of a line counts.

    Attributes:
        index: of the cell, from 0.
        name: as the header says it, or its number.
        mark: what separates cells.
    """

    index: int
    name: str
    mark: str | None

    def value(self, line: str) -> Decimal:
        """Return the figure of a line; raises ValueError."""
        found = cells(line, self.mark)
        if self.index >= len(found):
            raise ValueError("the line is short")
        return number(found[self.index], comma=self.mark in (";", "\t"))


class _Tail:
    """The end of a file that grows."""

    def __init__(self, path: Path, column: _Column, heard: Heard, factor: float) -> None:
        self._path = path
        self._column = column
        self._heard = heard
        self._factor = factor
        self._seen: tuple[object, ...] | None = None

    def take(self) -> float | None:
        """Return the figure of the last whole line, where it is fresh."""
        try:
            self._look()
        except OSError:
            return None  # gone or unreadable: what was heard before is of another file
        return self._heard.value()

    def _look(self) -> None:
        about = self._path.stat()
        if not stat.S_ISREG(about.st_mode):
            return
        end = _end(self._path)
        now = (about.st_ino, about.st_size, about.st_mtime_ns, end)
        if now == self._seen:
            return
        known, self._seen = self._seen is not None, now
        # What was there before the first look is as old as the file says.
        age_s = 0.0 if known else max(0.0, time.time() - about.st_mtime)
        try:
            value = self._column.value(_last_line(end))
        except ValueError:
            return
        self._heard.put(float(value) * self._factor, age_s)


def connect(address: str, clock: Callable[[], float] = time.monotonic) -> ExternalMeter:
    """Return a meter over a log.

    Args:
        address: options: `column`, a name of the header or a number from 1 on; without it, the
            first column whose name tells a unit.
        clock: monotonic seconds.

    Raises:
        UsageError: no such file or column, or its unit is not known.
    """
    wanted = taken_apart(address, ("column",))
    path = _path(wanted.what)
    header = _header(path)
    column = _chosen(wanted, header)
    unit = unit_of(wanted, column.name)
    heard = Heard(wanted.stale_s, clock)
    tail = _Tail(path, column, heard, unit.factor)
    return ExternalMeter(
        name=f"{path.name} ({column.name})",
        scope=wanted.scope,
        channel=wanted.channel(column.name, unit, _decimals(path, column)),
        interval_s=wanted.interval_s,
        take=tail.take,
        shut=lambda: None,
    )


def _path(text: str) -> Path:
    try:
        return Path(text).expanduser()
    except RuntimeError:  # “~nobody”
        return Path(text)


def _header(path: Path) -> str:
    """Return the first line of the file."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise _unreadable(path, t("it is no regular file", "ce n’est pas un fichier ordinaire"))
        with path.open("rb") as file:
            first, _, _ = file.read(MOST_BYTES).partition(b"\n")
    except (OSError, ValueError) as error:
        raise _unreadable(path, getattr(error, "strerror", None) or str(error)) from error
    if not first.strip():
        raise _unreadable(path, t("it is empty", "il est vide"))
    if len(first) == MOST_BYTES or b"\0" in first:
        raise _unreadable(path, t("it holds no lines of text", "il n’a pas de lignes de texte"))
    return first.decode("utf-8-sig", "replace").strip()


def _chosen(wanted: Wanted, header: str) -> _Column:
    mark = delimiter(header)
    names = [name if _is_title(name) else "" for name in cells(header, mark)]
    asked = wanted.own.get("column")
    if asked is None:
        telling = [index for index, name in enumerate(names) if told_unit(name)]
        index = telling[0] if telling else 0 if len(names) == 1 else None
    elif asked and asked in names:
        index = names.index(asked)
    else:
        index = int(asked) - 1 if asked.isdecimal() and 0 < int(asked) <= len(names) else None
    if index is None:
        raise UsageError(
            t(
                "Which column holds the figure is not clear: add column=NAME, one of {names}.",
                "La colonne du chiffre n’est pas claire : ajoutez column=NOM, parmi {names}.",
                names=", ".join(name or str(at) for at, name in enumerate(names[:20], 1))[:300],
            )
        )
    return _Column(index, names[index] or str(index + 1), mark)


def _is_title(cell: str) -> bool:
    try:
        number(cell, comma=True)
    except ValueError:
        return True
    return False


def _decimals(path: Path, column: _Column) -> int:
    """Return the digits after the point of the last figure."""
    try:
        return decimals(column.value(_last_line(_end(path))))
    except (OSError, ValueError):
        return USUAL_DECIMALS  # there is no figure yet


def _end(path: Path) -> bytes:
    with path.open("rb") as file:
        file.seek(-min(MOST_BYTES, file.seek(0, os.SEEK_END)), os.SEEK_END)
        return file.read(MOST_BYTES)


def _last_line(end: bytes) -> str:
    """Return the last line that is whole; raises ValueError where there is none."""
    whole, newline, _ = end.rpartition(b"\n")
    _, earlier, line = whole.rpartition(b"\n")
    if not newline or (not earlier and len(end) == MOST_BYTES):
        raise ValueError("no whole line")
    return line.decode("utf-8", "replace")


def _unreadable(path: Path, reason: str) -> UsageError:
    return UsageError(
        t(
            "The log {path} cannot be read: {reason}.",
            "Le journal {path} ne peut être lu : {reason}.",
            path=path,
            reason=reason,
        )
    )
