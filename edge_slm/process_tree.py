"""What a tree of processes holds and burns, cheap enough to be read often.

Knows nothing of engines. On Linux /proc is read directly, in tens of microseconds a process;
elsewhere psutil serves, which walks all processes of the machine. A process that ends while it is
read counts as nothing.
"""

import mmap
import os
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import psutil

_PROC = Path("/proc")
_LISTS_CHILDREN = any(_PROC.glob("self/task/*/children"))  # CONFIG_PROC_CHILDREN
_TELLS_RSS = (_PROC / "self/statm").exists()
_TELLS_PSS = (_PROC / "self/smaps_rollup").exists()
_GONE = (FileNotFoundError, ProcessLookupError)


def descendants(root: int) -> list[int]:
    """Return the process ids below `root`, children before grandchildren; without `root`."""
    if not _LISTS_CHILDREN:
        try:
            return [child.pid for child in psutil.Process(root).children(recursive=True)]
        except psutil.NoSuchProcess:
            return []
    below, new = [], _children(root)
    while new:
        below.extend(new)
        new = [child for parent in new for child in _children(parent)]
    return below


def _children(parent: int) -> list[int]:
    try:
        threads = list((_PROC / str(parent) / "task").iterdir())
    except _GONE:
        return []
    found: list[int] = []
    for thread in threads:
        try:
            found.extend(map(int, (thread / "children").read_text().split()))
        except _GONE:
            continue  # a thread that has ended; its children went to another
    return found


def alive(pids: Iterable[int]) -> list[int]:
    """Return those of `pids` that still run; one that ended and waits to be reaped does not."""
    return [pid for pid in pids if _runs(pid)]


def _runs(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def resident(pid: int) -> int:
    """Return the resident set of a process, in bytes; a page that two share counts in both."""
    if _TELLS_RSS:
        try:
            return int((_PROC / str(pid) / "statm").read_text().split()[1]) * mmap.PAGESIZE
        except _GONE:
            return 0
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.NoSuchProcess:
        return 0


def proportional(pid: int) -> int | None:
    """Return the proportional set of a process, in bytes: a page that n share counts 1/n in each.

    Linux walks the pages of the process for it, some milliseconds a gigabyte. None where the
    system does not tell.
    """
    if not _TELLS_PSS:
        return None
    try:
        lines = (_PROC / str(pid) / "smaps_rollup").read_text().splitlines()
    except _GONE:
        return 0
    except PermissionError:
        return None
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


def cpu_ns(pid: int) -> int | None:
    """Return the CPU time that all threads of a process have used, in nanoseconds.

    On Linux by the process's own CPU-time clock (clock_getcpuclockid(3): that of process p has the
    number (~p << 3) | 2), which counts what a running thread has used up to now; /proc/PID/stat
    counts in hundredths of a second. None when the process is gone.
    """
    if sys.platform == "linux":
        try:
            return time.clock_gettime_ns((~pid << 3) | 2)
        except OSError:
            return None
    try:
        times = psutil.Process(pid).cpu_times()
    except psutil.NoSuchProcess:
        return None
    return int((times.user + times.system) * 1e9)


def cpu_seconds() -> float:
    """Return the CPU time used so far by this process, what runs below it and what has ended, in s.

    A child that has ended and is not waited for yet counts as nothing.
    """
    ended = os.times()
    running = sum(cpu_ns(pid) or 0 for pid in descendants(os.getpid()))
    return time.process_time() + ended.children_user + ended.children_system + running / 1e9
