"""A process killed at any point leaves the base as it was; two that write at once both succeed."""

import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from edge_slm.kb.base import KnowledgeBase
from edge_slm.kb.search import search
from tests.fakes import FakeEmbedder
from tests.kb.samples import check_whole, long_document

ROOT = Path(__file__).parents[2]

# Replaces a.md, adds c.md, and dies at a given tick of SQLite's virtual machine. The tiny cache
# makes SQLite write to the file before the transaction ends, which is what a kill must undo.
_DYING = """
import os, signal, sys
from pathlib import Path
from edge_slm.kb.base import KnowledgeBase
from tests.fakes import FakeEmbedder
from tests.kb.samples import long_document

ticks, last = 0, int(sys.argv[2])

def tick():
    global ticks
    ticks += 1
    if ticks == last:
        os.kill(os.getpid(), signal.SIGKILL)
    return 0

def on_statement(statement):
    if statement == sys.argv[3]:
        os.kill(os.getpid(), signal.SIGKILL)

with KnowledgeBase.open(Path(sys.argv[1])) as base:
    base.connection.execute("PRAGMA cache_size = 2")
    base.connection.set_progress_handler(tick, 20)
    base.connection.set_trace_callback(on_statement)
    base.add(long_document("a.md", "nouveau", 12), FakeEmbedder())
    base.add(long_document("c.md", "tiers", 12), FakeEmbedder())
print(ticks)
"""

_ADDING = """
import itertools, sys
from pathlib import Path
from edge_slm.kb.base import KnowledgeBase
from tests.fakes import FakeEmbedder
from tests.kb.samples import long_document

mark, count = sys.argv[2], int(sys.argv[3])
print("ready", flush=True)
with KnowledgeBase.open(Path(sys.argv[1])) as base:
    for number in range(count):
        base.add(long_document(f"{mark}-{number}.md", mark, 4), FakeEmbedder())
        base.add(long_document("shared.md", f"{mark}{number}", 3), FakeEmbedder())
"""


def _start(script: str, path: Path, *arguments: object) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", script, str(path), *map(str, arguments)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def filled(base: KnowledgeBase, embedder: FakeEmbedder) -> Path:
    """A base of two documents, closed."""
    base.add(long_document("a.md", "ancien", 8), embedder)
    base.add(long_document("b.md", "voisin", 8), embedder)
    base.close()
    return base.path


def _check_after_kill(path: Path) -> bool:
    """Check the base as the next process finds it; return whether a.md is the new version."""
    with KnowledgeBase.open(path) as base:
        names = [stored.name for stored in base.documents()]
        assert len(base.matrix()[0]) == base.passage_count()
    marks = check_whole(path)
    assert sorted(marks) == names
    assert marks["b.md"] == {"voisin"}
    assert marks["a.md"] in ({"ancien"}, {"nouveau"})
    assert marks.get("c.md", {"tiers"}) == {"tiers"}
    return marks["a.md"] == {"nouveau"}


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_a_kill_at_any_point(filled: Path, tmp_path: Path) -> None:
    whole = tmp_path / "whole.db"
    shutil.copy(filled, whole)
    output, errors = _start(_DYING, whole, -1, "").communicate()
    assert output, errors
    assert check_whole(whole).keys() == {"a.md", "b.md", "c.md"}
    total = int(output)
    seen = set()
    for number in range(1, 10):
        path = tmp_path / f"killed-{number}.db"
        shutil.copy(filled, path)
        process = _start(_DYING, path, total * number // 10, "")
        _, errors = process.communicate()
        assert process.returncode == -9, errors
        seen.add(_check_after_kill(path))
    assert seen == {False, True}  # some died before a.md was replaced, some after


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_a_kill_before_the_commit_undoes_what_lay_in_the_file(filled: Path) -> None:
    before = filled.read_bytes()
    process = _start(_DYING, filled, -1, "COMMIT")
    _, errors = process.communicate()
    assert process.returncode == -9, errors
    assert filled.read_bytes() != before  # it had begun to write
    assert _check_after_kill(filled) is False
    assert check_whole(filled).keys() == {"a.md", "b.md"}


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_kill_at_a_random_moment(filled: Path, seed: int) -> None:
    process = _start(_ADDING, filled, "mot", 10**6)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    time.sleep(random.Random(seed).uniform(0.3, 1.2))
    process.kill()
    process.communicate()
    assert process.returncode == -9
    marks = check_whole(filled)
    assert (marks["a.md"], marks["b.md"]) == ({"ancien"}, {"voisin"})
    assert all(len(found) == 1 for found in marks.values())
    with KnowledgeBase.open(filled) as base:
        assert base.add(long_document("after.md", "suite", 2), FakeEmbedder()) is True


def test_two_processes_that_add_at_once(filled: Path) -> None:
    processes = [_start(_ADDING, filled, mark, 8) for mark in ("un", "deux")]
    for process in processes:
        _, errors = process.communicate()
        assert process.returncode == 0, errors
    marks = check_whole(filled)
    expected = {f"{mark}-{number}.md": {mark} for mark in ("un", "deux") for number in range(8)}
    shared = marks.pop("shared.md")
    assert shared in ({"un7"}, {"deux7"})
    assert marks == {**expected, "a.md": {"ancien"}, "b.md": {"voisin"}}


def test_searching_while_another_process_adds(filled: Path, embedder: FakeEmbedder) -> None:
    process = _start(_ADDING, filled, "mot", 8)
    searches = 0
    with KnowledgeBase.open(filled) as base:
        while process.poll() is None or searches == 0:
            found = search(base, embedder, "voisin règle", 5)
            assert found.hits
            assert all(hit.document != "b.md" or "voisin" in hit.text for hit in found.hits)
            searches += 1
    _, errors = process.communicate()
    assert process.returncode == 0, errors
