"""How long a tree goes on computing."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from edge_slm.bench.runtime.cpu_watch import CpuWatch

# Works for so many seconds of CPU at each line that it reads.
WORKER = """
import sys, time
print("ready", flush=True)
for line in sys.stdin:
    end = time.process_time() + float(line)
    while time.process_time() < end: pass
"""


@contextmanager
def _worker() -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", WORKER]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        process.stdout.readline()
        try:
            yield process
        finally:
            process.kill()


def _work(process: subprocess.Popen[str], seconds: float) -> float:
    assert process.stdin
    begin = time.perf_counter()
    process.stdin.write(f"{seconds}\n")
    process.stdin.flush()
    return begin


def test_work_after_a_moment_is_counted_to_its_end() -> None:
    with _worker() as process, CpuWatch() as watch:
        begin = _work(process, 0.3)
        seconds = watch.seconds_until_idle(begin)
    assert seconds is not None
    assert seconds >= 0.29
    assert process.pid in watch.seen


def test_a_tree_at_rest_is_idle_at_once() -> None:
    with _worker(), CpuWatch() as watch:
        assert watch.seconds_until_idle(time.perf_counter()) is not None  # its start is over
        assert watch.seconds_until_idle(time.perf_counter()) == 0.0


def test_the_measuring_process_itself_does_not_count() -> None:
    with CpuWatch() as watch:
        end = time.process_time() + 0.2
        begin = time.perf_counter()
        while time.process_time() < end:
            pass
        assert watch.seconds_until_idle(begin) == 0.0


def test_a_worker_that_is_killed_is_idle() -> None:
    with _worker() as process, CpuWatch() as watch:
        _work(process, 3600)
        time.sleep(0.05)
        begin = time.perf_counter()
        process.kill()
        process.wait()
        assert watch.seconds_until_idle(begin) is not None


def test_work_without_end_gives_no_figure() -> None:
    with _worker() as process, CpuWatch() as watch:
        begin = _work(process, 3600)
        assert watch.seconds_until_idle(begin, limit_s=0.5) is None
