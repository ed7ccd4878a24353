"""How long the processes below this one go on computing after a moment: the price of a stop.

This process itself is left out: it does the measuring. Readings come every 5 ms; a tree that used
less than a twentieth of one core since the last reading counts as idle, so that a thread which
wakes to answer a ping is no work. The figure is late by one reading at most, never early.
"""

import os
import threading
import time

from edge_slm.process_tree import cpu_ns, descendants

INTERVAL_S = 0.005
QUIET_S = 0.1  # without work for this long, the tree has come to rest
BUSY_SHARE = 0.05  # of one core


class CpuWatch:
    """Watches from `with` to its end."""

    def __init__(self, root: int | None = None) -> None:
        """Watch what runs below `root`, without `root` itself; below this process by default."""
        self._root = os.getpid() if root is None else root
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="cpu-watch", daemon=True)
        self._read_at = self._busy_at = time.perf_counter()
        self._used: dict[int, int] = {}
        self.seen: set[int] = set()

    def __enter__(self) -> "CpuWatch":
        """Start to watch; `seen` gathers the process ids met."""
        self._read()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop watching."""
        self._end.set()
        self._thread.join()

    def seconds_until_idle(self, since: float, limit_s: float = 60.0) -> float | None:
        """Wait until nothing computes; return how long after `since` the last work was seen.

        Args:
            since: a moment of `time.perf_counter`, the asking for a stop.
            limit_s: give up after so many seconds and return None.
        """
        while True:
            read_at, busy_at = self._read_at, self._busy_at
            if read_at - max(busy_at, since) >= QUIET_S:
                return max(0.0, busy_at - since)
            if time.perf_counter() - since > limit_s:
                return None
            time.sleep(INTERVAL_S)

    def _watch(self) -> None:
        while not self._end.wait(INTERVAL_S):
            self._read()

    def _read(self) -> None:
        pids = descendants(self._root)
        now = time.perf_counter()
        used = {pid: ns for pid in pids if (ns := cpu_ns(pid)) is not None}
        # What a process used before it was first met cannot be dated: it counts as work now.
        grown = sum(ns - self._used.get(pid, 0) for pid, ns in used.items())
        if grown > BUSY_SHARE * 1e9 * (now - self._read_at):
            self._busy_at = now
        self._used, self._read_at = used, now
        self.seen.update(pids)
