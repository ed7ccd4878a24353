"""The cases of several parts, of which one that stops does not stop the others."""

from collections.abc import Callable, Iterable, Sequence

from edge_slm.bench.record import Case
from edge_slm.errors import EdgeSlmError, UsageError

Parts = Sequence[tuple[str, Callable[[], Iterable[Case]]]]
Stopped = list[tuple[str, EdgeSlmError]]


def collected(parts: Parts) -> tuple[list[Case], Stopped]:
    """Return the cases of all parts in order, and by name the errors that some stopped at.

    What a part gave before it stopped is kept.

    Args:
        parts: names, and functions that give cases one by one.
    Raises:
        UsageError: at once, since the caller has to mend it.
    """
    cases: list[Case] = []
    stopped: Stopped = []
    for name, part in parts:
        try:
            for case in part():
                cases.append(case)  # `extend` does not promise to keep those before an error
        except UsageError:
            raise
        except EdgeSlmError as error:
            stopped.append((name, error))
    return cases, stopped
