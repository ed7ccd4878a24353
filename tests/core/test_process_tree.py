"""What a tree of processes holds and burns."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from edge_slm import process_tree as tree

# A child with a child of its own; both tell their numbers, then wait for the end of their input.
FAMILY = """
import os, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
print(os.getpid(), child.pid, flush=True)
input()
child.kill(); child.wait()
"""
SPENT = "import time\nwhile time.process_time() < 0.3: pass\n"
BURN = """
import time
print("started", flush=True)
while time.process_time() < 0.2: pass
print("done", flush=True)
input()
"""


@pytest.fixture
def family() -> Iterator[tuple[int, int]]:
    command = [sys.executable, "-c", FAMILY]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout and process.stdin
        child, grandchild = map(int, process.stdout.readline().split())
        yield child, grandchild
        process.stdin.write(b"\n")
        process.stdin.close()
        process.wait()


def test_a_tree_holds_children_and_grandchildren_without_its_root(family: tuple[int, int]) -> None:
    assert tree.descendants(os.getpid()) == list(family)
    assert tree.descendants(family[0]) == [family[1]]
    assert tree.descendants(family[1]) == []


def test_the_way_of_other_systems_finds_the_same(
    family: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tree, "_LISTS_CHILDREN", False)
    assert set(tree.descendants(os.getpid())) == set(family)


def test_memory_of_a_living_process(
    family: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    by_proc = tree.resident(family[0])
    pss = tree.proportional(family[0])
    assert by_proc > 1_000_000
    assert pss is None or 0 < pss < 1.1 * by_proc
    monkeypatch.setattr(tree, "_TELLS_RSS", False)
    assert tree.resident(family[0]) > 1_000_000


def test_a_process_that_is_gone_counts_as_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with subprocess.Popen([sys.executable, "-c", "pass"]) as process:
        pass
    for told in (True, False):
        monkeypatch.setattr(tree, "_TELLS_RSS", told)
        monkeypatch.setattr(tree, "_LISTS_CHILDREN", told)
        assert tree.descendants(process.pid) == []
        assert tree.resident(process.pid) == 0
    assert not tree.proportional(process.pid)
    assert tree.cpu_ns(process.pid) is None
    assert tree.alive([process.pid]) == []


def test_one_that_ended_unreaped_is_not_alive(family: tuple[int, int]) -> None:
    assert tree.alive([os.getpid(), *family]) == [os.getpid(), *family]
    process = subprocess.Popen([sys.executable, "-c", "pass"], stdout=subprocess.PIPE)
    assert process.stdout
    process.stdout.read()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert tree.alive([process.pid]) == []
    process.stdout.close()
    process.wait()


def test_cpu_time_is_what_the_process_used() -> None:
    command = [sys.executable, "-c", BURN]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout and process.stdin
        process.stdout.readline()
        before = tree.cpu_ns(process.pid)
        process.stdout.readline()
        after = tree.cpu_ns(process.pid)
        assert before is not None and after is not None
        assert before < after
        assert after >= 190_000_000  # 0.2 s, less what was used before Python's own clock began
        assert tree.cpu_ns(process.pid) == pytest.approx(after, abs=50_000_000)
        process.stdin.write(b"\n")


def test_work_of_this_program_counts() -> None:
    before, end = tree.cpu_seconds(), time.process_time() + 0.2
    while time.process_time() < end:
        pass
    assert tree.cpu_seconds() - before >= 0.1


@pytest.mark.skipif(sys.platform == "win32", reason="Windows forgets children that have ended")
def test_work_of_a_child_that_has_ended_counts() -> None:
    before = tree.cpu_seconds()
    subprocess.run([sys.executable, "-c", SPENT], check=True)
    assert tree.cpu_seconds() - before >= 0.2


def test_work_of_a_child_that_runs_counts() -> None:
    before = tree.cpu_seconds()
    script = f"{SPENT}print('done', flush=True)\ninput()"
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout and child.stdout.readline() == "done\n"
        assert tree.cpu_seconds() - before >= 0.2
        child.communicate("\n")
