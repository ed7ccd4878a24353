"""Trees of /sys and /proc as boards and laptops have them, written below a folder of a test."""

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

NOBODY = 65534
UGLY = {
    "empty": b"",
    "blank": b" \n",
    "words": b"n/a\n",
    "half a number": b"12x4\n",
    "a fraction": b"4.2\n",
    "too long": b"9" * 5000,
    "binary": bytes(range(256)),
    "NULs": b"\0\0\0\0",
    "infinite": b"inf\n",
}

# As a Raspberry Pi 5 prints it (form: README of jfikar/RPi5-power), with figures of its own: the
# rails give 0.5 + 0.8 + 2.25 + nine of 0.1 W = 4.45 W.
_RAILS = {
    "3V7_WL_SW": (0.125, 4.0),
    "3V3_SYS": (0.25, 3.2),
    "1V8_SYS": (0.0625, 1.6),
    "DDR_VDD2": (0.1, 1.0),
    "DDR_VDDQ": (0.2, 0.5),
    "1V1_SYS": (0.1, 1.0),
    "0V8_SW": (0.125, 0.8),
    "VDD_CORE": (2.5, 0.9),
    "3V3_DAC": (0.03125, 3.2),
    "3V3_ADC": (0.03125, 3.2),
    "0V8_AON": (0.125, 0.8),
    "HDMI": (0.02, 5.0),
}
PI5_WATTS = 4.45


def pi5_output(**volts_and_amperes: str) -> str:
    """Return what `vcgencmd pmic_read_adc` prints; a keyword such as VDD_CORE_A sets a figure."""
    lines = [
        *(f"{rail}_A current({at})={amps:.8f}A" for at, (rail, (amps, _)) in _numbered(0)),
        *(f"{rail}_V volt({at})={volts:.8f}V" for at, (rail, (_, volts)) in _numbered(12)),
        "EXT5V_V volt(24)=5.06788000V",
        "BATT_V volt(25)=3.01110800V",
    ]
    printed = ""
    for line in lines:
        name, _, held = line.partition(" ")
        what, _, figure = held.partition("=")
        printed += f"{name:>12} {what}={volts_and_amperes.get(name, figure)}\n"
    return printed


def _numbered(first: int) -> Iterator[tuple[int, tuple[str, tuple[float, float]]]]:
    return iter(enumerate(_RAILS.items(), first))


def pi5(root: Path, model: str = "Raspberry Pi 5 Model B Rev 1.0") -> Path:
    """Write what says that this is a Raspberry Pi 5."""
    put(root / "proc/device-tree", {"model": f"{model}\0"})
    return root


def vcgencmd(folder: Path, script: str) -> Path:
    """Write a program “vcgencmd” of shell lines into a folder, which is to be on PATH."""
    program = folder / "vcgencmd"
    put(folder, {"vcgencmd": f"#!/bin/sh\n{script}\n"})
    program.chmod(0o755)
    return program


