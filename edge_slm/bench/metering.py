"""How good the energy accounting is: its ratios to a known truth, and what it takes.

The truth comes from a simulated machine (simulated_tree.py), whose joules follow its processors by
a known law: the ratios hold for the accounting, on any machine, and say nothing of how well a real
sensor measures. No joule of it is given as this machine's. Real processors draw more for some
instructions than for others; the law does not, so that sharing by CPU time is exact here and is
not there (attribution.FOREIGN bounds it).
"""

import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_slm.bench.burner import Burner
from edge_slm.bench.conditions import conditions, reading
from edge_slm.bench.lines import line
from edge_slm.bench.measure import interval
from edge_slm.bench.metering_apart import Load, Order, known_joules, loads
from edge_slm.bench.overhead_apart import Order as OverheadOrder
from edge_slm.bench.overhead_apart import Overhead, Write, home_with_models, overhead
from edge_slm.bench.record import Case
from edge_slm.bench.simulated_tree import Law, late_seconds, simulated
from edge_slm.errors import MissingError
from edge_slm.i18n import t

SUITE = "metering"
# Goals of the accounting: one program alone, two that share the machine, and what metering takes.
ALONE, SHARED, OVERHEAD = 0.03, 0.10, 0.01
FOREIGN_CPU_S = 1e6  # the foreign program burns until it is ended

Advance = Callable[[int], object]


@dataclass(frozen=True)
class Plan:
    """How much to run.

    Attributes:
        repeats: accounts of each load.
        cpu_s: CPU-seconds of one account.
        pairs: of runs of the model, with and without an account.
        tokens: written in one such run.
        hold_s: seconds for which an account is kept open.
        model: id of a chat model; None for the smallest that is installed.
    """

    repeats: int = 7
    cpu_s: float = 2.0
    pairs: int = 60
    tokens: int = 32
    hold_s: float = 5.0
    model: str | None = None


QUICK = Plan(repeats=5, cpu_s=1.0, pairs=6, tokens=16, hold_s=1.0)


LAW = Law()


@dataclass(frozen=True)
class _Setting:
    name: str
    threads: int = 1
    ends: bool = False
    foreign: int = 0  # threads of a program that is none of ours
    goal: float = ALONE
    law: Law = LAW


SETTINGS = (
    _Setting("one thread"),
    _Setting("two threads", threads=2),
    _Setting("a worker that ends", ends=True),
    # Two busy processors draw 600 W: the counter starts anew every 3.3 s.
    _Setting("a counter that wraps", law=Law(100.0, 250.0, range_j=2000.0)),
    _Setting("beside another program", foreign=1, goal=SHARED),
    _Setting("beside a busier program", foreign=2, goal=SHARED),
)
STEPS = len(SETTINGS) + 2


def metering(plan: Plan, advance: Advance = lambda _: None) -> Iterator[Case]:
    """Yield the lines of the suite.

    Each holds in `more` the goal, the figure that the goal is about, and whether it is met; and
    the longest time for which the simulated meter stood still, which explains single bills that
    are far off, and none of the medians.

    Args:
        plan: how much to run.
        advance: called with 1 after each of `STEPS` parts.
    Raises:
        MissingError: nothing tells the machine's busy time here, or no chat model is installed.
    """
    if not sys.platform.startswith("linux"):
        raise MissingError(
            t(
                "The suite “metering” needs Linux, whose /proc/stat the simulated meter follows.",
                "La suite « metering » demande Linux, dont le compteur simulé suit /proc/stat.",
            )
        )
    for setting in SETTINGS:
        yield attribution_case(setting, plan)
        advance(1)
    model = plan.model or smallest_chat_model()
    for simulate in (False, True):
        yield overhead_case(model, plan, simulate=simulate)
        advance(1)


def attribution_case(setting: _Setting, plan: Plan) -> Case:
    """Return the line of one load whose truth is known."""
    before = reading()
    with ExitStack() as stack:
        root = stack.enter_context(simulated(setting.law))
        home = stack.enter_context(tempfile.TemporaryDirectory())
        if setting.foreign:
            # Started here, it is no descendant of the program that is billed.
            stack.enter_context(Burner(setting.foreign)).begin(FOREIGN_CPU_S)
        found = loads(
            Order(
                root=str(root),
                home=home,
                idle_w=setting.law.idle_w,
                cpu_s=plan.cpu_s,
                threads=setting.threads,
                ends=setting.ends,
                repeats=plan.repeats,
            )
        )
        late_s = late_seconds(root)
    return line(
        SUITE,
        setting.name,
        seconds=statistics.median(load.seconds for load in found),
        cpu_seconds=statistics.median(load.known_cpu_s for load in found),
        repeats=len(found),
        conditions=conditions(before, reading()),
        more={**ratios(found, setting.law, setting.goal), "instrument_late_s": late_s},
    )


