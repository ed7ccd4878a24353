"""The machine and its conditions, read from recorded trees."""

import dataclasses
import subprocess
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from edge_slm.bench import fingerprint
from edge_slm.bench.conditions import Reading, conditions, reading, shares
from edge_slm.bench.fingerprint import machine, power, versions

LAPTOP = "".join(
    f"processor\t: {n}\nmodel name\t: Example i7 @ 2.80GHz\nphysical id\t: 0\n"
    f"core id\t\t: {n // 2}\nflags\t\t: fpu sse2 avx2\n\n"
    for n in range(4)
)
BOARD = "".join(f"processor\t: {n}\nFeatures\t: fp asimd\nCPU part\t: 0xd0b\n\n" for n in range(4))


def put(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


@pytest.fixture
def laptop(tmp_path: Path) -> Path:
    return put(
        tmp_path,
        {
            "proc/cpuinfo": LAPTOP,
            "proc/meminfo": "MemTotal:       16000000 kB\nMemFree: 1 kB\n",
            "proc/loadavg": "0.25 0.30 0.20 1/200 999\n",
            "proc/stat": "cpu  1000 0 500 9000 0 0 0 0 0 0\n"
            + "".join(f"cpu{n} 250 0 125 2250 0 0 0 0 0 0\n" for n in range(4)),
            "sys/class/power_supply/AC/type": "Mains\n",
            "sys/class/power_supply/AC/online": "1\n",
            "sys/class/power_supply/BAT0/type": "Battery\n",
            "sys/class/power_supply/BAT0/status": "Full\n",
            "sys/class/hwmon/hwmon0/name": "acpitz\n",
            "sys/class/hwmon/hwmon0/temp1_input": "99000\n",
            "sys/class/hwmon/hwmon1/name": "coretemp\n",
            "sys/class/hwmon/hwmon1/temp1_input": "61000\n",
            "sys/class/hwmon/hwmon1/temp2_input": "64000\n",
            "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "performance\n",
            "sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq": "4000000\n",
            "sys/devices/system/cpu/cpu1/cpufreq/scaling_cur_freq": "3000000\n",
            "sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count": "7\n",
            "sys/devices/system/cpu/cpu1/thermal_throttle/core_throttle_count": "7\n",
        },
    )


def test_a_laptop_is_known(laptop: Path) -> None:
    found = machine(laptop)
    assert (found.cpu, found.cores, found.threads) == ("Example i7 @ 2.80GHz", 2, 4)
    assert (found.ram, found.virtual, found.power) == (16_384_000_000, False, "mains")


def test_the_id_stays_on_battery_and_with_another_kernel_but_not_with_more_memory(
    laptop: Path,
) -> None:
    plugged = machine(laptop)
    put(laptop, {"sys/class/power_supply/BAT0/status": "Discharging\n"})
    put(laptop, {"proc/meminfo": "MemTotal:       15990000 kB\n"})
    moved = machine(laptop)
    assert (moved.power, moved.id) == ("battery", plugged.id)
    put(laptop, {"proc/meminfo": "MemTotal:       32000000 kB\n"})
    assert machine(laptop).id != plugged.id


def test_a_hypervisor_says_so(laptop: Path) -> None:
    put(laptop, {"proc/cpuinfo": LAPTOP.replace("sse2", "sse2 hypervisor")})
    assert machine(laptop).virtual is True


def test_a_board_is_named_by_its_device_tree(tmp_path: Path) -> None:
    model = "Raspberry Pi 5 Model B Rev 1.0\0"
    put(tmp_path, {"proc/cpuinfo": BOARD, "proc/device-tree/model": model})
    found = machine(tmp_path)
    assert found.cpu == "Raspberry Pi 5 Model B Rev 1.0"
    assert (found.threads, found.cores, found.virtual, found.power) == (4, 4, None, None)


def test_the_battery_of_a_mouse_says_nothing_of_the_machine(tmp_path: Path) -> None:
    mouse = {"type": "Battery", "status": "Discharging", "scope": "Device"}
    put(tmp_path, {f"sys/class/power_supply/hid/{name}": text for name, text in mouse.items()})
    assert power(tmp_path) is None


def test_this_machine_and_its_versions_are_known() -> None:
    found = machine()
    assert found.ram > 0 and found.cores >= 1 and len(found.id) == 12
    assert found == machine()
    assert {"edge_slm", "python", "numpy", "system"} <= versions().keys()


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (b"NVIDIA Example\nNVIDIA Example\n", "NVIDIA Example, NVIDIA Example"),
        (b"", None),
        (subprocess.TimeoutExpired("nvidia-smi", 5), None),
        (subprocess.CalledProcessError(9, "nvidia-smi"), None),
        (PermissionError(13, "no"), None),
    ],
)
def test_a_card_is_named_by_its_driver_or_not_at_all(
    monkeypatch: pytest.MonkeyPatch, outcome: bytes | Exception, expected: str | None
) -> None:
    def ran(*_: object, **__: object) -> subprocess.CompletedProcess[bytes]:
        if isinstance(outcome, Exception):
            raise outcome
        return subprocess.CompletedProcess([], 0, outcome, b"")

    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr("subprocess.run", ran)
    fingerprint._gpu.cache_clear()
    try:
        assert machine().gpu == expected
    finally:
        fingerprint._gpu.cache_clear()


