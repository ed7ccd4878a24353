"""Windows' Energy Meter Interface, on bytes laid out as emi.h says; no Windows was at hand."""

import ctypes
import struct
import sys
import uuid
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_slm.energy.meter import Absent
from edge_slm.energy.meters import windows
from edge_slm.energy.meters.windows import (
    GET_MEASUREMENT,
    GET_METADATA,
    GET_METADATA_SIZE,
    GET_VERSION,
    PICOWATT_HOUR_J,
    WindowsMeter,
    channel_names,
    energies_j,
    over,
)
from edge_slm.energy.meters.windows_device import ENERGY_METER

INTEL = ("RAPL_Package0_PKG", "RAPL_Package0_PP0", "RAPL_Package0_PP1", "RAPL_Package0_DRAM")


class Opening(ctypes.Structure):
    """The fixed part of EMI_METADATA_V2, with the alignment of the compiler."""

    _fields_ = (
        ("HardwareOEM", ctypes.c_uint16 * 16),
        ("HardwareModel", ctypes.c_uint16 * 16),
        ("HardwareRevision", ctypes.c_uint16),
        ("ChannelCount", ctypes.c_uint16),
    )


class Only(ctypes.Structure):
    """The fixed part of EMI_METADATA_V1."""

    _fields_ = (
        ("MeasurementUnit", ctypes.c_int32),
        ("HardwareOEM", ctypes.c_uint16 * 16),
        ("HardwareModel", ctypes.c_uint16 * 16),
        ("HardwareRevision", ctypes.c_uint16),
        ("MeteredHardwareNameSize", ctypes.c_uint16),
    )


def wide(name: str) -> bytes:
    """Return a null-terminated string of WCHARs."""
    return (name + "\0").encode("utf-16-le")


def metadata_v2(*names: str, unit: int = 0) -> bytes:
    """Return EMI_METADATA_V2; EMI_CHANNEL_V2 is a unit, the bytes of the name, the name."""
    opening = Opening(ChannelCount=len(names))
    channels = [struct.pack("<iH", unit, len(wide(name))) + wide(name) for name in names]
    return bytes(opening) + b"".join(channels)


def metadata_v1(name: str) -> bytes:
    """Return EMI_METADATA_V1."""
    return bytes(Only(MeteredHardwareNameSize=len(wide(name)))) + wide(name)


def measured(*picowatt_hours: int) -> bytes:
    """Return EMI_CHANNEL_MEASUREMENT_DATA, one after the other."""
    return b"".join(struct.pack("<QQ", energy, 10_000_000) for energy in picowatt_hours)


class Emi:
    """A device, by what it answers."""

    def __init__(
        self,
        names: tuple[str, ...] = INTEL,
        energies: tuple[int, ...] = (10**12, 9 * 10**11, 10**9, 0),
        *,
        metadata: bytes | None = None,
        version: int = 2,
        size: int | None = None,
    ) -> None:
        self.metadata = metadata_v2(*names) if metadata is None else metadata
        self.energies = energies
        self.version = version
        self.size = len(self.metadata) if size is None else size
        self.gone = False
        self.open = True

    def ask(self, code: int, size: int) -> bytes:
        """Answer an IOCTL."""
        if self.gone:
            raise OSError(433, "A device which does not exist was specified")
        answers = {
            GET_VERSION: struct.pack("<H", self.version),
            GET_METADATA_SIZE: struct.pack("<L", self.size),
            GET_METADATA: self.metadata,
            GET_MEASUREMENT: measured(*self.energies),
        }
        return answers[code][:size]

    def close(self) -> None:
        """Note that it was let go."""
        self.open = False


def meter_over(*devices: Emi) -> WindowsMeter:
    """Return a meter over these devices."""
    found = over([str(at) for at in range(len(devices))], lambda path: devices[int(path)])
    assert isinstance(found, WindowsMeter), found
    return found


def joules(meter: WindowsMeter) -> list[float]:
    """Return what a meter reads, each channel of which must have a figure."""
    values = meter.read()
    assert None not in values
    return [value for value in values if value is not None]


def test_the_codes_and_the_interface_are_those_of_the_header() -> None:
    # CTL_CODE(FILE_DEVICE_UNKNOWN 0x22, function, METHOD_BUFFERED 0, FILE_READ_ACCESS 1)
    codes = [(0x22 << 16) | (1 << 14) | (function << 2) for function in range(4)]
    assert codes == [GET_VERSION, GET_METADATA_SIZE, GET_METADATA, GET_MEASUREMENT]
    assert uuid.UUID("{45BD8344-7ED6-49CF-A440-C276C933B053}") == ENERGY_METER


