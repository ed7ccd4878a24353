"""Windows' Energy Meter Interface (EMI): counters of the processor's packages.

Windows 11 gives the RAPL counters of Intel and AMD processors to any user this way, on a real
machine; a virtual one has none, and Windows 10 only with metering hardware of its own. Figures are
picowatt-hours of the package: no screen, no storage, no discrete GPU. Layouts and units are those
of emi.h (Windows SDK) and its reference; names of channels (`RAPL_Package0_PKG`) and the mirrored
counters of several dies are as zeus and codecarbon met them.

Tested on bytes laid out by that reference, never on a running Windows.
"""

import re
import struct
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from edge_slm.answer import Method
from edge_slm.energy.meter import Absent, Channel, Scope
from edge_slm.i18n import t

# CTL_CODE(FILE_DEVICE_UNKNOWN, function, METHOD_BUFFERED, FILE_READ_ACCESS), emi.h
GET_VERSION = 0x224000
GET_METADATA_SIZE = 0x224004
GET_METADATA = 0x224008
GET_MEASUREMENT = 0x22400C

PICOWATT_HOUR_J = 3.6e-9
_PICOWATT_HOURS = 0  # EmiMeasurementUnitPicowattHours, the only unit of emi.h
_NAMES = 64  # bytes of HardwareOEM and HardwareModel, WCHAR[16] each
_MEASURED = struct.Struct("<QQ")  # AbsoluteEnergy; AbsoluteTime, in 100 ns
_MOST_METADATA = 65536  # bytes; a machine of eight packages needs fewer than 4,000
_PACKAGE = re.compile(r"RAPL_Package\d+(_Die\d+)?_PKG", re.IGNORECASE)
# Dies that show one counter differ by what passes between two reads, meters of their own by far
# more: codecarbon's bound.
_SAME_COUNTER = 1e-6


class Device(Protocol):
    """An energy meter of the system, opened."""

    def ask(self, code: int, size: int) -> bytes:
        """Return what an IOCTL gives, at most `size` bytes; raises OSError."""
        ...

    def close(self) -> None:
        """Let the device go."""
        ...


@dataclass(frozen=True)
class _Packages:
    """One device, how many channels it has, and which of them are packages."""

    device: Device
    count: int
    indices: tuple[int, ...]


@dataclass(frozen=True)
class WindowsMeter:
    """The packages of this machine."""

    parts: Sequence[_Packages]
    labels: Sequence[str]
    method: Method = field(default="rapl", init=False)
    scope: Scope = field(default="package", init=False)
    interval_s: float = field(default=1.0, init=False)

    @property
    def name(self) -> str:
        """Return the interface and the packages."""
        return f"EMI ({', '.join(self.labels)})"

    @property
    def channels(self) -> Sequence[Channel]:
        """Return a counter of 64 bits a package."""
        return [Channel(label, "energy", step_j=PICOWATT_HOUR_J) for label in self.labels]

    def read(self) -> Sequence[float | None]:
        """Return joules a package; None for all those of a device that does not answer."""
        return [joules for part in self.parts for joules in _read(part)]

    def close(self) -> None:
        """Let the devices go."""
        for part in self.parts:
            part.device.close()


def find(root: Path = Path("/")) -> WindowsMeter | Absent:
    """Return a meter of the processor's packages, or why there is none.

    Args:
        root: the system root; below any but “/” there is no Windows to ask.
    """
    if sys.platform == "win32" and root == Path("/"):
        from edge_slm.energy.meters.windows_device import open_device, paths

        return over(paths(), open_device)
    return Absent("rapl", t("This is not Windows.", "Ceci n’est pas Windows."))


def over(paths: Sequence[str], opened: Callable[[str], Device]) -> WindowsMeter | Absent:
    """Return a meter over the devices of these paths.

    Args:
        paths: interfaces of energy meters, as the system names them.
        opened: opens one; raises OSError.
    """
    parts: list[_Packages] = []
    labels: list[str] = []
    seen: list[float] = []
    for path in paths:
        try:
            device = opened(path)
        except OSError:
            continue
        part, names = _packages(device, seen)
        if part is None:
            device.close()
        else:
            parts.append(part)
            labels.extend(names)
    if parts:
        return WindowsMeter(parts, labels)
    return Absent(
        "rapl",
        t(
            "Windows shows no energy meter of the processor: it takes Windows 11 on a real "
            "machine.",
            "Windows ne montre aucun compteur d’énergie du processeur : il faut Windows 11 sur une "
            "machine réelle.",
        ),
    )


