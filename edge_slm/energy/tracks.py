"""One channel of a meter, followed from reading to reading.

A counter becomes joules by its differences, a gauge by the trapezoid between two readings. What is
doubtful is lost, with the fault that made it so: nothing is guessed, nothing is counted twice.
Neither clock nor file here.
"""

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import Literal, TypeGuard

from edge_slm.energy.gaps import Gaps
from edge_slm.energy.meter import Channel

Fault = Literal["unread", "reset", "jump", "wraps", "late", "stuck", "suspended", "backwards"]

# What a counter shows may be this much older than the moment of its reading. NVML's energy counter
# is the slowest to be brought up to date, about every 0.1 s (ML.ENERGY); RAPL's every 0.001 s.
LAG_S = 0.1
# A counter that rests so long while processors work is stuck.
STUCK_S = 1.0
STUCK_CPU_S = 0.5
# Coarse counters, such as a battery's, stand still between two steps: a processor that works draws
# at least this, so that after a step's worth of it the counter must have moved.
LEAST_BUSY_W = 1.0


@dataclass
class Record:
    """What all channels of a meter have lost, and why; faults by kind and name of the channel."""

    gaps: Gaps = field(default_factory=Gaps)
    faults: Counter[tuple[Fault, str]] = field(default_factory=Counter)


class CounterTrack:
    """A counter of joules.

    A counter that falls has wrapped when that is possible in the time, else it was set back. One
    set back from near its range passes for wrapped, by at most `most_w` x the time between the two
    readings.

    Attributes:
        joules: counted so far.
        since_s: moment up to which all is settled: counted or lost.
        wraps: how often it began anew at 0.
        breaks: how often it had to be taken up anew; each adds a step of uncertainty.
    """

    def __init__(self, channel: Channel, record: Record, at_s: float) -> None:
        """Follow a channel from a moment on."""
        self.channel = channel
        self.joules = 0.0
        self.since_s = at_s
        self.wraps = 0
        self.breaks = -1
        self._record = record
        self._last_j: float | None = None
        # Joules that it may have gained by now: grows with time, shrinks with what is counted. So
        # the joules of any stretch stay below `most_w` times its seconds, plus what lags behind. A
        # counter read twice as often as it can wrap must not lose that certainty to the lag.
        lag_j = min(channel.most_w * LAG_S, (channel.range_j or math.inf) / 4)
        self._lag_j = lag_j + channel.step_j
        self._allowed_j = self._lag_j
        self._moved_s = at_s
        self._moved_cpu_s: float | None = None
        self._stuck = False

    @property
    def doubtful_since_s(self) -> float:
        """The earliest moment that may yet be lost."""
        return min(self.since_s, self._moved_s)

    def take(self, at_s: float, value: float | None, busy_cpu_s: float | None) -> None:
        """Count up to `at_s`; a gap is bridged when the counter is sure to have gone on."""
        if not _usable(value):
            self._note("unread")
            return
        if self._last_j is None or not self._count(self._last_j, value, at_s):
            self._lose(at_s)
            self._moved_s, self._moved_cpu_s, self._stuck = at_s, busy_cpu_s, False
            self.breaks += 1
        self._last_j, self.since_s = value, at_s
        self._look_whether_stuck(at_s, busy_cpu_s)

    def forget(self, at_s: float) -> None:
        """Lose what is not settled: the machine slept, and the counter may have begun anew."""
        self._lose(at_s)
        self._last_j = None
        self._moved_s, self._stuck = at_s, False

    def _count(self, last_j: float, value: float, at_s: float) -> bool:
        """Count the step from the last reading; False when there is no telling what it was."""
        seconds = at_s - self.since_s
        self._allowed_j = min(self._allowed_j, self._lag_j) + self.channel.most_w * seconds
        gained_j = value - last_j
        if gained_j != 0 and self._stuck:
            return False  # begins again: since when, nobody knows
        wrapped = gained_j < 0
        range_j = self.channel.range_j
        if wrapped:
            if range_j is None or gained_j + range_j < 0:
                return self._refuse("reset")
            gained_j += range_j
        if gained_j > self._allowed_j:
            return self._refuse("reset" if wrapped else "jump")
        if range_j is not None and gained_j + range_j <= self._allowed_j:
            return self._refuse("wraps")
        if gained_j > 0:
            self._moved_s = at_s
            self._moved_cpu_s = None
        self._allowed_j -= gained_j
        self.joules += gained_j
        self.wraps += wrapped
        return True

    def _look_whether_stuck(self, at_s: float, busy_cpu_s: float | None) -> None:
        self._stuck = self._stuck or self._should_have_moved(at_s, busy_cpu_s)
        if self._stuck:
            self._note("stuck")
            self._record.gaps.add(self._moved_s, at_s)

    def _should_have_moved(self, at_s: float, busy_cpu_s: float | None) -> bool:
        if busy_cpu_s is None or self._moved_cpu_s is None or busy_cpu_s < self._moved_cpu_s:
            self._moved_s, self._moved_cpu_s = at_s, busy_cpu_s
            return False
        worked_s = busy_cpu_s - self._moved_cpu_s
        needed_s = max(STUCK_CPU_S, self.channel.step_j / LEAST_BUSY_W)
        return at_s - self._moved_s >= STUCK_S and worked_s >= needed_s

    def _refuse(self, fault: Fault) -> bool:
        self._note(fault)
        return False

    def _note(self, fault: Fault) -> None:
        self._record.faults[fault, self.channel.name] += 1

    def _lose(self, at_s: float) -> None:
        self._record.gaps.add(self.since_s, at_s)
        self.since_s = at_s


class GaugeTrack:
    """A gauge of watts; `joules` and `since_s` as of a counter."""

    wraps = 0
    breaks = 0

    def __init__(self, channel: Channel, record: Record, at_s: float, longest_s: float) -> None:
        """Follow a channel from a moment on, over no longer than `longest_s` at a time."""
        self.channel = channel
        self.joules = 0.0
        self.since_s = at_s
        self._record = record
        self._longest_s = longest_s
        self._last_w: float | None = None

    @property
    def doubtful_since_s(self) -> float:
        """The earliest moment that may yet be lost."""
        return self.since_s

    def take(self, at_s: float, value: float | None, busy_cpu_s: float | None) -> None:
        """Count up to `at_s` when both ends are known; lose it otherwise."""
        fault: Fault | None = None
        watts = value if _usable(value) else None
        if watts is None:
            fault = "unread"
        elif watts > self.channel.most_w:
            fault, watts = "jump", None
        elif self._last_w is not None and at_s - self.since_s > self._longest_s:
            fault, self._last_w = "late", None
        if fault:
            self._record.faults[fault, self.channel.name] += 1
        if watts is None or self._last_w is None:
            self._record.gaps.add(self.since_s, at_s)
        else:
            self.joules += (self._last_w + watts) / 2 * (at_s - self.since_s)
        self._last_w, self.since_s = watts, at_s

    def forget(self, at_s: float) -> None:
        """Lose what is not settled: the machine slept."""
        self._record.gaps.add(self.since_s, at_s)
        self.since_s = at_s


def _usable(value: float | None) -> TypeGuard[float]:
    return value is not None and math.isfinite(value) and value >= 0
