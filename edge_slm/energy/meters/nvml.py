"""NVIDIA GPUs through NVML, by NVIDIA's own binding (nvidia-ml-py, optional).

From Volta on a GPU counts its millijoules since the driver was loaded; an older one tells its power
of the moment (documentation of nvmlDeviceGetTotalEnergyConsumption, nvmlDeviceGetPowerUsage). The
figure is the whole board of the GPU, memory included, and nothing of the rest of the machine. Which
process spent it is not known here. Tried against the real library without a driver; with a GPU only
on a double of it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edge_slm.answer import Method
from edge_slm.energy.meter import Absent, Channel, Scope
from edge_slm.i18n import t

# “accurate to within +/- 5% of current power draw” (NVML, nvmlDeviceGetPowerUsage; said there of
# Fermi and Kepler, and nothing closer is promised for later ones).
_ERROR = 0.05
# A100 and H100 look at their power 25 % of the time (Yang, Adamek, Armour: Part-time Power
# Measurements, arXiv 2312.02741). Good practice took 35 % off the error on average there, so that a
# plain reading is off by that much at least. Other boards of the same chips count as alike.
_ERROR_PART_TIME = 0.35
_PART_TIME = re.compile(r"\b(A100|A800|A30|G?H(100|200|20|800))\b")
# The counter moves about every 100 ms (ml.energy, Thermally Stable Profiling, 2025).
_COUNTED_EVERY_S = 0.1


@dataclass(frozen=True)
class _Gpu:
    handle: Any
    channel: Channel


@dataclass(frozen=True)
class NvmlMeter:
    """The GPUs of this machine, a channel each."""

    nvml: Any
    gpus: Sequence[_Gpu]
    names: Sequence[str]
    method: Method = field(default="nvml", init=False)
    scope: Scope = field(default="gpu", init=False)

    @property
    def name(self) -> str:
        """Return the GPUs' names."""
        return f"NVML ({', '.join(self.names)})"

    @property
    def channels(self) -> Sequence[Channel]:
        """Return a counter or a gauge a GPU."""
        return [gpu.channel for gpu in self.gpus]

    @property
    def interval_s(self) -> float:
        """Return 1 s for counters; gauges are read as often as they change."""
        gauges = any(channel.kind == "power" for channel in self.channels)
        return _COUNTED_EVERY_S if gauges else 1.0

    def read(self) -> Sequence[float | None]:
        """Return joules or watts a GPU; None for one that is lost or that NVML refuses."""
        return [
            _figure(self.nvml, gpu.handle, counts=gpu.channel.kind == "energy") for gpu in self.gpus
        ]

    def close(self) -> None:
        """Let the library go."""
        try:
            self.nvml.nvmlShutdown()
        except self.nvml.NVMLError:
            return  # it was gone already


def find(root: Path = Path("/")) -> NvmlMeter | Absent:
    """Return a meter of the GPUs, or why there is none.

    Args:
        root: the system root; below any but “/” the library is asked only where proc shows a
            driver, so that a recorded tree without one stands for a machine without one.
    """
    driver = (root / "proc/driver/nvidia/version").exists()
    if root != Path("/") and not driver:
        return _no_driver()
    try:
        import pynvml
    except ImportError:
        return _no_package() if driver else _no_driver()
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as error:
        missing = (pynvml.NVML_ERROR_LIBRARY_NOT_FOUND, pynvml.NVML_ERROR_DRIVER_NOT_LOADED)
        return _no_driver() if not driver and error.value in missing else _no_gpu(str(error))
    meter = _meter(pynvml)
    if not isinstance(meter, NvmlMeter):
        pynvml.nvmlShutdown()
    return meter


def _meter(nvml: Any) -> NvmlMeter | Absent:
    gpus, names, last = [], [], ""
    try:
        number = nvml.nvmlDeviceGetCount()
    except nvml.NVMLError as error:
        return _no_gpu(str(error))
    for index in range(number):
        try:
            handle = nvml.nvmlDeviceGetHandleByIndex(index)
            name = _text(nvml.nvmlDeviceGetName(handle))
        except nvml.NVMLError as error:
            last = str(error)  # lost, or another user's
            continue
        channel = _channel(nvml, handle, f"gpu-{index}", name)
        if channel is None:
            last = t("{name} tells no power", "{name} ne dit pas sa puissance", name=name)
        else:
            gpus.append(_Gpu(handle, channel))
            names.append(name)
    if not gpus:
        return _no_gpu(last or t("no GPU is listed", "aucun GPU n’est listé"))
    return NvmlMeter(nvml, gpus, names)


def _channel(nvml: Any, handle: Any, label: str, name: str) -> Channel | None:
    error = _ERROR_PART_TIME if _PART_TIME.search(name) else _ERROR
    if _figure(nvml, handle, counts=True) is not None:
        return Channel(label, "energy", step_j=_step_j(nvml, handle), error=error)
    if _figure(nvml, handle, counts=False) is not None:
        return Channel(label, "power", error=error)
    return None


def _step_j(nvml: Any, handle: Any) -> float:
    """Return the joules by which the counter may jump: what the GPU may draw between two steps."""
    try:
        return float(nvml.nvmlDeviceGetEnforcedPowerLimit(handle)) / 1000 * _COUNTED_EVERY_S
    except nvml.NVMLError:
        return 0.001  # a millijoule, the unit


def _figure(nvml: Any, handle: Any, *, counts: bool) -> float | None:
    """Return joules since the driver was loaded, or watts."""
    read = nvml.nvmlDeviceGetTotalEnergyConsumption if counts else nvml.nvmlDeviceGetPowerUsage
    try:
        return float(read(handle)) / 1000
    except nvml.NVMLError:
        return None


def _text(name: str | bytes) -> str:
    """Return a name; the binding gave bytes before version 11.5."""
    return name.decode("utf-8", "replace") if isinstance(name, bytes) else name


def _no_package() -> Absent:
    return Absent(
        "nvml",
        t(
            "An NVIDIA driver is there, but the package nvidia-ml-py is missing: install "
            "edge-slm[meters].",
            "Un pilote NVIDIA est là, mais le paquet nvidia-ml-py manque : installez "
            "edge-slm[meters].",
        ),
        mendable=True,
    )


def _no_driver() -> Absent:
    return Absent("nvml", t("No NVIDIA driver is loaded.", "Aucun pilote NVIDIA n’est chargé."))


def _no_gpu(reason: str) -> Absent:
    return Absent(
        "nvml",
        t(
            "The NVIDIA driver gives no figure: {reason}.",
            "Le pilote NVIDIA ne donne pas de chiffre : {reason}.",
            reason=reason,
        ),
    )
