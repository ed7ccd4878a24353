"""The simulated meter follows its law, wraps, and leaves nothing behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_slm.bench.burner import burn
from edge_slm.bench.simulated_tree import INTERVAL_S, ZONE, Law, busy_ticks, late_seconds, simulated
from edge_slm.energy.cpu import busy_cpu_seconds
from edge_slm.energy.meter import Absent
from edge_slm.energy.meters import rapl
from edge_slm.process_tree import descendants
from tests.bench import lateness

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc/stat")

# The figures come up to 10 ms late, and later where the machine is busy.
NEAR = 0.15


def _until(true: Callable[[], bool]) -> bool:
    for _ in range(3000):
        if true():
            return True
        time.sleep(0.01)
    return False


def _read(root: Path) -> float:
    return int((root / ZONE / "energy_uj").read_text()) / 1e6


def test_the_joules_follow_the_law() -> None:
    law = Law(idle_w=20, watts_per_cpu_s=50)
    with simulated(law) as root:
        start, began, busy = _read(root), time.monotonic(), busy_cpu_seconds()
        burn(1.0)
        joules, seconds, after = _read(root) - start, time.monotonic() - began, busy_cpu_seconds()
        late_s = late_seconds(root)
    assert busy is not None
    assert after is not None
    lateness.needs(late_s)
    expected = law.idle_w * seconds + law.watts_per_cpu_s * (after - busy)
    assert joules == pytest.approx(expected, rel=NEAR)


def test_the_back_end_for_rapl_finds_it() -> None:
    with simulated(Law(range_j=1000.0)) as root:
        meter = rapl.find(root)
        assert not isinstance(meter, Absent)
        assert meter.read()[0] is not None
        assert meter.channels[0].range_j == pytest.approx(1000.0)
        assert busy_cpu_seconds(root) is not None


def test_the_counter_starts_anew_at_its_range() -> None:
    with simulated(Law(idle_w=1000.0, range_j=100.0)) as root:
        seen = [_read(root)]

        def wrapped() -> bool:
            seen.append(_read(root))
            return seen[-1] < seen[-2]

        assert _until(wrapped)
    assert min(seen) >= 0
    assert max(seen) < 100.0


def test_a_reader_always_finds_a_whole_number() -> None:
    with simulated(Law(idle_w=1e6)) as root:
        values = [(root / ZONE / "energy_uj").read_text() for _ in range(2000)]
    assert all(value.endswith("\n") and value.strip().isdigit() for value in values)


def test_it_tells_how_late_it_was() -> None:
    with simulated(Law()) as root:
        burn(0.2)
        assert late_seconds(root) >= INTERVAL_S


def test_process_and_folder_are_gone_after_the_block() -> None:
    before = set(descendants(os.getpid()))
    with simulated(Law()) as root:
        during = set(descendants(os.getpid()))
    assert during - before
    assert set(descendants(os.getpid())) == before
    assert not root.exists()


def test_the_process_ends_when_its_starter_is_killed(tmp_path: Path) -> None:
    program = """
import os, sys
from edge_slm.bench.simulated_tree import Law, simulated
from edge_slm.process_tree import descendants
from tests.bench import lateness
with simulated(Law()):
    print(*descendants(os.getpid()), flush=True)
    sys.stdin.read()
"""
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    command = [sys.executable, "-c", program]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
    ) as starter:
        assert starter.stdout
        pids = [int(pid) for pid in starter.stdout.readline().split()]
        starter.send_signal(signal.SIGKILL)
    assert pids
    assert _until(lambda: not any(_runs(pid) for pid in pids))


def _runs(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def test_a_process_that_does_not_start_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(OSError, match="did not start"), simulated(Law()):
        pass


def test_stolen_and_guest_time_is_not_this_machines() -> None:
    assert busy_ticks("cpu  1 20 300 4000 50000 600000 7000000 80000000 9 9") == 7600321


@given(st.lists(st.integers(0, 10**15), max_size=6))
def test_a_line_cut_short_is_refused(figures: list[int]) -> None:
    with pytest.raises(IndexError):
        busy_ticks("cpu " + " ".join(map(str, figures)))


@pytest.mark.parametrize("line", ["cpu a b c d e f g", "cpu 1 2 3 4 5 \ufffd 7"])
def test_a_line_that_is_no_numbers_is_refused(line: str) -> None:
    with pytest.raises(ValueError):
        busy_ticks(line)
