"""Processor time of the whole machine, read from a system root."""

from pathlib import Path

import pytest

from edge_slm.energy.cpu import TICK_S, busy_cpu_seconds
from tests.energy.fakes import burn


def _stat(root: Path, text: str) -> Path:
    (root / "proc").mkdir()
    (root / "proc/stat").write_bytes(text.encode("utf-8", "surrogateescape"))
    return root


def test_idle_waiting_stolen_and_guest_time_do_not_count(tmp_path: Path) -> None:
    root = _stat(tmp_path, "cpu  100 10 20 9000 800 3 4 700 50 5\ncpu0 1 2 3\n")
    assert busy_cpu_seconds(root) == pytest.approx(137 * TICK_S)


@pytest.mark.parametrize("text", ["", "cpu", "cpu a b c d e f g h", "\udcff\udcfe", "intr 3\n"])
def test_a_file_that_tells_nothing_is_none(tmp_path: Path, text: str) -> None:
    assert busy_cpu_seconds(_stat(tmp_path, text)) is None


def test_no_file_is_none(tmp_path: Path) -> None:
    assert busy_cpu_seconds(tmp_path) is None


def test_work_of_this_machine_counts() -> None:
    before = busy_cpu_seconds()
    burn(0.2)
    after = busy_cpu_seconds()
    assert before is not None and after is not None
    assert after - before >= 0.1