def ratios(found: Sequence[Load], law: Law, goal: float) -> dict[str, Any]:
    """Return how the bills compare with the truth.

    Args:
        found: accounts whose CPU-seconds are known.
        law: what they cost.
        goal: how far the median ratio of the joules may lie from 1.
    Returns:
        `cpu_ratio` and `joules_ratio` (billed over known) with the interval of the median, the
        ratio that lies furthest from 1, how many of the bills' own intervals hold the truth, how
        many bills were measured, and whether the goal is met.
    """
    cpu = [(load.energy.cpu_seconds or 0.0) / load.known_cpu_s for load in found]
    measured = [load for load in found if load.energy.method == "rapl"]
    row: dict[str, Any] = {"simulated": True, "measured": len(measured), "goal": goal}
    row |= _ratio("cpu_ratio", cpu)
    pairs = [(load.energy, known_joules(load, law)) for load in measured]
    joules = [(energy.joules or 0.0) / known for energy, known in pairs]
    if joules:
        row |= _ratio("joules_ratio", joules)
        row["furthest"] = round(1 + max((ratio - 1 for ratio in joules), key=abs), 4)
    row["held"] = sum((e.low or 0.0) <= known <= (e.high or 0.0) for e, known in pairs)
    near = [_distance(statistics.median(values)) <= goal for values in (cpu, joules) if values]
    row["met"] = len(measured) == len(found) and all(near)
    return row


def _distance(ratio: float) -> float:
    return abs(ratio - 1)


def _ratio(name: str, values: Sequence[float]) -> dict[str, Any]:
    found = interval(values)
    return {
        name: round(found.median, 4),
        f"{name}_low": None if found.low is None else round(found.low, 4),
        f"{name}_high": None if found.high is None else round(found.high, 4),
    }


def overhead_case(model: str, plan: Plan, *, simulate: bool) -> Case:
    """Return the line of what metering takes from a model's speed.

    Args:
        model: id of a chat model.
        plan: how much to run.
        simulate: read a simulated RAPL meter; else this machine's own, or the estimate.
    """
    before = reading()
    asked: dict[str, Any] = {
        "model": model,
        "pairs": plan.pairs,
        "tokens": plan.tokens,
        "hold_s": plan.hold_s,
    }
    with ExitStack() as stack:
        if simulate:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            asked["root"] = str(stack.enter_context(simulated(LAW)))
            asked["home"] = str(home_with_models(folder))
            asked["idle_w"] = LAW.idle_w
        found = overhead(OverheadOrder(**asked))
    return line(
        SUITE,
        "overhead, simulated meter" if simulate else "overhead",
        model=model,
        seconds=statistics.median(run.seconds for run in found.paid),
        cpu_seconds=statistics.median(run.cpu_s for run in found.paid),
        repeats=len(found.paid),
        tokens=found.paid[0].tokens,
        tokens_per_s=statistics.median(_speed(run) for run in found.paid),
        conditions=conditions(before, reading()),
        more={"simulated": simulate, **prices(found)},
    )


def prices(found: Overhead) -> dict[str, Any]:
    """Return what metering took.

    Returns:
        `speed_ratio`: tokens a second with an account over without, pair by pair, with the interval
        of the median; `cpu_ratio`: the same of CPU-seconds a token; `price`: the CPU time of the
        account itself over that of a run, which other programs hardly disturb. The goal is met
        when `price` is within it, and no speed below it is shown by the pairs: the upper end of
        the interval reaches 1 - goal.
    """
    pairs = list(zip(found.plain, found.paid, strict=True))
    row: dict[str, Any] = {"meter": found.meter, "goal": OVERHEAD}
    row |= _ratio("speed_ratio", [_speed(paid) / _speed(plain) for plain, paid in pairs])
    row |= _ratio("cpu_ratio", [_cpu(paid) / _cpu(plain) for plain, paid in pairs])
    seconds = statistics.median(run.seconds for run in found.plain)
    cpu_s = statistics.median(run.cpu_s for run in found.plain)
    price = (found.open_close_us / 1e6 + found.held_share * seconds) / cpu_s
    best = row["speed_ratio_high"] or row["speed_ratio"]
    return {
        **row,
        "open_close_us": round(found.open_close_us, 1),
        "held_share": round(found.held_share, 6),
        "price": round(price, 6),
        "met": price <= OVERHEAD and best >= 1 - OVERHEAD,
    }


def _speed(run: Write) -> float:
    return run.tokens / run.seconds


def _cpu(run: Write) -> float:
    return run.cpu_s / run.tokens


def smallest_chat_model() -> str:
    """Return the smallest chat model that is installed.

    Raises:
        MissingError: there is none.
    """
    from edge_slm.cards import get_card
    from edge_slm.engines.loaded import Engines

    engines = Engines()
    try:
        models = engines.chat_models()
    finally:
        engines.close()
    if not models:
        raise MissingError(
            t(
                "No chat model is on this machine: run edge-slm models pull lite.",
                "Aucun modèle de dialogue sur cette machine : lancez edge-slm models pull lite.",
            )
        )
    return min(models, key=lambda model: get_card(model).size)