def put(folder: Path, files: Mapping[str, object]) -> Path:
    """Write files into a folder: bytes as they are, else as text with an end of line."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, held in files.items():
        (folder / name).write_bytes(held if isinstance(held, bytes) else f"{held}\n".encode())
    return folder


def chip(
    root: Path, name: str, files: Mapping[str, object], number: int = 0, address: str = "1-0040"
) -> Path:
    """Write a chip on the I2C bus with its hwmon folder, and the links that lead there."""
    device = root / "sys/devices/platform/c240000.i2c/i2c-1" / address
    folder = put(device / "hwmon" / f"hwmon{number}", {"name": name, **files})
    link(root / f"sys/class/hwmon/hwmon{number}", folder)
    link(root / f"sys/bus/i2c/drivers/{name}/{address}", device)
    return folder


def link(at: Path, to: Path) -> None:
    """Make a symbolic link, and the folder that it is in."""
    at.parent.mkdir(parents=True, exist_ok=True)
    at.symlink_to(to)


def renumber(root: Path, old: int, new: int, address: str = "1-0040") -> None:
    """Give a hwmon folder another number, as a driver does that is loaded again."""
    folder = root / "sys/devices/platform/c240000.i2c/i2c-1" / address / "hwmon"
    (folder / f"hwmon{old}").rename(folder / f"hwmon{new}")
    (root / f"sys/class/hwmon/hwmon{old}").unlink()
    link(root / f"sys/class/hwmon/hwmon{new}", folder / f"hwmon{new}")


def three_rails(rails: Mapping[str, tuple[object, object]]) -> dict[str, object]:
    """Return files of an INA3221 by label, (mV, mA); with the shunts and their sum after them."""
    files: dict[str, object] = {"in7_label": "sum of shunt voltages", "in7_input": 900}
    for place, (label, (volts, amperes)) in enumerate(rails.items(), 1):
        files |= {f"in{place}_label": label, f"in{place}_input": volts}
        files |= {f"curr{place}_input": amperes, f"in{place + 3}_input": 300}
    return files | {"curr4_input": 999}


def orin_nx(root: Path) -> Path:
    """Write a Jetson Orin NX with JetPack 5: 5 V x 2 A in, of which two rails are a part."""
    rails = {"VDD_IN": (5000, 2000), "VDD_CPU_GPU_CV": (5000, 800), "VDD_SOC": (5000, 400)}
    return chip(root, "ina3221", three_rails(rails), number=3)


def agx_xavier(root: Path) -> None:
    """Write a Jetson AGX Xavier: six rails of 12 V x 0.1 A side by side, and no total."""
    for address, labels in (("1-0040", "GPU CPU SOC"), ("1-0041", "CV VDDRQ SYS5V")):
        rails = dict.fromkeys(labels.split(), (12_000, 100))
        device = root / "sys/bus/i2c/drivers/ina3221" / address
        if not device.exists():
            chip(root, "ina3221", three_rails(rails), int(address[-1]), address)


def nano(root: Path) -> Path:
    """Write a Jetson Nano with JetPack 4: 2.5 W in, by the driver below iio."""
    device = root / "sys/devices/7000c400.i2c/i2c-6/6-0040"
    put(device, {"name": "ina3221x"})
    rails = {"POM_5V_IN": 2500, "POM_5V_GPU": 40, "POM_5V_CPU": 1200}
    for place, (label, milliwatts) in enumerate(rails.items()):
        files: dict[str, object] = {
            f"rail_name_{place}": label,
            f"in_power{place}_input": milliwatts,
            f"in_voltage{place}_input": 5000,
            f"in_current{place}_input": milliwatts // 5,
        }
        put(device / "iio:device0", files)
    link(root / "sys/bus/i2c/drivers/ina3221x/6-0040", device)
    return device / "iio:device0"


def ina226(root: Path, number: int = 1, **files: object) -> Path:
    """Write a board with an INA226 on its supply: 12 V x 0.5 A, 6 W."""
    usual = {"in0_input": 5, "in1_input": 12_000, "curr1_input": 500, "power1_input": 6_000_000}
    held = {name: value for name, value in (usual | files).items() if value is not None}
    return chip(root, "ina226", held, number)


def pc(root: Path) -> None:
    """Write a PC whose sensors hold no supply: an SSD, a processor, a graphics card, a battery."""
    sensors: dict[str, dict[str, object]] = {
        "nvme": {"temp1_input": 35_850},
        "coretemp": {"temp1_input": 41_000, "temp1_label": "Package id 0"},
        "amdgpu": {"power1_average": 9_000_000, "power1_input": 9_000_000, "in0_input": 900},
        "BAT0": {"in0_input": 12_000, "curr1_input": 700, "power1_input": 8_000_000},
        "i915": {"energy1_input": 123_456_789},
    }
    for number, (name, files) in enumerate(sensors.items()):
        put(root / f"sys/class/hwmon/hwmon{number}", {"name": name, **files})


def battery(root: Path, name: str = "BAT0", /, **files: object) -> Path:
    """Write a battery of 50 Wh that gives 8 W; a keyword sets a file, None takes it away."""
    usual: dict[str, object] = {
        **{"type": "Battery", "present": 1, "status": "Discharging", "power_now": 8_000_000},
        **{"energy_now": 40_000_000, "energy_full": 50_000_000, "voltage_now": 11_400_000},
    }
    held = {file: value for file, value in (usual | files).items() if value is not None}
    return put(root / "sys/class/power_supply" / name, held)


def charge_battery(root: Path, name: str = "BAT0", /, **files: object) -> Path:
    """Write a battery that counts charge: 0.5 A x 12 V, 3 Ah left."""
    gone: dict[str, object] = {"power_now": None, "energy_now": None, "energy_full": None}
    charge = {"current_now": 500_000, "voltage_now": 12_000_000, "charge_now": 3_000_000}
    return battery(root, name, **(gone | charge | files))


def charger(root: Path, online: object, name: str = "AC", kind: str = "Mains") -> Path:
    """Write a charger that is plugged in (1) or not (0)."""
    return put(root / "sys/class/power_supply" / name, {"type": kind, "online": online})


@contextmanager
def public_folder() -> Iterator[Path]:
    """Yield a folder that every user can enter; pytest's own is for the user who runs it only."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


@contextmanager
def ordinary_user() -> Iterator[None]:
    """Be no administrator in the block: to root, no file is refused. Elsewhere it does nothing."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
