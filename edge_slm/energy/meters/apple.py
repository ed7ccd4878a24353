"""Apple Silicon through IOReport, by the library zeus-apple-silicon (optional, no sudo).

What counts is CPU, GPU and Neural Engine, as in the “combined power” of `powermetrics` (which needs
sudo, and is not used). Memory, screen and storage do not count. Apple's figures are taken to be
modelled from use, frequency and voltage, and Apple calls them possibly inaccurate without a number
(README of zeus-apple-silicon 1.1): the interval of an answer does not hold that error.

The interface is private to macOS and has changed before. This was tested on a double of the
library, never on a Mac.
"""

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edge_slm.answer import Method
from edge_slm.energy.meter import Absent, Channel, Scope
from edge_slm.i18n import t

# Fields of the library's AppleEnergyMetrics: millijoules since the machine was started.
_FIELDS = {"cpu": "cpu_total_mj", "gpu": "gpu_mj", "ane": "ane_mj"}
_STEP_J = 0.001  # “1 mJ for most channels” (the same README)
# What the extension raises by nanobind for std::runtime_error and std::invalid_argument.
_TROUBLE = (RuntimeError, ValueError)


@dataclass(frozen=True)
class AppleMeter:
    """The counters of one chip."""

    monitor: Any
    fields: Sequence[str]
    method: Method = field(default="ioreport", init=False)
    scope: Scope = field(default="package", init=False)
    interval_s: float = field(default=1.0, init=False)

    @property
    def name(self) -> str:
        """Return the interface and what it counts."""
        return f"IOReport ({', '.join(self.fields)})"

    @property
    def channels(self) -> Sequence[Channel]:
        """Return a counter a part of the chip."""
        return [Channel(name, "energy", step_j=_STEP_J) for name in self.fields]

    def read(self) -> Sequence[float | None]:
        """Return joules a part; None for what the chip does not tell now."""
        return list(_joules(self.monitor, self.fields).values())

    def close(self) -> None:
        """Nothing is held but the library's own object."""


def find(root: Path = Path("/")) -> AppleMeter | Absent:
    """Return a meter of this Mac's chip, or why there is none.

    Args:
        root: the system root; below any but “/” there is no chip to ask.
    """
    if sys.platform != "darwin" or root != Path("/"):
        return Absent("ioreport", t("This is no Mac.", "Ceci n’est pas un Mac."))
    chip = _chip()
    if not chip.startswith("Apple"):
        return Absent(
            "ioreport",
            t(
                "Only Macs with Apple Silicon count their energy.",
                "Seuls les Mac à puce Apple comptent leur énergie.",
            ),
        )
    if chip.endswith("Ultra"):
        # Two dies: apple_energy.hpp 1.1 keeps the last “CPU Energy” that it meets and drops the
        # other, which would halve the figure.
        return Absent(
            "ioreport",
            t(
                "The library counts one of the two halves of this chip ({chip}) only.",
                "La bibliothèque ne compte qu’une des deux moitiés de cette puce ({chip}).",
                chip=chip,
            ),
        )
    return _meter()


def _meter() -> AppleMeter | Absent:
    try:
        import zeus_apple_silicon
    except ImportError:
        return Absent(
            "ioreport",
            t(
                "The package zeus-apple-silicon is missing: install edge-slm[meters].",
                "Le paquet zeus-apple-silicon manque : installez edge-slm[meters].",
            ),
            mendable=True,
        )
    try:
        monitor = zeus_apple_silicon.AppleEnergyMonitor()
    except _TROUBLE as error:
        return _silent(str(error))
    told = [name for name, joules in _joules(monitor, tuple(_FIELDS)).items() if joules is not None]
    # Without the processor the rest says little: answers of small models are written there.
    return AppleMeter(monitor, tuple(told)) if "cpu" in told else _silent("CPU Energy")


def _joules(monitor: Any, fields: Sequence[str]) -> dict[str, float | None]:
    try:
        told = monitor.get_cumulative_energy()
    except _TROUBLE:
        return dict.fromkeys(fields)
    millijoules = {name: getattr(told, _FIELDS[name], None) for name in fields}
    return {name: None if mj is None else mj / 1000 for name, mj in millijoules.items()}


def _chip() -> str:
    """Return the name of the processor, such as “Apple M3 Pro”."""
    command = ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def _silent(reason: str) -> Absent:
    return Absent(
        "ioreport",
        t(
            "macOS gives no energy figure of this chip ({reason}).",
            "macOS ne donne pas de chiffre d’énergie pour cette puce ({reason}).",
            reason=reason,
        ),
    )