def _packages(device: Device, seen: list[float]) -> tuple[_Packages | None, list[str]]:
    """Return what of a device counts; `seen` grows by the counters that it has."""
    try:
        names = channel_names(*_metadata(device))
        joules = energies_j(device.ask(GET_MEASUREMENT, _MEASURED.size * len(names)), len(names))
    except (OSError, ValueError):
        return None, []
    kept = []
    for index, name in enumerate(names):
        if _PACKAGE.fullmatch(name) and not any(_same(joules[index], other) for other in seen):
            seen.append(joules[index])
            kept.append(index)
    if not kept:
        return None, []
    return _Packages(device, len(names), tuple(kept)), [names[index] for index in kept]


def _same(joules: float, other: float) -> bool:
    return other > 0 and abs(joules - other) <= _SAME_COUNTER * max(joules, other)


def _metadata(device: Device) -> tuple[int, bytes]:
    version = int.from_bytes(device.ask(GET_VERSION, 2), "little")
    size = int.from_bytes(device.ask(GET_METADATA_SIZE, 4), "little")
    if not 0 < size <= _MOST_METADATA:
        raise ValueError(f"{size} bytes of metadata")
    return version, device.ask(GET_METADATA, size)


def _read(part: _Packages) -> list[float | None]:
    try:
        raw = part.device.ask(GET_MEASUREMENT, _MEASURED.size * part.count)
        joules = energies_j(raw, part.count)
    except (OSError, ValueError):
        return [None] * len(part.indices)
    return [joules[index] for index in part.indices]


def channel_names(version: int, metadata: bytes) -> list[str]:
    """Return the names of a device's channels, in the order of its measurements.

    Args:
        version: of the interface, 1 (EMI_METADATA_V1: one channel) or 2 (EMI_METADATA_V2).
        metadata: as IOCTL_EMI_GET_METADATA gives it, little-endian.

    Raises:
        ValueError: an unknown version or unit, or fewer bytes than they say.
    """
    if version == 1:
        unit, revision_size = 4, 2
        at = unit + _NAMES + revision_size
        return [_channel_name(metadata[:unit] + metadata[at:])[0]]
    if version != 2:
        raise ValueError(f"EMI version {version}")
    at = _NAMES + 2
    (count,) = _unpack("<H", metadata[at:])
    rest, names = metadata[at + 2 :], []
    for _ in range(count):
        name, rest = _channel_name(rest)
        names.append(name)
    return names


def _channel_name(raw: bytes) -> tuple[str, bytes]:
    """Return the name that EMI_CHANNEL_V2 holds, and the bytes after it."""
    unit, size = _unpack("<iH", raw)
    if unit != _PICOWATT_HOURS:
        raise ValueError(f"unit {unit}")
    name = raw[6 : 6 + size]
    if len(name) < size:
        raise ValueError("the metadata is cut off")
    return name.decode("utf-16-le", "replace").partition("\0")[0], raw[6 + size :]


def energies_j(raw: bytes, count: int) -> list[float]:
    """Return the joules of each channel since the machine was started.

    Args:
        raw: EMI_CHANNEL_MEASUREMENT_DATA of each, as IOCTL_EMI_GET_MEASUREMENT gives them.
        count: of channels.

    Raises:
        ValueError: fewer bytes than `count` channels take.
    """
    if len(raw) < count * _MEASURED.size:
        raise ValueError("the measurement is cut off")
    measured = _MEASURED.iter_unpack(raw[: count * _MEASURED.size])
    return [energy * PICOWATT_HOUR_J for energy, _ in measured]


def _unpack(layout: str, raw: bytes) -> tuple[int, ...]:
    if len(raw) < struct.calcsize(layout):
        raise ValueError("the metadata is cut off")
    return struct.unpack_from(layout, raw)
