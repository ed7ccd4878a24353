"""NVIDIA GPUs, on a double of the binding that behaves as its documentation says.

The real binding is imported too, to hold the double to its names and errors.
"""

import sys
from pathlib import Path
from typing import Any

import pytest

from edge_slm.energy.meter import Absent, Meter
from edge_slm.energy.meters import nvml
from edge_slm.energy.meters.nvml import NvmlMeter, find


class NVMLError(Exception):
    """As pynvml's: `value` is the code."""

    def __init__(self, value: int) -> None:
        super().__init__(f"error {value}")
        self.value = value


NOT_SUPPORTED, DRIVER_NOT_LOADED, LIBRARY_NOT_FOUND, GPU_IS_LOST = 3, 9, 12, 15


class Gpu:
    """What one GPU answers; None for what it does not support."""

    def __init__(
        self,
        name: str | bytes = "NVIDIA GeForce RTX 4090",
        millijoules: int | None = 1_000,
        milliwatts: int | None = 30_000,
        limit_mw: int | None = 450_000,
    ) -> None:
        self.name = name
        self.millijoules = millijoules
        self.milliwatts = milliwatts
        self.limit_mw = limit_mw
        self.lost = False

    def tell(self, value: Any) -> Any:
        """Return a value as NVML would, or raise."""
        if self.lost:
            raise NVMLError(GPU_IS_LOST)
        if value is None:
            raise NVMLError(NOT_SUPPORTED)
        return value


class Library:
    """The functions of pynvml that are used."""

    NVMLError = NVMLError
    NVML_ERROR_DRIVER_NOT_LOADED = DRIVER_NOT_LOADED
    NVML_ERROR_LIBRARY_NOT_FOUND = LIBRARY_NOT_FOUND

    def __init__(self, *gpus: Gpu, fails: int | None = None) -> None:
        self.gpus = gpus
        self.fails = fails
        self.opened = 0

    def nvmlInit(self) -> None:
        """Load the driver's library."""
        if self.fails is not None:
            raise NVMLError(self.fails)
        self.opened += 1

    def nvmlShutdown(self) -> None:
        """Raise where nothing is loaded, as the library does."""
        if not self.opened:
            raise NVMLError(1)
        self.opened -= 1

    def nvmlDeviceGetCount(self) -> int:
        """Return the number of GPUs."""
        return len(self.gpus)

    def nvmlDeviceGetHandleByIndex(self, index: int) -> Gpu:
        """Return a GPU."""
        gpu = self.gpus[index]
        gpu.tell(0)
        return gpu

    def nvmlDeviceGetName(self, gpu: Gpu) -> str | bytes:
        """Return its name."""
        name: str | bytes = gpu.tell(gpu.name)
        return name

    def nvmlDeviceGetTotalEnergyConsumption(self, gpu: Gpu) -> int:
        """Return millijoules."""
        return int(gpu.tell(gpu.millijoules))

    def nvmlDeviceGetPowerUsage(self, gpu: Gpu) -> int:
        """Return milliwatts."""
        return int(gpu.tell(gpu.milliwatts))

    def nvmlDeviceGetEnforcedPowerLimit(self, gpu: Gpu) -> int:
        """Return milliwatts."""
        return int(gpu.tell(gpu.limit_mw))


def over(monkeypatch: pytest.MonkeyPatch, library: Library) -> NvmlMeter:
    """Return the meter over this library."""
    monkeypatch.setitem(sys.modules, "pynvml", library)
    found = find()
    assert isinstance(found, NvmlMeter), found
    return found


def test_a_gpu_that_counts_is_a_counter_in_joules(monkeypatch: pytest.MonkeyPatch) -> None:
    gpu = Gpu(millijoules=123_456)
    meter: Meter = over(monkeypatch, Library(gpu))
    assert (meter.method, meter.scope, meter.name) == (
        "nvml",
        "gpu",
        "NVML (NVIDIA GeForce RTX 4090)",
    )
    (channel,) = meter.channels
    assert (channel.kind, channel.range_j, channel.error) == ("energy", None, 0.05)
    assert channel.step_j == pytest.approx(45)  # 450 W for 100 ms
    assert meter.read() == [123.456]
    gpu.millijoules = 124_456
    assert meter.read() == [124.456]


def test_one_that_does_not_count_is_a_gauge_in_watts(monkeypatch: pytest.MonkeyPatch) -> None:
    meter = over(monkeypatch, Library(Gpu("Tesla P4", millijoules=None, milliwatts=22_500)))
    assert [channel.kind for channel in meter.channels] == ["power"]
    assert meter.read() == [22.5]
    assert meter.interval_s < 1


