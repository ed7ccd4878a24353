"""A line of a benchmark: figures, with the machine, the versions, the command and the date."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from edge_slm.bench import fingerprint
from edge_slm.bench.record import Case, Conditions


def line(
    suite: str,
    case: str,
    *,
    seconds: float,
    cpu_seconds: float,
    conditions: Conditions,
    repeats: int = 1,
    root: Path = fingerprint.ROOT,
    **figures: Any,
) -> Case:
    """Return a line; `figures` are further fields of `Case`, `root` is that of the machine."""
    return Case(
        suite=suite,
        case=case,
        seconds=seconds,
        cpu_seconds=cpu_seconds,
        repeats=repeats,
        conditions=conditions,
        machine=fingerprint.machine(root),
        versions=fingerprint.versions(),
        command=command_line(),
        date=now(),
        **figures,
    )


def command_line() -> str:
    """Return the command as it was typed, but for its quotes."""
    words = " ".join(["edge-slm", *sys.argv[1:]])
    return words.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def now() -> str:
    """Return the date and time, in UTC and to the second (ISO 8601)."""
    return datetime.now(UTC).isoformat(timespec="seconds")
