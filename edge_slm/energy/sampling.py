"""A meter read as often as it must be: on demand, and by a thread while something is measured."""

import threading
import time
from collections.abc import Callable

from edge_slm.energy.counting import Count, Tally
from edge_slm.energy.meter import Meter

LATE = 10  # intervals after which what a gauge has not seen is missing
BusyClock = Callable[[], float | None]


class Sampler:
    """Counts the joules of one meter; may be read from any thread.

    Between `start` and `stop` a thread reads it every `interval_s`, so that no counter wraps unseen
    and watts become joules.
    """

    def __init__(self, meter: Meter, busy_cpu_seconds: BusyClock = lambda: None) -> None:
        """Read nothing yet.

        Args:
            meter: what to read.
            busy_cpu_seconds: CPU time of the whole machine, in s, which tells a counter that is
                stuck from a machine that rests.
        """
        self.meter = meter
        self._busy = busy_cpu_seconds
        self._lock = threading.Lock()
        self._count = self._new()
        self._end: threading.Event | None = None

    def start(self) -> None:
        """Count anew from 0, and read every `interval_s` until `stop`."""
        with self._lock:
            self._count = self._new()
        self._end = end = threading.Event()
        threading.Thread(target=self._watch, args=(end,), name="energy-meter", daemon=True).start()

    def stop(self) -> None:
        """Let the thread end; it is not waited for."""
        if self._end:
            self._end.set()

    def read(self) -> Tally:
        """Read the meter now, and return what it has counted since the start."""
        with self._lock:
            busy = self._busy()
            values = self.meter.read()
            self._count.add(time.monotonic(), values, boot_s=_since_boot(), busy_cpu_s=busy)
            return self._count.tally()

    def _new(self) -> Count:
        # A gauge is not drawn straight over a pause of the program.
        return Count(self.meter.channels, longest_s=LATE * self.meter.interval_s)

    def _watch(self, end: threading.Event) -> None:
        while not end.wait(self.meter.interval_s):
            self.read()


def _since_boot() -> float | None:
    """Return the seconds since the machine started, sleep included; None where nothing tells."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.clock_gettime(clock) if clock is not None else None
