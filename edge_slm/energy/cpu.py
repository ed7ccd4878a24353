"""Processor time: this program's, and the whole machine's."""

import os
from pathlib import Path

import psutil

# Linux counts in these; proc_stat(5).
TICK_S = 1 / os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 0.0156
# Fields of the line “cpu”: user nice system idle iowait irq softirq steal guest guest_nice.
# The time of a guest is in user already; stolen time was spent by another machine.
_BUSY_FIELDS = (0, 1, 2, 5, 6)


def busy_cpu_seconds(root: Path = Path("/")) -> float | None:
    """Return the CPU time that all processes of the machine have used since it started, in s.

    Args:
        root: the system root, whose `proc/stat` is read.
    Returns:
        seconds, in steps of `TICK_S` a processor; None where nothing tells them.
    """
    try:
        words = (root / "proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()
        return sum(int(words[1 + field]) for field in _BUSY_FIELDS) * TICK_S
    except (OSError, ValueError, IndexError):
        pass
    if root != Path("/"):
        return None
    times = psutil.cpu_times()
    return float(times.user + times.system)


def processors() -> int:
    """Return how many processors the machine counts."""
    return os.cpu_count() or 1
