"""New results over old ones, case by case: what changed, and whether the runs can tell.

It knows nothing of what a change is worth, and compares no joules that were not found in one way.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Literal

import msgspec

from edge_slm.bench import tables
from edge_slm.bench.record import Case
from edge_slm.bench.results import AGAINST
from edge_slm.i18n import t

Verdict = Literal["clear", "no clear change", "too few runs", "no interval"]
Bounds = tuple[float | None, float | None]
Key = tuple[str, str, str, str | None]
_FIGURES = ("seconds", "cpu_seconds", "tokens_per_s", "peak_bytes", "joules")
CHANCE = 0.05


class Ratio(msgspec.Struct, frozen=True, kw_only=True):
    """One figure of one case, new and old.

    suite: always “against”, so that a ratio is no case; `of` is the suite of both cases.
    ratio: new over old; None for `quality`, and where old is 0. difference: new minus old.
    verdict: “clear” where the intervals are apart; “no clear change” where they overlap; “too few
        runs” where they are apart, but would be by chance once in twenty; “no interval” where one
        of them has none.
    """

    suite: str = AGAINST
    of: str
    case: str
    contender: str
    model: str | None
    figure: str
    new: float
    old: float
    ratio: float | None
    difference: float
    verdict: Verdict


def ratios(new: Sequence[Case], old: Sequence[Case]) -> list[Ratio]:
    """Return the ratios of all cases that both have, by suite, case, contender and model.

    Of a case that stands several times in one list, the last counts. Joules are compared where
    method and scope are the same, quality where it is the same measure.
    """
    before = {_key(case): case for case in old}
    after = {_key(case): case for case in new}
    pairs = [(case, before[key]) for key, case in after.items() if key in before]
    return [ratio for now, then in pairs for ratio in _of_pair(now, then)]


def warnings(new: Sequence[Case], old: Sequence[Case]) -> list[str]:
    """Return sentences on what makes the ratios doubtful: machine, versions, conditions, gaps."""
    before = {_key(case): case for case in old}
    after = {_key(case): case for case in new}
    common = [key for key in after if key in before]
    found = []
    if not common:
        found.append(t("No case is in both results.", "Aucun cas n'est dans les deux résultats."))
    elif alone := len(after) + len(before) - 2 * len(common):
        found.append(
            t(
                "{n} cases are in one of the results only.",
                "{n} cas ne sont que d'un côté.",
                n=alone,
            )
        )
    for key in common:
        found += _differences(after[key], before[key])
    return list(dict.fromkeys(found))


def table(found: Sequence[Ratio]) -> str:
    """Return the ratios as a table for a terminal."""
    head = [
        t("case", "cas"),
        t("by", "par"),
        t("model", "modèle"),
        t("figure", "mesure"),
        t("old", "avant"),
        t("new", "après"),
        t("new/old", "après/avant"),
        "",
    ]
    return tables.aligned(head, [_cells(one) for one in found])


def _cells(one: Ratio) -> list[str]:
    sign = "+" if one.difference > 0 else ""
    change = f"{sign}{tables.number(one.difference)}"
    return [
        f"{one.of} {one.case}",
        one.contender,
        one.model or tables.NONE,
        one.figure,
        tables.number(one.old),
        tables.number(one.new),
        change if one.ratio is None else f"× {tables.number(one.ratio)}",
        _said(one.verdict),
    ]


def _said(verdict: Verdict) -> str:
    return {
        "clear": t("clear", "net"),
        "no clear change": t("no clear change", "pas de changement net"),
        "too few runs": t("too few runs to tell", "trop peu d'essais pour le dire"),
        "no interval": "",
    }[verdict]


def _key(case: Case) -> Key:
    return case.suite, case.case, case.contender, case.model


def _of_pair(new: Case, old: Case) -> Iterator[Ratio]:
    for figure in _FIGURES:
        after, before = getattr(new, figure), getattr(old, figure)
        if after is None or before is None or (figure == "joules" and not _one_way(new, old)):
            continue
        yield _ratio(new, figure, after, before, _verdict(figure, new, old))
    same = new.quality_name == old.quality_name
    if same and new.quality is not None and old.quality is not None:
        yield _ratio(new, "quality", new.quality, old.quality, "no interval")


def _ratio(case: Case, figure: str, after: float, before: float, verdict: Verdict) -> Ratio:
    share = after / before if before and figure != "quality" else math.nan
    return Ratio(
        of=case.suite,
        case=case.case,
        contender=case.contender,
        model=case.model,
        figure=figure,
        new=after,
        old=before,
        ratio=share if math.isfinite(share) else None,
        difference=after - before,
        verdict=verdict,
    )


def _one_way(new: Case, old: Case) -> bool:
    ways = {(case.joules_method, case.joules_scope) for case in (new, old)}
    return len(ways) == 1 and new.joules_method is not None


def _bounds(figure: str, case: Case) -> Bounds:
    if figure == "seconds":
        return case.seconds_low, case.seconds_high
    if figure == "joules":
        return case.joules_low, case.joules_high
    low, high = (case.more.get(f"{figure}_{end}") for end in ("low", "high"))
    known = isinstance(low, int | float) and isinstance(high, int | float)
    return (low, high) if known else (None, None)


def _verdict(figure: str, new: Case, old: Case) -> Verdict:
    """Return whether two samples are apart.

    Where all of n values lie on one side of all of m others, chance does that in 2 of C(n + m, n)
    orders of the same population (the extreme ranks of Wilcoxon's sum).
    """
    low, high = _bounds(figure, new)
    least, most = _bounds(figure, old)
    if low is None or high is None or least is None or most is None:
        return "no interval"
    if low <= most and least <= high:
        return "no clear change"
    orders = math.comb(new.repeats + old.repeats, new.repeats)
    return "too few runs" if 2 / orders > CHANCE else "clear"


def _differences(new: Case, old: Case) -> list[str]:
    found = []
    if new.machine.id != old.machine.id:
        found.append(
            t(
                "The machines differ: {new} now, {old} then.",
                "Les machines diffèrent : {new} maintenant, {old} alors.",
                new=f"{new.machine.cpu} ({new.machine.id})",
                old=f"{old.machine.cpu} ({old.machine.id})",
            )
        )
    names = sorted(new.versions.keys() | old.versions.keys())
    changed = [name for name in names if new.versions.get(name) != old.versions.get(name)]
    if changed:
        found.append(
            t(
                "The versions differ: {changes}.",
                "Les versions diffèrent : {changes}.",
                changes=", ".join(
                    f"{n} {old.versions.get(n, '–')} → {new.versions.get(n, '–')}" for n in changed
                ),
            )
        )
    return found + _conditions(new, old)


def _conditions(new: Case, old: Case) -> list[str]:
    found = []
    if (new.conditions.note or old.conditions.note) and new.conditions.note != old.conditions.note:
        found.append(
            t(
                "{case}: conditions now: {new}; then: {old}.",
                "{case} : conditions maintenant : {new} ; alors : {old}.",
                case=new.case,
                new=new.conditions.note or t("nothing to say", "rien à dire"),
                old=old.conditions.note or t("nothing to say", "rien à dire"),
            )
        )
    if new.joules is not None and old.joules is not None and not _one_way(new, old):
        found.append(
            t(
                "The joules were not found in the same way: they are not compared.",
                "Les joules n'ont pas été obtenus de la même façon : ils ne sont pas comparés.",
            )
        )
    return found
