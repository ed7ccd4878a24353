"""Rounds: each contender asked the same in turn, so that what else the machine does weighs on all.

All are loaded at once; who is not asked waits. What one spends is read from the account of this
program, which pays for all its processes: those that wait add next to nothing, and to all alike.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from edge_slm.bench.conditions import conditions, reading
from edge_slm.bench.measure import Run, Runs
from edge_slm.bench.memory_watch import MemoryWatch
from edge_slm.energy.accounts import metered
from edge_slm.errors import EdgeSlmError
from edge_slm.process_tree import descendants

Outcome = TypeVar("Outcome")


@dataclass
class Asked(Generic[Outcome]):
    """Who is asked.

    Attributes:
        name: of the contender.
        pid: of the process at the root of its tree.
        run: one asking; takes the number of the round, 0 for the warm-up.
    """

    name: str
    pid: int | None
    run: Callable[[int], Outcome]
    timed: list[Run[Outcome]] = field(default_factory=list)
    peak_bytes: int = 0


def rounds(
    all_asked: Sequence[Asked[Outcome]],
    repeats: int,
    leave_out: Callable[[str], object],
    advance: Callable[[int], object] = lambda _: None,
) -> dict[str, Runs[Outcome]]:
    """Ask each once to warm up, its memory watched, then in rounds; another begins each round.

    Args:
        all_asked: the contenders.
        repeats: timed rounds.
        leave_out: called with a sentence for one that fails; the others go on.
        advance: called with 1 after each asking.
    Returns:
        the timed runs by name, of those that did not fail.
    """
    before = reading()
    present = list(all_asked)
    for number in range(repeats + 1):
        turn = number % len(present) if present else 0
        for one in present[turn:] + present[:turn]:
            try:
                _ask(one, number)
            except EdgeSlmError as error:
                leave_out(str(error))
                present.remove(one)
            advance(1)
    around = conditions(before, reading())
    return {one.name: Runs(tuple(one.timed), around, 1) for one in present}


def child_since(before: Sequence[int]) -> int | None:
    """Return the first process below this one that was not there before, or None."""
    return next((pid for pid in descendants(os.getpid()) if pid not in before), None)


def _ask(one: Asked[Outcome], number: int) -> None:
    if number == 0:
        # In the warm-up only: to read the memory costs processor time.
        with MemoryWatch(one.pid) as memory:
            one.run(0)
        # Of the proportional set, peers that map the same file would have a part each.
        one.peak_bytes = memory.peak.rss_bytes
        return
    with metered() as bill:
        outcome = one.run(number)
    one.timed.append(Run(outcome, bill.seconds, bill.energy, one.peak_bytes, bill.faults))
