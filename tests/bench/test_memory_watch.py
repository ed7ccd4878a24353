"""The peak of a tree's memory."""

import os
import subprocess
import sys
import time

import pytest

from edge_slm import process_tree as tree
from edge_slm.bench.memory_watch import MemoryWatch

HELD = 150_000_000
HOLD = f"""
held = b"x" * {HELD}
print("held", flush=True)
input()
"""


def _hold(watch: MemoryWatch) -> None:
    """Hold memory in a child until it was read a few times, then give it back."""
    command = [sys.executable, "-c", HOLD]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout and process.stdin
        process.stdout.readline()
        before = watch.peak.readings
        while watch.peak.readings < before + 3:
            time.sleep(0.01)
        process.stdin.write(b"\n")


def test_the_peak_stays_when_the_memory_is_given_back() -> None:
    with MemoryWatch() as watch:
        start = watch.peak
        _hold(watch)
    assert start.processes == 1
    assert watch.peak.processes == 2
    assert watch.peak.rss_bytes >= start.rss_bytes + HELD
    assert tree.resident(os.getpid()) < watch.peak.rss_bytes - HELD


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells shares")
def test_shared_pages_count_once_in_the_proportional_sum() -> None:
    with MemoryWatch() as watch:
        _hold(watch)
    pss = watch.peak.pss_bytes
    assert pss is not None
    assert HELD < pss < 1.01 * watch.peak.rss_bytes


def test_a_system_that_tells_no_shares(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree, "_TELLS_PSS", False)
    with MemoryWatch() as watch:
        pass
    assert watch.peak.pss_bytes is None
    assert watch.peak.rss_bytes > 0


def test_a_root_that_ended_holds_nothing() -> None:
    with subprocess.Popen([sys.executable, "-c", "pass"]) as process:
        pass
    with MemoryWatch(process.pid) as watch:
        pass
    assert watch.peak.rss_bytes == 0
