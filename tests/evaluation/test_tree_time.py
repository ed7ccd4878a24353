"""CPU time is that of this program and of what it started, and never falls."""

import subprocess
import sys
import time

import pytest

from edge_slm.evaluation.tree_time import cpu_seconds

BURN = "import time\nwhile time.process_time() < 0.3: pass\n"


def test_work_of_this_program_counts() -> None:
    before, end = cpu_seconds(), time.process_time() + 0.2
    while time.process_time() < end:
        pass
    assert cpu_seconds() - before >= 0.1


@pytest.mark.skipif(sys.platform == "win32", reason="Windows forgets children that have ended")
def test_work_of_a_child_that_has_ended_counts() -> None:
    before = cpu_seconds()
    subprocess.run([sys.executable, "-c", BURN], check=True)
    assert cpu_seconds() - before >= 0.2


def test_work_of_a_child_that_runs_counts() -> None:
    before = cpu_seconds()
    script = f"{BURN}print('done', flush=True)\ninput()"
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout and child.stdout.readline() == "done\n"
        assert cpu_seconds() - before >= 0.2
        child.communicate("\n")
