"""CPU time of this program and of all that it started."""

import contextlib

import psutil


def cpu_seconds() -> float:
    """Return the CPU time used so far by this process, its workers and those that have ended, in s.

    A worker that is neither running nor waited for yet counts as nothing.
    """
    own = psutil.Process()
    times = own.cpu_times()
    total = times.user + times.system
    total += getattr(times, "children_user", 0.0) + getattr(times, "children_system", 0.0)
    for child in own.children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            spent = child.cpu_times()
            total += spent.user + spent.system
    return float(total)
