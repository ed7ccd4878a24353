"""System trees as Linux lays them out, written below a folder: the powercap zones of RAPL.

Zones lie in sys/devices/virtual/powercap, and sys/class/powercap links to each of them, as the
kernel does. Ranges are those that machines show: 2^32 - 1 units of 61.035, 15.258 or 15.3 µJ.
"""

import os
from pathlib import Path

RANGE_61 = 262_143_328_850  # Intel packages since Haswell
RANGE_15 = 65_532_610_987  # AMD packages
RANGE_DRAM = 65_712_999_613  # memory of Intel servers
RANGE_WHOLE_J = 4_294_967_295_000_000  # psys of Sapphire Rapids: units of 1 J

CLASS = "sys/class/powercap"
DEVICES = "sys/devices/virtual/powercap"


def zone(
    root: Path,
    number: str,
    name: str,
    energy_uj: int,
    range_uj: int = RANGE_61,
    limits_w: tuple[int, ...] = (),
    control: str = "intel-rapl",
) -> Path:
    """Write the zone `control:number` and return its folder."""
    parts = number.split(":")
    steps = [f"{control}:{':'.join(parts[: end + 1])}" for end in range(len(parts))]
    folder = (root / DEVICES / control).joinpath(*steps)
    folder.mkdir(parents=True)
    files = {
        "name": name,
        "energy_uj": str(energy_uj),
        "max_energy_range_uj": str(range_uj),
        "enabled": "0",
        "uevent": "",
    }
    for constraint, watts in enumerate(limits_w):
        files |= {
            f"constraint_{constraint}_name": ("long_term", "short_term", "peak_power")[constraint],
            f"constraint_{constraint}_power_limit_uw": str(watts * 1_000_000),
            f"constraint_{constraint}_time_window_us": "27983872",
            f"constraint_{constraint}_max_power_uw": "15000000",
        }
    for file, text in files.items():
        (folder / file).write_text(f"{text}\n" if text else "", encoding="ascii")
    _link(root, folder)
    return folder


def control_type(root: Path, name: str = "intel-rapl") -> None:
    """Write the folder of a control type, which has an `enabled` and no energy."""
    folder = root / DEVICES / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "enabled").write_text("1\n", encoding="ascii")
    _link(root, folder)


def set_uj(root: Path, number: str, energy_uj: int, control: str = "intel-rapl") -> None:
    """Move the counter of a zone."""
    file = root / CLASS / f"{control}:{number}" / "energy_uj"
    file.write_text(f"{energy_uj}\n", encoding="ascii")


def intel_laptop(root: Path) -> Path:
    """Write a package with core and uncore, without dram; psys beside it."""
    control_type(root)
    zone(root, "0", "package-0", 9_000_000_000, limits_w=(15, 44, 95))
    zone(root, "0:0", "core", 5_000_000_000)
    zone(root, "0:1", "uncore", 1_000_000_000)
    zone(root, "1", "psys", 20_000_000_000, limits_w=(0, 0))
    return root


def with_mmio(root: Path) -> Path:
    """Write the laptop with the double of its package in memory-mapped registers."""
    intel_laptop(root)
    control_type(root, "intel-rapl-mmio")
    zone(root, "0", "package-0", 9_000_100_000, limits_w=(15, 44), control="intel-rapl-mmio")
    return root


def server(root: Path) -> Path:
    """Write two packages, each with dram; the order of the zones is not that of the packages."""
    control_type(root)
    zone(root, "0", "package-1", 1_000_000_000, limits_w=(205, 246))
    zone(root, "0:0", "dram", 100_000_000, RANGE_DRAM, limits_w=(0,))
    zone(root, "1", "package-0", 2_000_000_000, limits_w=(205, 246))
    zone(root, "1:0", "dram", 200_000_000, RANGE_DRAM, limits_w=(0,))
    return root


def server_of_dies(root: Path) -> Path:
    """Write two packages of two dies, as Cascade Lake AP; each die is a zone with its dram."""
    control_type(root)
    for number, (package, die) in enumerate([(0, 0), (0, 1), (1, 0), (1, 1)]):
        zone(root, f"{number}", f"package-{package}-die-{die}", 1_000_000_000 * (number + 1))
        zone(root, f"{number}:0", "dram", 10_000_000, RANGE_DRAM)
    return root


def amd(root: Path) -> Path:
    """Write a package and its core; the names are Intel's, and there are no limits."""
    control_type(root)
    zone(root, "0", "package-0", 3_000_000_000, RANGE_15)
    zone(root, "0:0", "core", 300_000_000, RANGE_15)
    return root


def close_to_others(root: Path) -> Path:
    """Take the right to read the counters away, as kernels do since CVE-2020-8694.

    The files are root's there; where the tests run as a user, they are taken from that user too.
    """
    for file in (root / DEVICES).rglob("energy_uj"):
        file.chmod(0o400 if os.geteuid() == 0 else 0)
    return root


def _link(root: Path, folder: Path) -> None:
    links = root / CLASS
    links.mkdir(parents=True, exist_ok=True)
    (links / folder.name).symlink_to(folder)
