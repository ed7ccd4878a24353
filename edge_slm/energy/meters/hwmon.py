"""INA power sensors on the supply of an ARM board: NVIDIA Jetson, and boards with an INA2xx.

Only chips that are built to sit on a supply rail count (drivers ina2xx, ina209, ina238 and ina3221
of Linux). Everything else that hwmon lists is left out: an SSD (nvme), a graphics card (amdgpu,
i915, xe), a processor's package (amd_energy; RAPL has a back end of its own) or a battery (BAT0)
holds a part of the machine, and drive temperatures and fans (coretemp, pwmfan) hold no power.

Rails of one board are often nested, and nothing in hwmon says how. So a rail that is known to be
the total is used alone, rails that are known to lie side by side are added, a single rail is taken
for the supply, and any other set is refused rather than counted twice. What is measured is what
flows through the shunt: on a Jetson the module, without its carrier board.

Units are those of Documentation/hwmon/sysfs-interface: mV, mA, µW, µJ. JetPack 4 has a driver of
its own below iio, with mW (jetson_stats, zeus and energymon read the same files).
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from edge_slm.answer import Method
from edge_slm.energy.meter import Absent, Channel, Scope
from edge_slm.energy.meters.sysfs import number, real, refused, text
from edge_slm.i18n import t

# Names that the drivers give (Documentation/hwmon/ina209, ina2xx, ina238, ina3221); the last is
# that of JetPack 4.
_ONE_RAIL = frozenset(
    {
        *("ina209", "ina219", "ina220", "ina226", "ina228", "ina230", "ina231", "ina234"),
        *("ina237", "ina238", "ina260", "ina2xx", "ina700", "ina780", "sq52206", "sy24655"),
    }
)
_THREE_RAILS = frozenset({"ina3221", "ina3221x"})
# The input of a whole Jetson module: VDD_IN (TX1, TX2, Xavier NX, Orin NX and Nano) and POM_5V_IN
# (Nano). NVIDIA: “POM_5V_IN measures the overall 5V input”, nothing is to be added to it.
_TOTALS = ("VDD_IN", "POM_5V_IN")
# AGX Xavier has no total; its rails branch off the input side by side (Design Guide DG-09840-001,
# 5.2 and 5.6.2).
_SIDE_BY_SIDE = (frozenset({"GPU", "CPU", "SOC", "CV", "VDDRQ", "SYS5V"}),)
# Shunts of 1 % (DG-09840-001, figure 5-14) and a gain error of 0.25 % in each of volts and amperes
# (INA3221, SBOS576); INA226 is closer (0.1 %, SBOS547).
_ERROR = 0.02
# An unloaded rail may seem to flow back: 80 µV of offset (SBOS576) over shunts of 2 mΩ (Jetson AGX
# Orin; others have more).
_OFFSET_MA = 40
# Ten times a second, as zeus reads a Jetson; the chips themselves convert in some milliseconds.
_INTERVAL_S = 0.1


@dataclass(frozen=True)
class _Place:
    """A chip, and the folder where it was found: hwmon numbers them anew at every start."""

    chip: str
    device: str  # its address on the bus, such as “1-0040”
    folder: Path
    inode: tuple[int, int] | None

    def stands(self) -> bool:
        return self.inode is not None and _inode(self.folder) == self.inode


@dataclass(frozen=True)
class _Rail:
    """A rail, and the files whose product times `unit` is its watts or joules."""

    name: str
    place: _Place
    files: tuple[str, ...]
    unit: float
    kind: Literal["energy", "power"] = "power"

    def value(self) -> float | None:
        paths = [self.place.folder / name for name in self.files]
        numbers = [held for path in paths if (held := number(path)) is not None]
        if len(numbers) < len(paths):
            return None
        if len(numbers) == 2 and -_OFFSET_MA <= numbers[1] < 0 <= numbers[0]:
            return 0.0
        value = math.prod(numbers) * self.unit
        return value if min(numbers) >= 0 else None

    def is_also(self, other: "_Rail") -> bool:
        mine, theirs = self.place, other.place
        return (mine.device, mine.chip, self.name, self.files) == (
            theirs.device,
            theirs.chip,
            other.name,
            other.files,
        )


class HwmonMeter:
    """Supply rails of a board, each a channel; not for several threads at once."""

    method: Method = "hwmon"
    scope: Scope = "board"
    interval_s: float = _INTERVAL_S

    def __init__(self, root: Path, rails: Sequence[_Rail]) -> None:
        """Take the rails that `find` chose below a system root."""
        self._root = root
        self._rails = list(rails)
        self.name = f"{rails[0].place.chip} ({', '.join(rail.name for rail in rails)})"
        self.channels: Sequence[Channel] = [
            Channel(rail.name, rail.kind, error=_ERROR) for rail in rails
        ]

    def read(self) -> Sequence[float | None]:
        """Return watts or joules a rail; None for one that is gone or whose figure makes no sense.

        A sensor that hwmon has numbered anew is looked for under its new number.
        """
        if not all(self._stand()):
            here = list(_rails(self._root))
            self._rails = [
                next((rail for rail in here if rail.is_also(known)), known) for known in self._rails
            ]
        stands = self._stand()
        return [
            rail.value() if there else None for rail, there in zip(self._rails, stands, strict=True)
        ]

    def _stand(self) -> list[bool]:
        """Return for each rail whether its chip is where it was found."""
        stands = {place: place.stands() for place in {rail.place for rail in self._rails}}
        return [stands[rail.place] for rail in self._rails]

    def close(self) -> None:
        """Nothing is held open."""


def find(root: Path = Path("/")) -> HwmonMeter | Absent:
    """Return a meter of the board's supply, or why there is none.

    Args:
        root: where `sys` is.
    """
    rails = list(_rails(root))
    rails = [rail for rail in rails if rail.name in _TOTALS][:1] or rails
    able = [rail for rail in rails if rail.value() is not None]
    if not able:
        return _nothing(rails)
    chosen = _chosen(able)
    if chosen:
        return HwmonMeter(root, chosen)
    return Absent(
        "hwmon",
        t(
            "This board has several power sensors ({names}), and nothing says which of them hold "
            "the others: measure it with an external meter.",
            "Cette carte a plusieurs capteurs de puissance ({names}), et rien ne dit lesquels "
            "comprennent les autres : mesurez-la par un compteur externe.",
            names=", ".join(rail.name for rail in able),
        ),
    )


def _nothing(rails: Sequence[_Rail]) -> Absent:
    if any(refused(rail.place.folder / name) for rail in rails for name in rail.files):
        return Absent(
            "hwmon",
            t(
                "This user may not read the board's power sensor: have the administrator allow "
                "reading of {folder}.",
                "Cet utilisateur n'a pas le droit de lire le capteur de puissance de la carte : "
                "faites autoriser la lecture de {folder}.",
                folder=rails[0].place.folder,
            ),
            mendable=True,
        )
    if rails:
        return Absent(
            "hwmon",
            t(
                "The board's power sensor ({chip}) gives no figure.",
                "Le capteur de puissance de la carte ({chip}) ne donne aucun chiffre.",
                chip=rails[0].place.chip,
            ),
        )
    return Absent(
        "hwmon",
        t(
            "There is no sensor of a board's supply (INA) here.",
            "Il n'y a pas ici de capteur de l'alimentation d'une carte (INA).",
        ),
    )


def _chosen(rails: Sequence[_Rail]) -> list[_Rail]:
    """Return the rails whose sum is the board; none where that is not known."""
    names = sorted(rail.name for rail in rails)
    known = len(rails) == 1 or names in [sorted(side_by_side) for side_by_side in _SIDE_BY_SIDE]
    return list(rails) if known else []


def _rails(root: Path) -> Iterator[_Rail]:
    """Yield all rails of all INA chips, in the order of their addresses."""
    drivers = root / "sys/bus/i2c/drivers"
    folders = {
        real(folder): folder
        for base, pattern in (
            (drivers, "ina3221*/*/iio:device*"),
            (drivers, "ina3221*/*/hwmon/hwmon*"),
            (root / "sys/class/hwmon", "hwmon*"),
        )
        for folder in base.glob(pattern)
    }
    places = [_place(led, folder) for led, folder in folders.items()]
    for place in sorted(places, key=lambda place: (place.device, place.folder)):
        if place.chip in _ONE_RAIL:
            yield from _one_rail(place)
        elif place.chip in _THREE_RAILS:
            yield from _three_rails(place)


def _place(led: Path, folder: Path) -> _Place:
    """Return the chip of a folder of hwmon or iio, which links led to."""
    device = led.parent.parent if led.parent.name == "hwmon" else led.parent
    chip = text(folder / "name") or text(device / "name")  # below iio only the device may have one
    return _Place(chip, device.name, folder, _inode(folder))


def _one_rail(place: _Place) -> Iterator[_Rail]:
    """Yield the rail of a chip that has one: its counter, else its watts, else volts x amperes."""
    folder = place.folder
    name = text(folder / "label") or place.chip
    if (folder / "energy1_input").exists():
        yield _Rail(name, place, ("energy1_input",), 1e-6, "energy")
    elif (folder / "power1_input").exists():
        yield _Rail(name, place, ("power1_input",), 1e-6)
    elif (folder / "curr1_input").exists():
        yield _Rail(name, place, ("in1_input", "curr1_input"), 1e-6)


def _three_rails(place: _Place) -> Iterator[_Rail]:
    """Yield the rails of an INA3221; in4 to in6 are shunts, in7 is the sum of all three.

    A rail that the board does not use is labelled “NC”, not connected.
    """
    folder = place.folder
    for at in range(4):  # 1 to 3, on JetPack 4 0 to 2
        label = text(folder / f"in{at}_label") or text(folder / f"rail_name_{at}")
        if label == "NC":
            continue
        name = label or f"{place.chip} {at}"
        if (folder / f"curr{at}_input").exists():
            yield _Rail(name, place, (f"in{at}_input", f"curr{at}_input"), 1e-6)
        elif (folder / f"in_power{at}_input").exists():
            yield _Rail(name, place, (f"in_power{at}_input",), 1e-3)
        elif (folder / f"in_current{at}_input").exists():
            yield _Rail(name, place, (f"in_voltage{at}_input", f"in_current{at}_input"), 1e-6)


def _inode(folder: Path) -> tuple[int, int] | None:
    """Return what tells a folder from another of the same name; None where there is none."""
    try:
        found = folder.stat()
    except (OSError, RuntimeError):
        return None
    return found.st_dev, found.st_ino
