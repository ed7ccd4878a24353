"""Runs something again and again and makes one line of a benchmark of it.

Time, processor time and joules come from the account that pays for a run (energy/accounts). Memory
is watched while warming up, where the watch costs nothing that is measured: reading the
proportional set of 1.2 GB took 22 ms here, four times a second, which is 8 % of a core.
It knows no suite, and not what a right answer is.
"""

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import msgspec

from edge_slm.answer import Energy, Usage
from edge_slm.bench import conditions, fingerprint
from edge_slm.bench.lines import line
from edge_slm.bench.memory_watch import MemoryWatch, Peak
from edge_slm.bench.record import Case, Conditions
from edge_slm.i18n import t

Outcome = TypeVar("Outcome")
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Interval:
    """A median and what bounds it.

    `coverage` is the probability that the true median lies between `low` and `high`, whatever the
    distribution; None with fewer than two values, which bound nothing.
    """

    median: float
    low: float | None
    high: float | None
    coverage: float | None


@dataclass(frozen=True)
class Run(Generic[Outcome]):
    """One timed run: what it gave, its wall time, its energy, what was wrong with the meter.

    `peak_bytes` is the most memory that all processes held together: in the warm-up, else in it.
    """

    outcome: Outcome
    seconds: float
    energy: Energy
    peak_bytes: int
    faults: tuple[str, ...] = ()


@dataclass(frozen=True)
class Runs(Generic[Outcome]):
    """The timed runs of one case, in order, and what was around them; `warmup` runs went before."""

    runs: tuple[Run[Outcome], ...]
    conditions: Conditions
    warmup: int = 0
    root: Path = fingerprint.ROOT

    @property
    def outcomes(self) -> list[Outcome]:
        """What the runs gave, in order."""
        return [run.outcome for run in self.runs]


def _nothing(_: int) -> None:
    pass


def repeated(
    run: Callable[[], Outcome],
    *,
    repeats: int,
    warmup: int = 1,
    advance: Callable[[int], object] = _nothing,
    root: Path = fingerprint.ROOT,
) -> Runs[Outcome]:
    """Run something `warmup` times, then `repeats` times with clock and meter.

    Args:
        run: one run; what it raises goes to the caller.
        repeats: timed runs, at least 1.
        warmup: runs before, of which only the memory is kept. With 0, memory is watched in the
            timed runs, for some 0.003 of a core, and a page that two processes share counts twice.
        advance: called with 1 after each run, warm-up included, for a progress bar.
        root: the system root under which frequencies and temperatures are read.
    """
    if repeats < 1 or warmup < 0:
        raise ValueError("repeats must be at least 1, warmup at least 0")
    before = conditions.reading(root)
    peak = _warm(run, warmup, advance) if warmup else None
    timed = []
    for _ in range(repeats):
        timed.append(_timed(run, peak))
        advance(1)
    around = conditions.conditions(before, conditions.reading(root))
    return Runs(tuple(timed), around, warmup, root)


def _warm(run: Callable[[], object], times: int, advance: Callable[[int], object]) -> int:
    with MemoryWatch() as memory:
        for _ in range(times):
            run()
            advance(1)
    return _bytes(memory.peak)


def _timed(run: Callable[[], Outcome], peak: int | None) -> Run[Outcome]:
    from edge_slm.energy.accounts import metered

    if peak is None:
        with MemoryWatch(interval_s=0.25, shared_once=False) as memory, metered() as bill:
            outcome = run()
        peak = _bytes(memory.peak)
    else:
        with metered() as bill:
            outcome = run()
    return Run(outcome, bill.seconds, bill.energy, peak, bill.faults)


def _bytes(peak: Peak) -> int:
    return peak.rss_bytes if peak.pss_bytes is None else peak.pss_bytes


