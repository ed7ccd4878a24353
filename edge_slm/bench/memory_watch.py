"""The most memory that this process and all below it held together.

Two sums are kept: of resident sets (RSS), in which a page that two processes share counts twice,
so that it is an upper bound; and, on Linux, of proportional sets (PSS), in which it counts once.
RSS is read every few milliseconds. PSS costs more: it is read when the sum of RSS rises above its
peak, and four times a second. A peak shorter than the time between two readings is missed.
"""

import os
import threading
import time
from dataclasses import dataclass

from edge_slm.process_tree import descendants, proportional, resident

INTERVAL_S = 0.02
PSS_INTERVAL_S = 0.25
RISE = 1.01  # an RSS this many times its peak asks for a reading of PSS at once


@dataclass(frozen=True)
class Peak:
    """The highest sums, in bytes; `pss_bytes` is None where the system does not tell it.

    `processes` were there at the peak of RSS, this one included; `readings` is how often RSS was
    read.
    """

    rss_bytes: int
    pss_bytes: int | None
    processes: int
    readings: int


class MemoryWatch:
    """Watches from `with` to its end; `peak` may be read at any time."""

    def __init__(
        self, root: int | None = None, interval_s: float = INTERVAL_S, shared_once: bool = True
    ) -> None:
        """Watch the tree below `root`, itself included; this process by default.

        Without `shared_once`, PSS is not read, which costs a share of a core.
        """
        self._root = os.getpid() if root is None else root
        self._interval = interval_s
        self._shared_once = shared_once
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="memory-watch", daemon=True)
        self._rss, self._processes, self._readings = 0, 0, 0
        self._pss: int | None = None
        self._pss_read = 0.0

    def __enter__(self) -> "MemoryWatch":
        """Read once, then start to watch."""
        self._read()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Read once more, and stop."""
        self._end.set()
        self._thread.join()
        self._read()

    @property
    def peak(self) -> Peak:
        """The highest sums so far."""
        return Peak(self._rss, self._pss, self._processes, self._readings)

    def _watch(self) -> None:
        while not self._end.wait(self._interval):
            self._read()

    def _read(self) -> None:
        pids = [self._root, *descendants(self._root)]
        rss = sum(resident(pid) for pid in pids)
        self._readings += 1
        due = time.monotonic() - self._pss_read > PSS_INTERVAL_S
        risen = rss > self._rss * RISE  # a rise is read at once
        if self._shared_once and (due or risen):
            self._read_pss(pids)
        if rss > self._rss:
            self._rss, self._processes = rss, len(pids)

    def _read_pss(self, pids: list[int]) -> None:
        sums = [proportional(pid) for pid in pids]
        told = [size for size in sums if size is not None]
        if len(told) == len(sums):
            self._pss = max(self._pss or 0, sum(told))
        self._pss_read = time.monotonic()
