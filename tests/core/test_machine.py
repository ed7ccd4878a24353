"""Facts about this machine, and milliseconds."""

import shutil
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from edge_slm import __version__, machine, profiles
from edge_slm.clock import Clock


def test_memory_is_in_bytes_and_in_order() -> None:
    assert 10**8 < machine.available_ram() <= machine.total_ram()
    assert 10**6 < machine.peak_memory() < machine.total_ram()


def test_there_is_a_thread_to_compute_with(monkeypatch: pytest.MonkeyPatch) -> None:
    assert machine.compute_threads() >= 1
    monkeypatch.setattr(psutil, "cpu_count", lambda logical: None)
    assert machine.compute_threads() == 1


def test_free_disk_of_a_folder_that_is_not_there_yet(tmp_path: Path) -> None:
    whole = shutil.disk_usage(tmp_path).total
    assert 0 < machine.free_disk(tmp_path / "not" / "yet") <= whole


def test_a_figure_comes_with_its_machine() -> None:
    summary = machine.summary()
    assert set(summary) == {"command", "version", "python", "machine", "load"}
    assert summary["version"] == __version__
    assert str(summary["command"]).startswith("edge-slm")
    assert "GB" in str(summary["machine"])


def test_the_processor_has_a_name_without_proc(monkeypatch: pytest.MonkeyPatch) -> None:
    assert machine.cpu_name()

    def closed(_: Path) -> str:
        raise PermissionError

    monkeypatch.setattr(Path, "read_text", closed)
    assert isinstance(machine.cpu_name(), str)


def test_macos_is_asked_for_the_name_that_the_processor_is_sold_by(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def asked(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        assert command[-1] == "machdep.cpu.brand_string"
        return subprocess.CompletedProcess(command, 0, "Apple M4\n", "")

    def closed(_: Path) -> str:
        raise FileNotFoundError

    monkeypatch.setattr(Path, "read_text", closed)
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(subprocess, "run", asked)
    assert machine.cpu_name() == "Apple M4"

    def absent(*_: object, **__: object) -> subprocess.CompletedProcess[str]:
        raise FileNotFoundError

    monkeypatch.setattr(subprocess, "run", absent)
    assert isinstance(machine.cpu_name(), str)


def test_a_small_machine_gets_the_small_profile() -> None:
    assert profiles.propose(4_000_000_000) == "lite"
    assert profiles.propose(8_000_000_000) == "standard"
    assert set(profiles.PROFILES) == {"lite", "standard"}


def test_laps_are_in_milliseconds_and_the_first_token_is_noted_once() -> None:
    clock = Clock()
    clock.lap("route")
    clock.first_token()
    first = clock.laps()["first_token"]
    sum(range(300_000))
    clock.first_token()
    clock.lap("load")
    laps = clock.laps()
    assert list(laps) == ["route", "first_token", "load", "total"]
    assert laps["first_token"] == first
    assert all(ms >= 0 for ms in laps.values())
    assert laps["total"] >= laps["load"]


def test_laps_are_a_copy() -> None:
    clock = Clock()
    clock.laps()["route"] = 1.0
    assert list(clock.laps()) == ["total"]