def interval(values: Sequence[float], confidence: float = CONFIDENCE) -> Interval:
    """Return the median and the narrowest pair of order statistics that holds it with confidence.

    The k-th smallest and the k-th largest of n values miss the true median with a probability of
    2 P(B < k), B binomial (n, 1/2) (David & Nagaraja, Order Statistics, 7.1). With n < 6 no pair
    reaches 95 %: smallest and largest are given, with the coverage that they have (2: 0.5,
    3: 0.75, 4: 0.875, 5: 0.9375).

    Args:
        values: at least one.
        confidence: the coverage asked for, below 1.
    """
    ordered = sorted(values)
    n = len(ordered)
    median = float(statistics.median(ordered))
    if n < 2:
        return Interval(median, None, None, None)
    chosen, covered, missed = 1, 0.0, 0.0
    for k in range(1, n // 2 + 1):
        missed += math.comb(n, k - 1) / 2**n
        coverage = 1 - 2 * missed
        if k > 1 and coverage < confidence:
            break
        chosen, covered = k, coverage
    return Interval(median, float(ordered[chosen - 1]), float(ordered[n - chosen]), covered)


def case_of(
    suite: str,
    name: str,
    runs: Runs[Any],
    *,
    model: str | None = None,
    usage: Usage | None = None,
    answers: int | None = None,
    correct: int | None = None,
    quality: float | None = None,
    quality_name: str | None = None,
    first_token_s: float | None = None,
    tokens_per_s: float | None = None,
    more: dict[str, Any] | None = None,
    contender: str = "edge-slm",
) -> Case:
    """Return the line of a benchmark for some runs.

    The interval of the joules is the widest of all runs, each with what its meter may be off by.
    Joules are None where a run has none, or where runs were measured in different ways.

    Args:
        suite, name, model, contender: as in `Case`; `name` is stable between versions.
        runs: of `repeated`.
        usage: tokens of one run.
        answers, correct: what one run answered, and how many of these rightly.
        quality, quality_name: the suite's own measure.
        first_token_s: to the first piece of text.
        tokens_per_s: written, after the first; reckoned for a run of one answer whose
            `first_token_s` and `usage` are given.
        more: what only this suite has. Added are `cpu_seconds_low` and `cpu_seconds_high`, and
            `interval_coverage`: how sure both intervals are (Interval.coverage).
    """
    seconds = interval([run.seconds for run in runs.runs])
    cpu = interval([used for run in runs.runs if (used := run.energy.cpu_seconds) is not None])
    tokens = usage.completion_tokens if usage else None
    if tokens_per_s is None and first_token_s is not None and tokens and answers in (None, 1):
        tokens_per_s = _speed(tokens, seconds.median - first_token_s)
    joules, doubts = _joules(runs.runs)
    return line(
        suite,
        name,
        contender=contender,
        model=model,
        repeats=len(runs.runs),
        seconds=seconds.median,
        seconds_low=seconds.low,
        seconds_high=seconds.high,
        cpu_seconds=cpu.median,
        peak_bytes=max(run.peak_bytes for run in runs.runs),
        prompt_tokens=usage.prompt_tokens if usage else None,
        cached_tokens=usage.cached_tokens if usage else None,
        tokens=tokens,
        first_token_s=first_token_s,
        tokens_per_s=tokens_per_s,
        joules=joules.joules,
        joules_low=joules.low,
        joules_high=joules.high,
        joules_method=joules.method,
        joules_scope=joules.scope,
        watts=_share(joules.joules, seconds.median),
        answers=answers,
        correct=correct,
        quality=quality,
        quality_name=quality_name,
        more={**(more or {}), **_bounds(seconds, cpu)},
        conditions=_noted(runs.conditions, *doubts),
        root=runs.root,
    )


def _bounds(seconds: Interval, cpu: Interval) -> dict[str, float]:
    if seconds.coverage is None or cpu.low is None or cpu.high is None:
        return {}
    return {
        "interval_coverage": round(seconds.coverage, 4),
        "cpu_seconds_low": cpu.low,
        "cpu_seconds_high": cpu.high,
    }


def _speed(tokens: int, seconds: float) -> float | None:
    return (tokens - 1) / seconds if tokens > 1 and seconds > 0 else None


def _share(joules: float | None, seconds: float) -> float | None:
    return joules / seconds if joules is not None and seconds > 0 else None


def _joules(runs: Sequence[Run[Any]]) -> tuple[Energy, list[str]]:
    """Return the joules of one run, and sentences on what is wrong with them."""
    doubts = list(dict.fromkeys(fault for run in runs for fault in run.faults))
    bills = [run.energy for run in runs]
    known = [bill for bill in bills if bill.joules is not None]
    if not known:
        return Energy(), doubts
    ways = {(bill.method, bill.scope) for bill in known}
    if len(known) < len(bills) or len(ways) > 1:
        mixed = t(
            "no joules: not every run was measured in the same way",
            "pas de joules : les exécutions n'ont pas toutes été mesurées de la même façon",
        )
        return Energy(), [*doubts, mixed]
    ((method, scope),) = ways
    median = Energy(
        joules=statistics.median(bill.joules for bill in known if bill.joules is not None),
        low=min((bill.low for bill in known if bill.low is not None), default=None),
        high=max((bill.high for bill in known if bill.high is not None), default=None),
        method=method,
        scope=scope,
    )
    return median, doubts


def _noted(around: Conditions, *notes: str) -> Conditions:
    parts = [around.note, *(note.rstrip(".") for note in notes)]
    return msgspec.structs.replace(around, note="; ".join(part for part in parts if part))
