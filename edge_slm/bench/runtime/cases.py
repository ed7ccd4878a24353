"""A part of `bench runtime` as a line of a benchmark: its figures, and what measuring them cost."""

from collections.abc import Callable
from typing import Any

from edge_slm.bench import conditions
from edge_slm.bench.lines import line
from edge_slm.bench.record import Case
from edge_slm.energy.accounts import metered

SUITE = "runtime"
Row = dict[str, Any]


def billed(name: str, part: Callable[[], Row]) -> tuple[Row, Case]:
    """Run a part; return its figures, and them as a case with the time and energy of the whole.

    Args:
        name: of the part.
        part: measures, and returns its figures by name.
    """
    before = conditions.reading()
    with metered() as bill:
        row = part()
    spent = bill.energy
    case = line(
        SUITE,
        name,
        seconds=bill.seconds,
        cpu_seconds=spent.cpu_seconds or 0.0,
        conditions=conditions.conditions(before, conditions.reading()),
        model=row.get("model"),
        joules=spent.joules,
        joules_low=spent.low,
        joules_high=spent.high,
        joules_method=spent.method,
        joules_scope=spent.scope,
        watts=spent.joules / bill.seconds if spent.joules and bill.seconds else None,
        more=row,
    )
    return row, case
