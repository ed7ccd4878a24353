"""Results of many machines, contenders and models as one table of what a right answer costs.

A row stands for one task of a suite as one contender ran it with one model on one machine, and says
how its joules were found; “hr.all” and “hr.written” are of the task “hr”. What is ranked was
measured, with one scope, on the same cases and as many answers; estimates stand apart and are
ordered by CPU-seconds, within one machine; the rest is listed. It knows nothing of whether cases of
one name asked the same thing: that is the suites'.
"""

import itertools
import math
import statistics
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Literal

import msgspec

from edge_slm.bench.record import Case

WH = 3600.0  # joules
ALL = ".all"  # a case of this ending holds all answers of those with its beginning
Table = Literal["measured", "estimated", "none"]


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the leaderboard; None where a figure is not known.

    machine: id of a fingerprint; `cpu` and `gpu` name it.
    task: what all its cases begin with, or the name of its only case.
    cases: names of the cases, sorted; rows with other cases are not comparable. Where there is a
        case “hr.all”, those named “hr.…” are parts of it and not counted again.
    table: where the row belongs, by how its joules were found; `rank` is 1 for the least joules
        (measured) or CPU-seconds (estimated) per correct answer in its class, None where unranked.
    joules_per_correct_low, joules_per_correct_high: as if all meters of its cases erred one way.
    tokens_per_s: written, after the first. tokens_per_s_per_watt: tokens written per joule of the
        whole run. joules_per_token: its inverse.
    joules_per_answer, joules_per_correct, cpu_seconds_per_correct: over the cases that count them.
    wh_per_1000_answers: joules per answer, in other units.
    first_token_s: median of the cases. peak_bytes: highest of them.
    quality: mean of the cases, weighted by their answers; None where they measure different things.
    notes: what tainted a run.
    date: of the newest case.
    """

    machine: str
    cpu: str
    gpu: str | None
    contender: str
    model: str | None
    suite: str
    task: str
    cases: tuple[str, ...]
    method: str | None
    scope: str | None
    table: Table
    rank: int | None = None
    answers: int | None = None
    correct: int | None = None
    tokens_per_s: float | None = None
    tokens_per_s_per_watt: float | None = None
    joules_per_token: float | None = None
    joules_per_answer: float | None = None
    joules_per_correct: float | None = None
    joules_per_correct_low: float | None = None
    joules_per_correct_high: float | None = None
    wh_per_1000_answers: float | None = None
    cpu_seconds_per_correct: float | None = None
    first_token_s: float | None = None
    peak_bytes: int | None = None
    quality: float | None = None
    quality_name: str | None = None
    notes: tuple[str, ...] = ()
    versions: dict[str, str]
    date: str


Key = tuple[str, str, str | None, str, str, str | None, str | None]


def key_of(row: Row) -> tuple[object, ...]:
    """Return what makes a row one of its kind.

    A meter and an estimate make two rows, and so do a whole suite and a part of it.
    """
    return row.machine, row.contender, row.model, row.suite, row.method, row.scope, row.cases


def rows_of(cases: Iterable[Case]) -> list[Row]:
    """Return the rows of the cases of one file; of a case that stands several times, the newest."""
    newest: dict[tuple[Key, str], Case] = {}
    for case in cases:
        key = (_key(case), case.case)
        if key not in newest or newest[key].date <= case.date:
            newest[key] = case
    groups: dict[Key, list[Case]] = defaultdict(list)
    for (kind, _), case in newest.items():
        groups[kind].append(case)
    return [_row(_counted_once(group)) for group in groups.values()]


def _counted_once(cases: Sequence[Case]) -> list[Case]:
    wholes = [case.case.removesuffix(ALL) for case in cases if case.case.endswith(ALL)]
    return [
        case
        for case in cases
        if case.case.endswith(ALL) or not any(case.case.startswith(f"{w}.") for w in wholes)
    ]


def merged(*boards: Iterable[Row]) -> list[Row]:
    """Return all rows together, ranked; of two with one key the newer, the later given if even."""
    kept: dict[tuple[object, ...], Row] = {}
    for row in itertools.chain(*boards):
        key = key_of(row)
        if key not in kept or kept[key].date <= row.date:
            kept[key] = row
    return ranked(kept.values())


def ranked(rows: Iterable[Row]) -> list[Row]:
    """Return rows with their ranks, in order: measured, estimated, then those without energy."""
    classes: dict[tuple[object, ...], list[Row]] = defaultdict(list)
    for row in rows:
        classes[_class(row)].append(row)
    done = [row for group in classes.values() for row in _in_order(group)]
    order: list[Table] = ["measured", "estimated", "none"]
    done.sort(key=lambda row: (order.index(row.table), *map(str, _class(row))))  # keeps ranks
    return done


def _class(row: Row) -> tuple[object, ...]:
    """Return what two rows must share to be compared."""
    same: tuple[object, ...] = (row.suite, row.cases, row.answers)
    if row.table == "measured":
        return (row.table, row.scope, *same)
    return (row.table, row.machine, *same)


def _cost(row: Row) -> float | None:
    if row.table == "measured":
        return row.joules_per_correct
    return row.cpu_seconds_per_correct if row.table == "estimated" else None


def _in_order(group: Sequence[Row]) -> list[Row]:
    costs = sorted(cost for row in group if (cost := _cost(row)) is not None)
    placed = [
        msgspec.structs.replace(row, rank=None if cost is None else costs.index(cost) + 1)
        for row in group
        for cost in [_cost(row)]
    ]
    return sorted(placed, key=lambda row: (row.rank is None, row.rank or 0, str(key_of(row))))


def _key(case: Case) -> Key:
    method, scope = case.joules_method, case.joules_scope
    task = case.case.partition(".")[0]
    return case.machine.id, case.contender, case.model, case.suite, task, method, scope


def _row(cases: Sequence[Case]) -> Row:
    newest = max(cases, key=lambda case: case.date)
    per_answer = _ratio(cases, lambda case: case.joules, lambda case: case.answers)
    per_token = _ratio(cases, lambda case: case.joules, _tokens)
    names = {case.quality_name for case in cases if case.quality is not None}
    method = newest.joules_method
    return Row(
        machine=newest.machine.id,
        cpu=newest.machine.cpu,
        gpu=newest.machine.gpu,
        contender=newest.contender,
        model=newest.model,
        suite=newest.suite,
        task=newest.case if len(cases) == 1 else newest.case.partition(".")[0],
        cases=tuple(sorted(case.case for case in cases)),
        method=method,
        scope=newest.joules_scope,
        table="none" if method is None else "estimated" if method == "estimate" else "measured",
        answers=_sum(case.answers for case in cases),
        correct=_sum(case.correct for case in cases),
        tokens_per_s=_ratio(cases, lambda case: case.tokens, _writing_s),
        tokens_per_s_per_watt=_ratio(cases, _tokens, lambda case: case.joules),
        joules_per_token=per_token,
        joules_per_answer=per_answer,
        joules_per_correct=_ratio(cases, lambda case: case.joules, _correct),
        joules_per_correct_low=_ratio(cases, lambda case: case.joules_low, _correct),
        joules_per_correct_high=_ratio(cases, lambda case: case.joules_high, _correct),
        wh_per_1000_answers=None if per_answer is None else per_answer * 1000 / WH,
        cpu_seconds_per_correct=_ratio(cases, lambda case: case.cpu_seconds, _correct),
        first_token_s=_median(case.first_token_s for case in cases),
        peak_bytes=max((c.peak_bytes for c in cases if c.peak_bytes is not None), default=None),
        quality=_quality(cases) if len(names) == 1 else None,
        quality_name=names.pop() if len(names) == 1 else None,
        notes=tuple(dict.fromkeys(c.conditions.note for c in cases if c.conditions.note)),
        versions=newest.versions,
        date=newest.date,
    )


def _ratio(
    cases: Sequence[Case],
    above: Callable[[Case], float | None],
    below: Callable[[Case], float | None],
) -> float | None:
    """Return sum over sum, of the cases that tell both; None where that is no finite number."""
    pairs = [(above(case), below(case)) for case in cases]
    known = [(a, b) for a, b in pairs if a is not None and b is not None]
    total = sum(b for _, b in known)
    share = sum(a for a, _ in known) / total if total > 0 else math.nan
    return share if math.isfinite(share) else None


def _correct(case: Case) -> int | None:
    return case.correct


def _tokens(case: Case) -> int | None:
    return case.tokens or None  # a run without a model has no joules per token


def _writing_s(case: Case) -> float | None:
    return case.tokens / case.tokens_per_s if case.tokens and case.tokens_per_s else None


def _sum(values: Iterable[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _median(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else None


def _quality(cases: Sequence[Case]) -> float | None:
    weighted = [(case.quality, case.answers or 1) for case in cases if case.quality is not None]
    return sum(q * n for q, n in weighted) / sum(n for _, n in weighted)