def test_only_the_package_counts_in_joules() -> None:
    device = Emi(energies=(10**12, 5, 6, 7))
    meter = meter_over(device)
    assert (meter.method, meter.scope, meter.name) == ("rapl", "package", "EMI (RAPL_Package0_PKG)")
    assert [(one.name, one.kind) for one in meter.channels] == [("RAPL_Package0_PKG", "energy")]
    assert joules(meter) == pytest.approx([3600])  # one watt-hour
    device.energies = (2 * 10**12, 5, 6, 7)
    assert joules(meter) == pytest.approx([7200])


def test_two_sockets_are_two_channels() -> None:
    names = ("RAPL_Package0_PKG", "RAPL_Package0_DRAM", "RAPL_Package1_PKG", "RAPL_Package1_DRAM")
    meter = meter_over(Emi(names, (10**12, 1, 2 * 10**12, 1)))
    assert meter.labels == ["RAPL_Package0_PKG", "RAPL_Package1_PKG"]
    assert joules(meter) == pytest.approx([3600, 7200])


def test_dies_that_mirror_one_counter_count_once() -> None:
    names = ("RAPL_Package0_Die0_PKG", "RAPL_Package0_Die1_PKG")
    assert len(meter_over(Emi(names, (10**12, 10**12 + 3))).labels) == 1
    two = meter_over(Emi(("RAPL_Package0_PKG",), (10**12,)), Emi(("RAPL_Package0_PKG",), (10**12,)))
    assert len(two.parts) == 1


def test_a_device_that_is_gone_gives_no_figure_and_comes_back() -> None:
    device = Emi()
    meter = meter_over(device)
    device.gone = True
    assert meter.read() == [None]
    device.gone, device.energies = False, ()
    assert meter.read() == [None]
    device.energies = (10**12, 0, 0, 0)
    assert joules(meter) == pytest.approx([3600])


def test_devices_are_let_go() -> None:
    package, screen = Emi(), Emi(("Display",), (5,))
    meter = meter_over(package, screen)
    assert not screen.open
    assert package.open
    meter.close()
    assert not package.open


@pytest.mark.parametrize(
    "device",
    [
        Emi(("SYSTEM", "GPU"), (1, 2)),
        Emi(version=3),
        Emi(version=1, metadata=metadata_v1("Battery"), energies=(1,)),
        Emi(metadata=metadata_v2(*INTEL, unit=1)),
        Emi(metadata=metadata_v2(*INTEL)[:-9]),
        Emi(metadata=b"", size=0),
        Emi(size=2**32 - 1),
        Emi(energies=(1,)),
    ],
    ids=["others", "version", "battery", "unit", "cut", "empty", "huge", "short"],
)
def test_a_device_that_says_something_else_is_no_meter(device: Emi) -> None:
    found = over(["only"], lambda _: device)
    assert isinstance(found, Absent)
    assert "Windows 11" in found.reason
    assert not device.open


def test_no_device_and_one_that_does_not_open_are_no_meter() -> None:
    def refused(path: str) -> Emi:
        raise PermissionError(path)

    assert isinstance(over([], refused), Absent)
    assert isinstance(over(["a"], refused), Absent)


def test_the_first_version_has_one_channel() -> None:
    assert channel_names(1, metadata_v1("RAPL_Package0_PKG")) == ["RAPL_Package0_PKG"]
    device = Emi(version=1, metadata=metadata_v1("RAPL_Package0_PKG"), energies=(10**12,))
    assert joules(meter_over(device)) == pytest.approx([3600])


def test_elsewhere_there_is_no_windows(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert isinstance(windows.find(tmp_path), Absent)
    if sys.platform != "win32":
        assert "not Windows" in str(windows.find())


names = st.text(st.characters(codec="utf-16-le", exclude_characters="\0"), max_size=40)


@given(st.lists(names, max_size=12))
def test_any_names_come_back_as_they_were_laid_out(given_names: list[str]) -> None:
    assert channel_names(2, metadata_v2(*given_names) + b"\0\0") == given_names


@given(names)
def test_so_does_the_one_of_the_first_version(name: str) -> None:
    assert channel_names(1, metadata_v1(name)) == [name]


@given(st.lists(names, min_size=1, max_size=6), st.data())
def test_metadata_that_is_cut_anywhere_is_refused(
    given_names: list[str], data: st.DataObject
) -> None:
    whole = metadata_v2(*given_names)
    cut = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(ValueError):
        channel_names(2, whole[:cut])


@given(st.integers(), st.binary(max_size=400))
def test_any_bytes_are_names_or_refused(version: int, raw: bytes) -> None:
    for known in (1, 2, version):
        try:
            found = channel_names(known, raw)
        except ValueError:
            continue
        assert all(isinstance(name, str) for name in found)


@given(st.lists(st.integers(0, 2**64 - 1), max_size=20))
def test_energies_are_picowatt_hours(energies: list[int]) -> None:
    raw = measured(*energies)
    assert energies_j(raw, len(energies)) == [one * PICOWATT_HOUR_J for one in energies]
    with pytest.raises(ValueError):
        energies_j(raw, len(energies) + 1)
