"""What changes in a long run of the same requests: memory, speed, failures, restarts.

Pure: it is handed what was seen. Quarters are of whole rounds of the mix, so that each holds the
same requests; the first is when caches fill and models load, and nothing is judged by it alone.
"""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

# Rounds that a quarter must have before memory is judged: fewer have no median worth the name.
LEAST_ROUNDS = 5
LEVELLING = 0.5  # growth that at least halves from one quarter to the next is levelling off


@dataclass(frozen=True)
class Asked:
    """One request of the run.

    Attributes:
        name: which of the mix.
        at_s: when it was answered, from the beginning.
        seconds, cpu_s: what it took, all processes together.
        memory: bytes that all processes held after it.
        tokens: written; `writing_s` is the time from the first to the last.
        failure: why it failed; None where it did not.
    """

    name: str
    at_s: float
    seconds: float
    cpu_s: float
    memory: int
    tokens: int = 0
    writing_s: float = 0.0
    failure: str | None = None


@dataclass(frozen=True)
class Drift:
    """What changed from the beginning to the end; None where the run was too short to tell.

    Attributes:
        growth_bytes: of memory per 100 requests, from the second quarter to the last.
        endless: whether memory grows without bound (see `grows_without_bound`).
        speed: seconds of a request in the first quarter over those in the last: below 1, it has
            become slower. The median of the mix's requests.
        cpu: CPU-seconds of a request in the last quarter over those in the first.
    """

    growth_bytes: float | None = None
    endless: bool | None = None
    speed: float | None = None
    cpu: float | None = None


def drift(asked: Sequence[Asked], mix: int) -> Drift:
    """Return the drift of a run.

    Args:
        asked: its requests, in order.
        mix: how many make a round.
    """
    rounds = [asked[start : start + mix] for start in range(0, len(asked) - mix + 1, mix)]
    size = len(rounds) // 4
    if size < 1:
        return Drift()
    # Rounds that are left over lie at the beginning, when models load.
    quarters = [rounds[len(rounds) - size * back :][:size] for back in (4, 3, 2, 1)]
    memory = [[part[-1].memory for part in quarter] for quarter in quarters]
    second, last = statistics.median(memory[1]), statistics.median(memory[3])
    return Drift(
        growth_bytes=(last - second) / (2 * size * mix) * 100,
        endless=grows_without_bound(memory) if size >= LEAST_ROUNDS else None,
        speed=_change(quarters[0], quarters[3], "seconds"),
        cpu=_change(quarters[3], quarters[0], "cpu_s"),
    )


def grows_without_bound(quarters: Sequence[Sequence[float]]) -> bool:
    """Return whether memory grows without bound.

    It does when the medians of the last three quarters rise, by more in all than the widest spread
    within one of them, and the last rise is more than half the one before: what levels off, as
    caches do when they are full, rises by less and less.

    Args:
        quarters: bytes after each round, for each quarter of the run.
    """
    later = quarters[1:]
    second, third, last = (statistics.median(quarter) for quarter in later)
    spread = max(max(quarter) - min(quarter) for quarter in later)
    rises = second < third < last
    return rises and last - second > spread and last - third > LEVELLING * (third - second)


Rounds = Sequence[Sequence[Asked]]


def _change(over: Rounds, under: Rounds, figure: str) -> float | None:
    """Return the median, of the mix's requests, of a figure in one quarter over that in another."""
    tops, bottoms = _medians(over, figure), _medians(under, figure)
    ratios = [tops[name] / bottoms[name] for name in tops if bottoms.get(name)]
    return statistics.median(ratios) if ratios else None


def _medians(rounds: Rounds, figure: str) -> dict[str, float]:
    found: dict[str, list[float]] = {}
    for request in (request for part in rounds for request in part if request.failure is None):
        found.setdefault(request.name, []).append(getattr(request, figure))
    return {name: statistics.median(values) for name, values in found.items()}
