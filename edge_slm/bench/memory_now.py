"""The memory that some processes hold together, read once; memory_watch.py watches for the peak."""

from collections.abc import Sequence

from edge_slm.process_tree import proportional, resident


def memory_now(pids: Sequence[int]) -> int:
    """Return bytes: proportional sets where the system tells all of them, else resident sets.

    A page that two processes share counts once in the former, twice in the latter.
    """
    shares = [proportional(pid) for pid in pids]
    told = [share for share in shares if share is not None]
    return sum(told) if len(told) == len(shares) else sum(resident(pid) for pid in pids)
