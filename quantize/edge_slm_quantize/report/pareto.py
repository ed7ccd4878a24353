"""What quality costs: which recipes no other beats, and which cannot be told apart."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from edge_slm_quantize.metrics import METRICS
from edge_slm_quantize.recipe import Task
from edge_slm_quantize.report.result import Outcome, Result

# What stands for lost quality, the first that was measured of at least one recipe.
_LOSSES: dict[Task, tuple[str, ...]] = {
    "chat": ("kld", "simulated_kld"),
    "embed": ("cosine", "simulated_cosine"),
    "speech": ("wer",),
    "translate": ("chrf",),
}
# What it is drawn against: size, speed, energy; joules before their stand-in.
_COSTS = (
    ("size",),
    ("tokens_per_second", "seconds_per_item"),
    ("joules_per_100", "cpu_seconds_per_100"),
)


class Point(NamedTuple):
    """A recipe in a plot: its cost and its loss of quality, and whether it passed the gate."""

    recipe: str
    cost: float
    loss: float
    passed: bool


class Plane(NamedTuple):
    """One plot: two metrics, and the recipes of which both are known."""

    cost: str
    loss: str
    points: tuple[Point, ...]

    @property
    def front(self) -> tuple[Point, ...]:
        """The points that no other beats in both metrics, from the cheapest upward."""
        return front(self.points, more=METRICS[self.cost].better == "more")


def planes(result: Result) -> list[Plane]:
    """Return the plots that a job's figures allow."""
    loss = _first(_LOSSES[result.source.task], result.recipes)
    if loss is None:
        return []
    found = []
    for names in _COSTS:
        cost = _first(names, result.recipes)
        points = _points(result.recipes, cost, loss) if cost else ()
        if cost and points:
            found.append(Plane(cost, loss, points))
    return found


def front(points: Iterable[Point], more: bool = False) -> tuple[Point, ...]:
    """Return the points that none other beats: at most the same in both, and better in one.

    Args:
        points: any number; a loss is better when it is less.
        more: whether a higher cost figure is the better one, as of tokens a second.
    """
    sign = -1.0 if more else 1.0
    every = list(points)
    kept = [
        p
        for p in every
        if not any(
            sign * q.cost <= sign * p.cost
            and q.loss <= p.loss
            and (q.cost, q.loss) != (p.cost, p.loss)
            for q in every
        )
    ]
    return tuple(sorted(kept, key=lambda p: (sign * p.cost, p.loss)))


def loss_of(metric: str, value: float) -> float:
    """Return lost quality, of which less is better: what a share lacks to 1, chrF to 100."""
    if METRICS[metric].better == "less":
        return value
    return 100.0 - value if metric == "chrf" else 1.0 - value


def alike(outcomes: Sequence[Outcome]) -> list[tuple[str, str]]:
    """Return the pairs of recipes whose intervals of kld (95 %) overlap, in order.

    Overlap says that the text was too short to tell them apart, not that they are equal.
    """
    known = [
        (one.recipe, low, high)
        for one in outcomes
        if (low := one.value("kld_low")) is not None and (high := one.value("kld_high")) is not None
    ]
    return [
        (a, b)
        for index, (a, low_a, high_a) in enumerate(known)
        for b, low_b, high_b in known[index + 1 :]
        if low_a <= high_b and low_b <= high_a
    ]


def _first(names: Iterable[str], outcomes: Sequence[Outcome]) -> str | None:
    return next((n for n in names if any(one.value(n) is not None for one in outcomes)), None)


def _points(outcomes: Sequence[Outcome], cost: str, loss: str) -> tuple[Point, ...]:
    return tuple(
        Point(one.recipe, x, loss_of(loss, y), bool(one.passed))
        for one in outcomes
        if (x := one.value(cost)) is not None and (y := one.value(loss)) is not None
    )
