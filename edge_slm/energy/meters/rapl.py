"""Energy counters of Intel and AMD processors, as Linux shows them: RAPL through powercap.

Files: Documentation/power/powercap/powercap.rst of the kernel; names, units and ranges:
drivers/powercap/intel_rapl_common.c. A package holds its core and uncore, and psys holds the
package: one level is read, never their sum. What the counters leave out: screen, disk, power
supply, and memory where there is no dram zone. On AMD and on older Intel processors the figure
comes from a model in the processor; neither maker states its error, so that none is stated here.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from edge_slm.answer import Method
from edge_slm.energy.meter import Absent, Channel, Scope
from edge_slm.energy.meters.sysfs import number, refused, text
from edge_slm.i18n import t
from edge_slm.paths import permission_dir

Domain = Literal["package", "psys"]

POWERCAP = "sys/class/powercap"
RULE = "60-edge-slm-energy.rules"  # in permission_dir()
SCRIPT = "install.sh"

# Registers have 32 bits (ENERGY_STATUS_MASK), and the range shown is the largest value, times the
# unit: that gives the unit, which has no file of its own.
_STEPS = 2**32
# Where no range is shown: 2^-14 J, the coarser of the two usual units (the other is 2^-16 J; Intel
# SDM volume 3, MSR_RAPL_POWER_UNIT).
_UNIT_J = 2**-14
# The counters are brought up to date about every millisecond (Intel SDM volume 3, RAPL).
_REFRESH_S = 0.001
# No package is sold with a higher rated power (Xeon 6980P, EPYC 9965); short peaks may double it.
_RATED_W = 500.0
_MOST_W = 2 * _RATED_W
# A short wait, so that a counter which fails is noticed within one answer.
_LONGEST_WAIT_S = 10.0
_SHORTEST_WAIT_S = 0.01


_ZONE = re.compile(r"intel-rapl(-mmio)?(:\d+){1,2}")
_PACKAGE = re.compile(r"package-\d+(-die-\d+)?")
_PSYS = re.compile(r"psys(-\d+)?")


@dataclass(frozen=True)
class Zone:
    """A powercap zone.

    Attributes:
        folder: of its files.
        name: as the kernel gives it, such as “package-0” or “dram”.
        package: the name of the package that it is part of; its own where it is one.
    """

    folder: Path
    name: str
    package: str


class Rapl:
    """The counters of all packages, with dram where each has one; or that of the platform."""

    method: Method = "rapl"

    def __init__(self, zones: Sequence[Zone], scope: Scope) -> None:
        """Read zones that were found to be readable, one channel each."""
        self._files = [zone.folder / "energy_uj" for zone in zones]
        self.channels = [_channel(zone) for zone in zones]
        self.scope = scope
        self.name = f"RAPL: {', '.join(channel.name for channel in self.channels)}"
        self.interval_s = min(_wait_s(channel) for channel in self.channels)

    def read(self) -> Sequence[float | None]:
        """Return joules a channel; None for one that cannot be read now."""
        return [_joules(file) for file in self._files]

    def close(self) -> None:
        """Nothing is kept open: a zone may go and come back with its processor."""


def find(root: Path = Path("/"), domain: Domain = "package") -> Rapl | Absent:
    """Return the meter of this machine's processors.

    Args:
        root: of the system.
        domain: “psys” is the whole platform as the board reports it, where it does; old machines
            report nonsense (29.97 W of psys for a package of 15.73 W on an i7-7600U:
            documentation of CodeCarbon), so that it must be asked for.
    """
    zones = list(_zones(root / POWERCAP))
    if not zones:
        return Absent("rapl", _no_counters())
    wanted = _PSYS if domain == "psys" else _PACKAGE
    whole = _once(zone for zone in zones if wanted.fullmatch(zone.name))
    if not whole:
        return Absent("rapl", _no_domain(domain))
    if domain == "psys":
        # A second psys belongs to another package of the same board: one of them is the board.
        whole = whole[:1]
    refusal = _refusal(whole)
    if refusal:
        return refusal
    if domain == "psys":
        return Rapl(whole, "platform")
    memory = _once(zone for zone in zones if zone.name == "dram" and _refusal([zone]) is None)
    if {zone.package for zone in memory} >= {zone.name for zone in whole}:
        return Rapl([*whole, *memory], "package+dram")
    return Rapl(whole, "package")


def _zones(folder: Path) -> Iterable[Zone]:
    """Yield the zones, those of the registers before their doubles in memory-mapped registers."""
    try:
        found = sorted(path for path in folder.iterdir() if _ZONE.fullmatch(path.name))
    except OSError:
        return
    for path in sorted(found, key=lambda path: path.name.startswith("intel-rapl-mmio")):
        name = text(path / "name")
        if not name:
            continue
        parent = path.name.rpartition(":")[0]
        above = text(folder / parent / "name") if parent.count(":") else ""
        yield Zone(path, name, above or name)


def _once(zones: Iterable[Zone]) -> list[Zone]:
    """Keep one zone of each package and name: the first that can be read, else the first."""
    kept: dict[tuple[str, str], Zone] = {}
    for zone in zones:
        key = (zone.package, zone.name)
        if key not in kept or (_refusal([kept[key]]) and not _refusal([zone])):
            kept[key] = zone
    return sorted(kept.values(), key=lambda zone: (zone.name, zone.package))


def _refusal(zones: Sequence[Zone]) -> Absent | None:
    """Return why the counters of these zones cannot all be read; None when they can.

    A part of the packages is not the machine: one that fails is enough.
    """
    for zone in zones:
        file = zone.folder / "energy_uj"
        if refused(file):
            return Absent("rapl", _no_permission(), mendable=True)
        if _joules(file) is None:
            return Absent("rapl", _no_energy(zone))
    return None


def _channel(zone: Zone) -> Channel:
    shown_j = _joules(zone.folder / "max_energy_range_uj")
    unit_j = shown_j / (_STEPS - 1) if shown_j else _UNIT_J
    return Channel(
        name=zone.name if zone.name == zone.package else f"{zone.package} {zone.name}",
        kind="energy",
        range_j=unit_j * _STEPS if shown_j else None,
        step_j=unit_j + _REFRESH_S * _limit_w(zone.folder),
        most_w=_MOST_W,
    )


def _limit_w(folder: Path) -> float:
    """Return the watts that the zone is held to; the most that is sold where it does not say."""
    files = (folder / f"constraint_{limit}_power_limit_uw" for limit in range(2))
    limits = [watts for file in files if (watts := _joules(file))]
    return min(max(limits, default=_RATED_W), _RATED_W)


def _wait_s(channel: Channel) -> float:
    """Return how long the counter may go unread: half the time in which it could wrap."""
    if channel.range_j is None:
        return _LONGEST_WAIT_S
    unread_s = channel.range_j / (2 * channel.most_w)
    return min(_LONGEST_WAIT_S, max(_SHORTEST_WAIT_S, unread_s))


def _joules(file: Path) -> float | None:
    """Return a file of whole millionths (µJ, µW) in joules or watts; None when it has none."""
    millionths = number(file)
    return None if millionths is None or millionths < 0 else millionths / 1e6


def _no_counters() -> str:
    return t(
        "This machine shows no energy counter of its processor ({folder} has no intel-rapl zone): "
        "virtual machines and containers hide it, and only Intel and AMD processors have it.",
        "Cette machine ne montre aucun compteur d'énergie de son processeur ({folder} n'a pas de "
        "zone intel-rapl) : machines virtuelles et conteneurs le cachent, et seuls les processeurs "
        "Intel et AMD en ont un.",
        folder=f"/{POWERCAP}",
    )


def _no_domain(domain: Domain) -> str:
    return t(
        "The processor has energy counters, but none named {domain}.",
        "Le processeur a des compteurs d'énergie, mais aucun du nom de {domain}.",
        domain=domain,
    )


def _no_energy(zone: Zone) -> str:
    return t(
        "The zone {name} of the processor gives no joules ({folder}/energy_uj holds no number).",
        "La zone {name} du processeur ne donne pas de joules ({folder}/energy_uj ne contient pas "
        "de nombre).",
        name=zone.name,
        folder=f"/{POWERCAP}/{zone.folder.name}",
    )


def _no_permission() -> str:
    folder = permission_dir()
    return t(
        "The processor has energy counters, but only the administrator may read them: give your "
        "account the right with “{command} {user}” (it installs {rule}), then log in again.",
        "Le processeur a des compteurs d'énergie, mais seul l'administrateur peut les lire : "
        "donnez-en le droit à votre compte avec « {command} {user} » (qui installe {rule}), puis "
        "rouvrez votre session.",
        command=f"sudo sh {folder / SCRIPT}",
        user="$USER",
        rule=folder / RULE,
    )
