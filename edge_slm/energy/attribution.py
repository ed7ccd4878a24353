"""Of the joules that a machine spent, those of this program: above the idle machine, by CPU time.

    dynamic = gross - idle watts x seconds
    ours    = dynamic x own CPU time / (own + others' CPU time)

as Scaphandre and Kepler share a package's energy among processes, with the idle machine taken off
first. Three things are uncertain, and the interval holds them all: the sensor (steps, error), the
idle machine (its spread), and what a second of CPU time costs: vector code draws more than a busy
wait, so that a foreign CPU-second may have cost half or twice ours. Knows no meter and no clock.
"""

from dataclasses import dataclass

# How much dearer or cheaper a CPU-second of other programs may have been than one of ours.
FOREIGN = 2.0


@dataclass(frozen=True)
class Interval:
    """What was read over a stretch of time.

    Attributes:
        seconds: its length.
        own_cpu_s: CPU time of this program and its workers.
        busy_cpu_s: CPU time of all programs of the machine; None where nothing tells.
        busy_step_s: steps in which that is counted, all processors together.
        gross_j: joules that the meter counted; None without a meter.
        error_j: joules that the meter may be off by.
        missing_s: seconds of the stretch that the meter did not see.
    """

    seconds: float
    own_cpu_s: float
    busy_cpu_s: float | None = None
    busy_step_s: float = 0.0
    gross_j: float | None = None
    error_j: float = 0.0
    missing_s: float = 0.0


@dataclass(frozen=True)
class Idle:
    """What the idle machine draws, as one meter sees it.

    Attributes:
        watts: the mean.
        spread_w: how far the truth may lie from it.
        busy_share: CPU-seconds a second that programs used meanwhile, all processors together.
    """

    watts: float
    spread_w: float
    busy_share: float


@dataclass(frozen=True)
class Joules:
    """Joules of this program: the best figure, and the interval that holds the truth."""

    joules: float
    low: float
    high: float


def attribute(interval: Interval, idle: Idle | None) -> Joules | None:
    """Return this program's joules of an interval; None when its meter saw too little of it.

    Args:
        interval: what was read.
        idle: the idle machine; None where it is not known: then nothing is taken off, and the
            interval goes down to 0.
    """
    seen = interval.seconds - interval.missing_s
    if interval.gross_j is None or seen <= 0 or seen < interval.seconds / 2:
        return None
    dynamic = _above_idle(interval.gross_j, interval.error_j, seen, idle)
    share = _share(interval, idle)
    scale = interval.seconds / seen  # unseen time as the rest; it may also have cost nothing
    low, high = dynamic.low * share.low, dynamic.high * share.high * scale
    joules = dynamic.joules * share.joules * scale
    if joules == 0 and interval.own_cpu_s > 0:
        # Less than the sensor tells from the idle machine; work that cost nothing there is none.
        return Joules((low + high) / 2, low, high) if high > 0 else None
    return Joules(joules, low, high)


def _above_idle(gross: float, error: float, seconds: float, idle: Idle | None) -> Joules:
    if idle is None:
        return Joules(gross, 0.0, gross + error)
    least, most = max(0.0, idle.watts - idle.spread_w), idle.watts + idle.spread_w
    return Joules(
        max(0.0, gross - idle.watts * seconds),
        max(0.0, gross - error - most * seconds),
        max(0.0, gross + error - least * seconds),
    )


def _share(interval: Interval, idle: Idle | None) -> Joules:
    """Return our share of the CPU time, 0 to 1; what ran while idle was measured is idle."""
    own = interval.own_cpu_s
    if own <= 0:
        return Joules(0.0, 0.0, 0.0)
    if interval.busy_cpu_s is None:
        return Joules(1.0, 0.0, 1.0)
    usual = idle.busy_share * interval.seconds if idle else 0.0
    others = max(0.0, interval.busy_cpu_s - own - usual)
    most = max(0.0, interval.busy_cpu_s + interval.busy_step_s - own)
    least = max(0.0, others - interval.busy_step_s)
    return Joules(
        own / (own + others),
        own / (own + most * FOREIGN),
        own / (own + least / FOREIGN),
    )