def test_several_gpus_are_a_channel_each(monkeypatch: pytest.MonkeyPatch) -> None:
    mute = Gpu("mute", millijoules=None, milliwatts=None)
    meter = over(monkeypatch, Library(Gpu("a"), mute, Gpu("b", millijoules=None)))
    assert [(one.name, one.kind) for one in meter.channels] == [
        ("gpu-0", "energy"),
        ("gpu-2", "power"),
    ]
    assert meter.name == "NVML (a, b)"
    assert meter.read() == [1.0, 30.0]


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("NVIDIA A100-SXM4-80GB", 0.35),
        ("NVIDIA H100 80GB HBM3", 0.35),
        ("NVIDIA GH200 480GB", 0.35),
        ("NVIDIA H200", 0.35),
        ("NVIDIA A10", 0.05),
        ("NVIDIA A1000", 0.05),
        ("NVIDIA RTX A3000 Laptop GPU", 0.05),
        (b"Tesla V100-SXM2-16GB", 0.05),
    ],
)
def test_those_that_look_a_quarter_of_the_time_are_less_sure(
    monkeypatch: pytest.MonkeyPatch, name: str | bytes, error: float
) -> None:
    (channel,) = over(monkeypatch, Library(Gpu(name))).channels
    assert channel.error == error


def test_without_a_limit_a_step_is_a_millijoule(monkeypatch: pytest.MonkeyPatch) -> None:
    (channel,) = over(monkeypatch, Library(Gpu(limit_mw=None))).channels
    assert channel.step_j == 0.001


def test_a_gpu_that_is_lost_gives_no_figure_and_the_others_theirs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first, second = Gpu(), Gpu(millijoules=7_000)
    meter = over(monkeypatch, Library(first, second))
    first.lost = True
    assert meter.read() == [None, 7.0]
    first.lost = False
    assert meter.read() == [1.0, 7.0]


def test_closing_twice_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    library = Library(Gpu())
    meter = over(monkeypatch, library)
    meter.close()
    meter.close()
    assert library.opened == 0


def lost() -> Gpu:
    """Return a GPU that fell off the bus."""
    gpu = Gpu()
    gpu.lost = True
    return gpu


@pytest.mark.parametrize(
    ("library", "says"),
    [
        (Library(fails=LIBRARY_NOT_FOUND), "No NVIDIA driver"),
        (Library(fails=DRIVER_NOT_LOADED), "No NVIDIA driver"),
        (Library(fails=4), "error 4"),
        (Library(), "no GPU is listed"),
        (Library(lost()), "error 15"),
        (Library(Gpu("Quadro 600", millijoules=None, milliwatts=None)), "Quadro 600"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_where_nothing_can_be_read_a_sentence_says_why(
    monkeypatch: pytest.MonkeyPatch, library: Library, says: str
) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", library)
    found = find()
    assert isinstance(found, Absent)
    assert found.method == "nvml"
    assert says in found.reason
    assert not found.mendable
    assert library.opened == 0, "the library was not let go"


def with_driver(root: Path) -> Path:
    """Make a system tree with a driver."""
    version = root / "proc/driver/nvidia/version"
    version.parent.mkdir(parents=True)
    version.write_text("NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.15\n")
    return root


def test_a_driver_without_the_package_can_be_mended(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", None)  # so that its import fails
    found = find(with_driver(tmp_path))
    assert isinstance(found, Absent)
    assert found.mendable
    assert "edge-slm[meters]" in found.reason
    bare = find()
    assert isinstance(bare, Absent)
    assert bare.mendable == Path("/proc/driver/nvidia/version").exists()


def test_a_recorded_tree_without_a_driver_asks_no_library(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    library = Library(Gpu())
    monkeypatch.setitem(sys.modules, "pynvml", library)
    assert isinstance(find(tmp_path), Absent)
    assert library.opened == 0
    assert isinstance(find(with_driver(tmp_path)), NvmlMeter)


def test_the_double_has_the_names_of_the_real_binding() -> None:
    real = pytest.importorskip("pynvml")
    used = [name for name in vars(Library) if name.startswith("nvml")]
    assert used
    assert [name for name in used if not callable(getattr(real, name, None))] == []
    codes = {name: value for name, value in vars(Library).items() if name.startswith("NVML_")}
    assert codes == {name: getattr(real, name) for name in codes}
    assert real.NVMLError(GPU_IS_LOST).value == GPU_IS_LOST
    assert (real.NVML_ERROR_GPU_IS_LOST, real.NVML_ERROR_NOT_SUPPORTED) == (
        GPU_IS_LOST,
        NOT_SUPPORTED,
    )


def test_names_that_are_no_text_are_read_all_the_same() -> None:
    assert nvml._text(b"Tesla \xff") == "Tesla \ufffd"
