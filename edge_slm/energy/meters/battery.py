"""What a laptop draws from its batteries while it runs on them (Documentation/ABI, class power).

The figure is the whole device, screen and disk included. A battery is a gauge for hours, not for
answers: its watts may be a mean of the last minute, so that one answer's joules are very uncertain,
and the channel says so; over ten minutes and more it is a good meter. For each battery the first
that there is of: watts, amperes x volts, or what is left in it (a counter of what went out).

On mains nothing is measured, also where a battery gives some of it (then neither is the whole). The
batteries of mice and pens are left out, and so is a UPS. Nothing here knows of programs or answers.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from edge_slm.answer import Method
from edge_slm.energy.meter import Absent, Channel, Scope
from edge_slm.energy.meters.sysfs import number, refused, text
from edge_slm.i18n import t

_J_PER_UWH = 3.6e-3  # 1 µWh; also coulombs in 1 µAh
# Linux asks an ACPI battery once a second at most and answers from memory meanwhile (module
# parameter cache_time of drivers/acpi/battery.c, 1000 ms).
_INTERVAL_S = 1.0
# Smart Battery Data Specification 1.1: AverageCurrent is a rolling mean over one minute, and
# RemainingCapacity comes in steps of 10 mWh or 1 mAh.
_MEAN_S = 60.0
_STEP_UWH = 10_000
_STEP_UAH = 1_000
# Battery and the machine's own meter of the platform differ by a tenth on one laptop: 6 and 6.66 W
# at rest, 27 and 24.69 W at work (documentation of codecarbon, Core Ultra 7 265H).
_ERROR = 0.1
_GAUGES = {("power_now",): 1e-6, ("current_now", "voltage_now"): 1e-12}  # files -> watts
_RESTS = frozenset({"Full", "Not charging", "Unknown"})  # beside another that discharges


@dataclass
class _Battery:
    """One battery: its folder, which files tell, and what makes watts or joules of them."""

    folder: Path
    files: tuple[str, ...]
    unit: float
    kind: Literal["energy", "power"]
    step_j: float
    gone_j: float = 1.0  # given since the start, and something that `interrupt` can halve
    left: int | None = None  # the least seen since then, in µWh or µAh

    @property
    def status(self) -> str:
        return text(self.folder / "status")

    def interrupt(self) -> None:
        """Begin anew: what went in and out on mains is not known.

        The figure falls, so that whoever counts sees that this does not go on from the last one.
        """
        if self.left is not None:
            self.gone_j /= 2
            self.left = None

    def read(self) -> float | None:
        """Return watts, or joules given so far; None where the files do not tell."""
        status = self.status
        if status != "Discharging" and status not in _RESTS:
            return None
        numbers = [held for name in self.files if (held := number(self.folder / name)) is not None]
        if len(numbers) < len(self.files):
            return None
        if self.kind == "energy":
            return self._given(numbers)
        # Amperes are negative while it discharges (ABI), and watts of some drivers
        # (qualcomm-battmgr).
        watts = abs(math.prod(numbers)) * self.unit
        return watts if watts > 0 or status != "Discharging" else None

    def _given(self, numbers: Sequence[int]) -> float | None:
        """Add what has gone since the least that was left; a level that trembles adds nothing.

        Charge is made joules a step at a time: volts sink under load, and all that is left times
        the volts of the moment would fall with them.
        """
        left = numbers[0]
        if left < 0 or min(numbers) < 0:
            return None
        if self.left is not None and left < self.left:
            self.gone_j += math.prod((self.left - left, *numbers[1:])) * self.unit
        self.left = left if self.left is None else min(left, self.left)
        return self.gone_j


class BatteryMeter:
    """The batteries of a laptop, each a channel; not for several threads at once."""

    method: Method = "battery"
    scope: Scope = "device"
    interval_s: float = _INTERVAL_S

    def __init__(self, supplies: Path, batteries: Sequence[_Battery]) -> None:
        """Take the batteries that `find` chose, in the folder of all power supplies."""
        self._supplies = supplies
        self._batteries = batteries
        self.name = " + ".join(battery.folder.name for battery in batteries)
        self.channels: Sequence[Channel] = [
            Channel(battery.folder.name, battery.kind, step_j=battery.step_j, error=_ERROR)
            for battery in batteries
        ]

    def read(self) -> Sequence[float | None]:
        """Return watts or joules a battery; None for all on mains, or while one charges."""
        status = {battery.status for battery in self._batteries}
        if _on_mains(self._supplies) or "Charging" in status or "Discharging" not in status:
            for battery in self._batteries:
                battery.interrupt()
            return [None] * len(self._batteries)
        return [battery.read() for battery in self._batteries]

    def close(self) -> None:
        """Nothing is held open."""


def find(root: Path = Path("/")) -> BatteryMeter | Absent:
    """Return a meter of the batteries that this machine runs on now, or why there is none.

    Args:
        root: where `sys` is.
    """
    supplies = root / "sys/class/power_supply"
    folders = [folder for folder in sorted(supplies.glob("*")) if _is_battery(folder)]
    if not folders:
        return _absent(t("There is no battery here.", "Il n'y a pas de batterie ici."))
    status = {text(folder / "status") for folder in folders}
    if _on_mains(supplies) or "Charging" in status:
        return _absent(
            t(
                "The machine is on mains: unplug it to measure by its battery.",
                "La machine est sur secteur : débranchez-la pour mesurer par sa batterie.",
            )
        )
    if refusals := [folder for folder in folders if _is_refused(folder)]:
        return _absent(
            t(
                "This user may not read the battery: have the administrator allow reading of "
                "{folder}.",
                "Cet utilisateur n'a pas le droit de lire la batterie : faites autoriser la "
                "lecture de {folder}.",
                folder=refusals[0],
            ),
            mendable=True,
        )
    batteries = [found for folder in folders if (found := _battery(folder))]
    if "Discharging" not in status or len(batteries) < len(folders):
        return _absent(
            t(
                "The battery does not say what it gives (status: {status}).",
                "La batterie ne dit pas ce qu'elle fournit (état : {status}).",
                status=", ".join(sorted(held[:20] for held in status)) or "-",
            )
        )
    return BatteryMeter(supplies, batteries)


def _absent(reason: str, *, mendable: bool = False) -> Absent:
    return Absent("battery", reason, mendable)


def _battery(folder: Path) -> _Battery | None:
    """Return a battery by the first of its figures that can be read now."""
    for files, unit in _GAUGES.items():
        gauge = _Battery(folder, files, unit, "power", 0.0)
        watts = gauge.read()
        if watts is not None:
            gauge.step_j = max(watts * _MEAN_S, _STEP_UWH * _J_PER_UWH)
            return gauge
    volts = (number(folder / "voltage_now") or 0) * 1e-6
    for counter in (
        _Battery(folder, ("energy_now",), _J_PER_UWH, "energy", _STEP_UWH * _J_PER_UWH),
        _Battery(
            folder,
            ("charge_now", "voltage_now"),
            _J_PER_UWH * 1e-6,
            "energy",
            _STEP_UAH * _J_PER_UWH * volts,
        ),
    ):
        if counter.read() is not None:
            return counter
    return None


def _is_battery(folder: Path) -> bool:
    """Say whether this feeds the machine: not a peripheral's, not an empty bay."""
    kind = text(folder / "type")
    named = kind == "Battery" or (not kind and folder.name.startswith("BAT"))
    return named and not _of_a_device(folder) and number(folder / "present") != 0


def _of_a_device(folder: Path) -> bool:
    """Say whether a supply feeds a mouse or a pen; without the file it feeds the system (ABI)."""
    return text(folder / "scope") == "Device"


def _is_refused(folder: Path) -> bool:
    names = {"status", "energy_now", "charge_now"}.union(*_GAUGES)
    return any(refused(folder / name) for name in names)


def _on_mains(supplies: Path) -> bool:
    """Say whether a charger gives: “online” is 1, or 2 where its volts can be set (ABI)."""
    return any(
        (number(supply / "online") or 0) > 0
        for supply in supplies.glob("*")
        if text(supply / "type") not in {"Battery", "UPS"} and not _of_a_device(supply)
    )