def test_a_quiet_machine_has_no_note(laptop: Path) -> None:
    before = reading(laptop)
    found = conditions(before, reading(laptop))
    assert (found.load, found.governor, found.mhz) == (0.25, "performance", (3500.0, 3500.0))
    assert (found.celsius, found.throttled) == ((64.0, 64.0), 0)
    assert found.note == ""


def change(one: Reading, **changes: object) -> Reading:
    return dataclasses.replace(one, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("before", "after", "note"),
    [
        ({"load": 2.1, "busy_s": None}, {}, "load 2.10 on 4 processors before the start"),
        ({"power": "battery"}, {}, "on battery"),
        ({}, {"power": "battery"}, "on battery"),
        ({"governor": "performance/powersave"}, {}, "governor powersave"),
        (
            {"throttles": {"cpu0": 3, "cpu1": 3}},
            {"throttles": {"cpu0": 5, "cpu1": 5}},
            "throttled 2",
        ),
        ({"mhz": 4000.0}, {"mhz": 2200.0}, "frequency fell from 4000 to 2200 MHz"),
        ({}, {"busy_s": 20.0, "own_s": 4.0}, "other programs took 40 % of the processors"),
        ({}, {"stolen_s": 10.0}, "the hypervisor took 25 % of the processors away"),
    ],
)
def test_what_taints_a_run_is_said(
    laptop: Path, before: dict[str, object], after: dict[str, object], note: str
) -> None:
    calm = change(
        reading(laptop), busy_s=0.0, stolen_s=0.0, own_s=0.0, monotonic_s=0.0, load=0.1, threads=4
    )
    later = change(calm, monotonic_s=10.0)
    assert conditions(calm, later).note == ""
    said = conditions(change(calm, **before), change(later, **after)).note
    assert said.startswith(note) and ";" not in said


def test_a_load_that_was_our_own_is_not_said(laptop: Path) -> None:
    calm = change(reading(laptop), busy_s=0.0, own_s=0.0, stolen_s=0.0, monotonic_s=0.0, load=3.9)
    ours = change(calm, busy_s=19.5, own_s=19.5, monotonic_s=5.0)
    assert conditions(calm, ours).note == ""
    others = change(ours, own_s=0.0)
    assert conditions(calm, others).note.startswith("load 3.90 on 4 processors")


def test_what_the_system_does_not_tell_is_none(tmp_path: Path) -> None:
    found = reading(tmp_path)
    assert (found.governor, found.mhz, found.celsius, found.throttles) == (None, None, None, {})
    said = conditions(found, reading(tmp_path))
    assert said.throttled is None and said.mhz == (None, None)
    assert shares(found, found) == (None, None)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(some.dictionaries(some.integers(0, 20), some.binary(max_size=80), min_size=1))
def test_no_content_of_a_system_file_breaks_a_reading(
    laptop: Path, noise: dict[int, bytes]
) -> None:
    files = sorted(path for path in laptop.rglob("*") if path.is_file())
    for place, data in noise.items():
        files[place % len(files)].write_bytes(data)
    first, second = reading(laptop), reading(laptop)
    msgspec.json.encode(conditions(first, second))
    msgspec.json.encode(machine(laptop))
