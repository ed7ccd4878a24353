"""Readings of a meter into joules since the start, and two such tallies into what lies between.

Pure: no clock and no file of its own. Not safe for several threads at once: whoever feeds it holds
a lock. It knows nothing of idle power or of programs. Tests: tests/energy/test_counting.py.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from edge_slm.energy.meter import Channel
from edge_slm.energy.tracks import CounterTrack, Fault, GaugeTrack, Record
from edge_slm.i18n import t

# Clocks that differ by more over one interval: the machine slept (CLOCK_BOOTTIME goes on then,
# CLOCK_MONOTONIC does not: clock_gettime(2)).
SUSPEND_S = 1.0

_SENTENCES: dict[Fault, tuple[str, str]] = {
    "unread": ("{name} could not be read.", "{name} n'a pas pu être lu."),
    "reset": ("{name} began anew at 0.", "{name} est reparti de 0."),
    "jump": (
        "{name} showed more than the sensor can.",
        "{name} a montré plus que le capteur ne peut.",
    ),
    "wraps": (
        "{name} was not read for so long that it may have wrapped twice.",
        "{name} est resté si longtemps sans lecture qu'il a pu reboucler deux fois.",
    ),
    "late": (
        "{name} was not read for too long.",
        "{name} est resté trop longtemps sans lecture.",
    ),
    "stuck": (
        "{name} stood still although the processor worked.",
        "{name} n'a pas bougé alors que le processeur travaillait.",
    ),
    "suspended": (
        "The machine slept in the middle of the measurement.",
        "La machine s'est mise en veille pendant la mesure.",
    ),
    "backwards": ("The clock went back.", "L'horloge est revenue en arrière."),
}


@dataclass(frozen=True)
class Tally:
    """What a count has come to; of use in `between`.

    Attributes:
        at_s: monotonic seconds of the last reading; None before the first.
        joules: of all channels since the first reading, where they were covered.
        missing_s: seconds since then that not all channels cover, or do not cover yet.
        error_j: joules that the sensors may be off by since the first reading, and the steps of
            the counters, once for each time that one had to be taken up anew.
        step_j: joules of one step of every counter: how far the ends of a difference may be off.
        faults: sentences, in the order in which they first happened.
        fault_counts: how often each happened.
        wraps: how often a counter began anew at 0 because it was full.
        start_s: monotonic seconds of the first reading; None before it.
    """

    at_s: float | None = None
    joules: float = 0.0
    missing_s: float = 0.0
    error_j: float = 0.0
    step_j: float = 0.0
    faults: tuple[str, ...] = ()
    fault_counts: tuple[int, ...] = ()
    wraps: int = 0
    start_s: float | None = None


@dataclass(frozen=True)
class Spent:
    """What lies between two tallies: `joules` cover `seconds` - `missing_s` seconds.

    Attributes:
        seconds: of the monotonic clock, between the last readings of both.
        joules: spent, where it was covered; never less than 0.
        missing_s: seconds that not all channels cover, at most `seconds`. Less than 0 when a
            counter bridged a gap that was open at the first tally: the joules then hold those of
            the gap before it.
        error_j: joules that the meter may be off by.
        faults: sentences on what happened in between.
    """

    seconds: float
    joules: float
    missing_s: float
    error_j: float
    faults: tuple[str, ...] = ()


class Count:
    """Joules of the channels of one meter, from its readings."""

    def __init__(self, channels: Sequence[Channel], *, longest_s: float = math.inf) -> None:
        """Start at nothing.

        Args:
            channels: of the meter.
            longest_s: seconds over which a gauge is integrated at most; a longer wait is missing.
        """
        self._channels = tuple(channels)
        self._longest_s = longest_s
        self._record = Record()
        self._tracks: list[CounterTrack | GaugeTrack] = []
        self._start_s: float | None = None
        self._at_s = 0.0
        self._boot_s: float | None = None

    def add(
        self,
        at_s: float,
        values: Sequence[float | None],
        *,
        boot_s: float | None = None,
        busy_cpu_s: float | None = None,
    ) -> None:
        """Take in one reading; one that is not later than the last is dropped.

        Args:
            at_s: when, in seconds of a monotonic clock.
            values: what `Meter.read` gave, one a channel, in joules or watts.
            boot_s: the same moment in seconds since the machine started, sleep included; None
                where no clock tells, and a sleep is not noticed.
            busy_cpu_s: CPU time of the whole machine so far; None where it is not known, and a
                counter that is stuck is taken for a machine that rests.
        Raises:
            ValueError: not one value a channel.
        """
        if len(values) != len(self._channels):
            raise ValueError(f"{len(values)} values for {len(self._channels)} channels")
        if self._start_s is None:
            self._start_s = at_s
            self._tracks = [self._track(channel, at_s) for channel in self._channels]
        elif at_s <= self._at_s:
            if at_s < self._at_s:
                self._record.faults["backwards", ""] += 1
            return
        elif self._slept(at_s, boot_s):
            self._record.faults["suspended", ""] += 1
            for track in self._tracks:
                track.forget(at_s)
        for track, value in zip(self._tracks, values, strict=True):
            track.take(at_s, value, busy_cpu_s)
        self._at_s, self._boot_s = at_s, boot_s
        self._record.gaps.close(min((k.doubtful_since_s for k in self._tracks), default=at_s))

    def tally(self) -> Tally:
        """Return what the count has come to at its last reading."""
        if self._start_s is None:
            return Tally()
        tracks = self._tracks
        steps = [track.channel.step_j for track in tracks]
        sensors_j = sum(track.channel.error * track.joules for track in tracks)
        breaks_j = sum(
            step * max(0, track.breaks) for step, track in zip(steps, tracks, strict=True)
        )
        return Tally(
            at_s=self._at_s,
            joules=sum(track.joules for track in tracks),
            missing_s=self._record.gaps.seconds([(k.since_s, self._at_s) for k in tracks]),
            error_j=sensors_j + breaks_j,
            step_j=sum(steps),
            faults=tuple(_sentence(*fault) for fault in self._record.faults),
            fault_counts=tuple(self._record.faults.values()),
            wraps=sum(track.wraps for track in tracks),
            start_s=self._start_s,
        )

    def _track(self, channel: Channel, at_s: float) -> CounterTrack | GaugeTrack:
        if channel.kind == "energy":
            return CounterTrack(channel, self._record, at_s)
        return GaugeTrack(channel, self._record, at_s, self._longest_s)

    def _slept(self, at_s: float, boot_s: float | None) -> bool:
        if boot_s is None or self._boot_s is None:
            return False
        return (boot_s - self._boot_s) - (at_s - self._at_s) > SUSPEND_S


def between(a: Tally, b: Tally) -> Spent:
    """Return what was spent from tally `a` to the later tally `b` of the same count."""
    start_s = b.start_s if a.at_s is None else a.at_s
    if b.at_s is None or start_s is None:
        return Spent(0.0, 0.0, 0.0, 0.0)
    seconds = b.at_s - start_s
    before = dict(zip(a.faults, a.fault_counts, strict=True))
    faults = zip(b.faults, b.fault_counts, strict=True)
    return Spent(
        seconds=seconds,
        joules=b.joules - a.joules,
        missing_s=min(seconds, b.missing_s - a.missing_s),
        error_j=max(0.0, b.error_j - a.error_j) + b.step_j,
        faults=tuple(fault for fault, count in faults if count > before.get(fault, 0)),
    )


def _sentence(fault: Fault, name: str) -> str:
    return t(*_SENTENCES[fault], name=name)
