"""Apple Silicon, on a double of zeus-apple-silicon; no Mac was at hand."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from edge_slm.energy.meter import Absent
from edge_slm.energy.meters import apple
from edge_slm.energy.meters.apple import AppleMeter, find


class Monitor:
    """AppleEnergyMonitor: cumulative millijoules, None where a chip has no such channel."""

    def __init__(self, fails: Exception | None = None, **millijoules: int | None) -> None:
        known = ("cpu_total_mj", "gpu_mj", "gpu_sram_mj", "ane_mj", "dram_mj")
        self.told = SimpleNamespace(**(dict.fromkeys(known) | millijoules))
        self.fails = fails

    def get_cumulative_energy(self) -> Any:
        """Return the metrics since the machine was started."""
        if self.fails:
            raise self.fails
        return self.told


@pytest.fixture
def mac(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Make this machine a Mac with an M3 Pro, whose library is not installed."""
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(apple, "_chip", lambda: "Apple M3 Pro")
    monkeypatch.setitem(sys.modules, "zeus_apple_silicon", None)
    return monkeypatch


def install(mac: pytest.MonkeyPatch, monitor: Monitor | Exception) -> None:
    """Install the library, with this monitor or an error when it is made."""

    def made() -> Monitor:
        if isinstance(monitor, Exception):
            raise monitor
        return monitor

    mac.setitem(sys.modules, "zeus_apple_silicon", SimpleNamespace(AppleEnergyMonitor=made))


def absent() -> Absent:
    """Return why there is no meter."""
    found = find()
    assert isinstance(found, Absent)
    assert found.method == "ioreport"
    return found


def test_processor_gpu_and_neural_engine_are_counters(mac: pytest.MonkeyPatch) -> None:
    monitor = Monitor(cpu_total_mj=5_000, gpu_mj=2_500, ane_mj=1, gpu_sram_mj=9, dram_mj=700)
    install(mac, monitor)
    meter = find()
    assert isinstance(meter, AppleMeter)
    assert (meter.method, meter.scope, meter.name) == (
        "ioreport",
        "package",
        "IOReport (cpu, gpu, ane)",
    )
    assert [(one.name, one.kind, one.step_j) for one in meter.channels] == [
        ("cpu", "energy", 0.001),
        ("gpu", "energy", 0.001),
        ("ane", "energy", 0.001),
    ]
    assert meter.read() == [5.0, 2.5, 0.001]
    monitor.told.cpu_total_mj = 6_000
    assert meter.read() == [6.0, 2.5, 0.001]
    meter.close()


def test_what_a_chip_does_not_have_is_left_out(mac: pytest.MonkeyPatch) -> None:
    install(mac, Monitor(cpu_total_mj=5_000, gpu_mj=0))
    meter = find()
    assert isinstance(meter, AppleMeter)
    assert meter.fields == ("cpu", "gpu")
    assert meter.read() == [5.0, 0.0]


def test_a_channel_that_falls_silent_gives_no_figure(mac: pytest.MonkeyPatch) -> None:
    monitor = Monitor(cpu_total_mj=5_000, gpu_mj=2_500)
    install(mac, monitor)
    meter = find()
    assert isinstance(meter, AppleMeter)
    monitor.told.cpu_total_mj = None
    assert meter.read() == [None, 2.5]
    for trouble in (ValueError("Unsupported or invalid energy unit"), RuntimeError("sample")):
        monitor.fails = trouble
        assert meter.read() == [None, None]


def test_without_the_package_it_can_be_mended(mac: pytest.MonkeyPatch) -> None:
    found = absent()
    assert found.mendable
    assert "zeus-apple-silicon" in found.reason


@pytest.mark.parametrize(
    "monitor",
    [
        RuntimeError("Failed to create IOReport subscription."),
        Monitor(gpu_mj=3),
        Monitor(fails=ValueError("unit")),
    ],
    ids=["no subscription", "no processor", "unknown unit"],
)
def test_a_chip_that_tells_nothing_is_no_meter(
    mac: pytest.MonkeyPatch, monitor: Monitor | Exception
) -> None:
    install(mac, monitor)
    assert "macOS gives no energy figure" in absent().reason


def test_a_chip_of_two_halves_is_refused_rather_than_halved(mac: pytest.MonkeyPatch) -> None:
    install(mac, Monitor(cpu_total_mj=1, gpu_mj=1))
    mac.setattr(apple, "_chip", lambda: "Apple M2 Ultra")
    assert "Apple M2 Ultra" in absent().reason


@pytest.mark.parametrize("chip", ["Intel(R) Core(TM) i7-8750H CPU @ 2.20GHz", ""])
def test_a_mac_of_intel_is_no_apple_silicon(mac: pytest.MonkeyPatch, chip: str) -> None:
    mac.setattr(apple, "_chip", lambda: chip)
    assert "Apple Silicon" in absent().reason


def test_elsewhere_there_is_no_mac(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    assert "no Mac" in absent().reason
    monkeypatch.setattr(sys, "platform", "darwin")
    assert isinstance(find(tmp_path), Absent)


def test_the_chip_is_what_sysctl_says(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        if command[-1] != "machdep.cpu.brand_string":
            raise subprocess.CalledProcessError(1, command)
        return subprocess.CompletedProcess(command, 0, stdout="Apple M1\n")

    monkeypatch.setattr(subprocess, "run", run)
    assert apple._chip() == "Apple M1"

    def fails(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        raise FileNotFoundError(command[0])

    monkeypatch.setattr(subprocess, "run", fails)
    assert apple._chip() == ""
