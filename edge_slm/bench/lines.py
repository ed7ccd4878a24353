"""A line of a benchmark for what no repeated run gives: a baseline, a minute of a long run."""

import sys
from datetime import UTC, datetime
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
    **figures: Any,
) -> Case:
    """Return a line; `figures` are further fields of `Case`."""
    return Case(
        suite=suite,
        case=case,
        seconds=seconds,
        cpu_seconds=cpu_seconds,
        repeats=repeats,
        conditions=conditions,
        machine=fingerprint.machine(),
        versions=fingerprint.versions(),
        command=" ".join(["edge-slm", *sys.argv[1:]]),
        date=datetime.now(UTC).isoformat(timespec="seconds"),
        **figures,
    )
