"""What all external meters share: the last figure heard, and how old it may be."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from edge_slm.answer import Method
from edge_slm.energy.meter import Channel, Scope


class Heard:
    """The last figure of a source, from whichever thread; none once it is too old."""

    def __init__(self, stale_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        """Wait for a figure; one is good for `stale_s` seconds."""
        self._stale_s = stale_s
        self._clock = clock
        self._last: tuple[float, float] | None = None
        self._first = threading.Event()

    def put(self, value: float, age_s: float = 0.0) -> None:
        """Keep a figure, in joules or watts, that is `age_s` seconds old."""
        self._last = (self._clock() - age_s, value)  # one assignment: no lock is needed
        self._first.set()

    def value(self) -> float | None:
        """Return the figure; None where there is none, or the last is too old."""
        last = self._last
        if last is None or self._clock() - last[0] > self._stale_s:
            return None
        return last[1]

    def wait(self, seconds: float) -> bool:
        """Wait for the first figure; return whether there ever was one."""
        return self._first.wait(seconds)


@dataclass(frozen=True)
class ExternalMeter:
    """An instrument outside the machine, or another program's log.

    Attributes:
        name: for people; no password in it.
        scope: what it covers.
        channel: its one figure.
        interval_s: how often it gives one.
        take: returns the figure, or None; never waits long, never raises.
        shut: lets the source go.
    """

    name: str
    scope: Scope
    channel: Channel
    interval_s: float
    take: Callable[[], float | None]
    shut: Callable[[], None]
    method: Method = field(default="meter", init=False)

    @property
    def channels(self) -> Sequence[Channel]:
        """Return the one channel."""
        return (self.channel,)

    def read(self) -> Sequence[float | None]:
        """Return the figure, in joules or watts; None where there is none that is fresh."""
        return (self.take(),)

    def close(self) -> None:
        """Let the source go."""
        self.shut()
