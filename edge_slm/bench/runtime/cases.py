"""A part of `bench runtime` as a line of a benchmark: its figures, and what measuring them cost."""

from collections.abc import Callable
from typing import Any

from edge_slm.bench.measure import case_of, repeated
from edge_slm.bench.record import Case

SUITE = "runtime"
Row = dict[str, Any]


def billed(name: str, part: Callable[[], Row]) -> tuple[Row, Case]:
    """Run a part; return its figures, and them as a case with the time and energy of the whole.

    Args:
        name: of the part.
        part: measures, and returns its figures by name.
    """
    runs = repeated(part, repeats=1, warmup=0)
    row = runs.outcomes[0]
    return row, case_of(SUITE, name, runs, model=row.get("model"), more=row)
