"""What must hold for a recipe to pass, judged on measured values.

A value that could not be measured fails its part with a reason; nothing here raises on figures.
Proxies and expected sizes are intervals: `blocked` tells what cannot hold any more.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from edge_slm.i18n import t
from edge_slm_quantize.recipe import Task
from edge_slm_quantize.search.gate_syntax import Compare, Joined, Tree, leaves, read

Interval = tuple[float, float]


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One comparison, judged.

    text: it, the metric first. value, limit: its two sides; None where one is not known.
    miss: by how much it fails, as a share of the limit; 0 where it holds, None where not known.
    reason: why it could not be judged; empty else.
    """

    text: str
    metric: str
    value: float | None
    limit: float | None
    passed: bool
    miss: float | None
    reason: str = ""


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """A gate, judged: `miss` is that of the worst part that has to hold, None where not known."""

    passed: bool
    parts: tuple[Part, ...]
    miss: float | None


@dataclass(frozen=True)
class Gate:
    """A condition on metrics.

    Attributes:
        text: as it was typed, on one line.
        tree: its comparisons.
    """

    text: str
    tree: Tree

    @property
    def metrics(self) -> set[str]:
        """What must be measured of each recipe."""
        return {leaf.metric for leaf in leaves(self.tree)}

    @property
    def references(self) -> set[str]:
        """What must be measured of the source itself."""
        return {leaf.metric for leaf in leaves(self.tree) if leaf.bound.has_ref}

    def judge(self, values: Mapping[str, float], reference: Mapping[str, float]) -> Verdict:
        """Judge one recipe.

        Args:
            values: of the recipe, by metric.
            reference: of the source, by metric.
        """
        parts = {leaf: _part(leaf, values, reference) for leaf in leaves(self.tree)}
        miss = _miss(self.tree, parts)
        return Verdict(passed=_holds(self.tree, parts), parts=tuple(parts.values()), miss=miss)

    def blocked(
        self, known: Mapping[str, Interval], reference: Mapping[str, float] | None = None
    ) -> tuple[str, ...]:
        """Return the comparisons that make the gate fail whatever else is measured; () for none.

        Args:
            known: between which values a metric lies; one that is not named may have any.
            reference: of the source, as far as it is known.
        """
        return tuple(leaf.text for leaf in _blocking(self.tree, known, reference or {}))


def parse(text: str, task: Task | None = None) -> Gate:
    """Read a gate (gate_syntax.read).

    Raises:
        UsageError: it is no gate, or names what models of this task do not have.
    """
    return Gate(text=" ".join(text.split()), tree=read(text, task))


def nearest_miss(verdicts: Mapping[str, Verdict]) -> str | None:
    """Return the recipe that fails by least; None where none can be told."""
    known = {name: v.miss for name, v in verdicts.items() if not v.passed and v.miss is not None}
    return min(known, key=lambda name: known[name] or 0.0, default=None)


def miss_text(name: str, verdict: Verdict) -> str:
    """Return a sentence on what a recipe fails by."""
    from edge_slm_quantize.search.words import amount

    failed = [part for part in verdict.parts if not part.passed]
    told = [
        t(
            "{text}, measured {value}",
            "{text}, mesuré {value}",
            text=part.text,
            value=amount(part.metric, part.value),
        )
        if part.value is not None and not part.reason
        else f"{part.text} ({part.reason})"
        for part in failed
    ]
    return t(
        "{name} misses: {parts}",
        "{name} manque : {parts}",
        name=name,
        parts="; ".join(told),
    )


def _part(leaf: Compare, values: Mapping[str, float], reference: Mapping[str, float]) -> Part:
    value = _finite(values.get(leaf.metric))
    limit = _finite(leaf.bound.value(_finite(reference.get(leaf.metric))))
    if value is None or limit is None:
        reason = _no_value(leaf.metric) if value is None else _no_limit(leaf, reference)
        return Part(
            text=leaf.text,
            metric=leaf.metric,
            value=value,
            limit=limit,
            passed=False,
            miss=None,
            reason=reason,
        )
    passed = holds(leaf, value, limit)
    # Where the limit is zero, the value itself is what the violation is compared with.
    scale = abs(limit) or abs(value) or 1.0
    miss = 0.0 if passed else _finite(abs(value - limit) / scale)
    return Part(
        text=leaf.text, metric=leaf.metric, value=value, limit=limit, passed=passed, miss=miss
    )


def holds(leaf: Compare, value: float, limit: float) -> bool:
    """Return whether a comparison holds for two numbers."""
    match leaf.sign:
        case "<=":
            return value <= limit
        case "<":
            return value < limit
        case ">=":
            return value >= limit
        case ">":
            return value > limit


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _holds(tree: Tree, parts: Mapping[Compare, Part]) -> bool:
    if isinstance(tree, Joined):
        join = all if tree.how == "and" else any
        return join(_holds(part, parts) for part in tree.of)
    return parts[tree].passed


def _miss(tree: Tree, parts: Mapping[Compare, Part]) -> float | None:
    if isinstance(tree, Compare):
        return parts[tree].miss
    misses = [_miss(part, parts) for part in tree.of]
    known = [miss for miss in misses if miss is not None]
    if tree.how == "and":
        return max(known) if len(known) == len(misses) else None
    return min(known, default=None)


def _blocking(
    tree: Tree, known: Mapping[str, Interval], reference: Mapping[str, float]
) -> list[Compare]:
    if isinstance(tree, Joined):
        found = [_blocking(part, known, reference) for part in tree.of]
        if tree.how == "or" and not all(found):
            return []
        return [leaf for part in found for leaf in part]
    limit = _finite(tree.bound.value(_finite(reference.get(tree.metric))))
    if tree.metric not in known or limit is None:
        return []
    low, high = known[tree.metric]
    best = low if tree.sign in ("<=", "<") else high
    return [] if holds(tree, best, limit) else [tree]


def _no_value(metric: str) -> str:
    return t("{metric} was not measured", "{metric} n'a pas été mesuré", metric=metric)


def _no_limit(leaf: Compare, reference: Mapping[str, float]) -> str:
    if leaf.bound.has_ref and leaf.metric not in reference:
        return t(
            "{metric} of the original was not measured",
            "{metric} de l'original n'a pas été mesuré",
            metric=leaf.metric,
        )
    return t("its bound is no number", "sa borne n'est pas un nombre")
