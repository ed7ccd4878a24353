"""RAPL on written trees: which zones are read, what they are called, and why some cannot be."""

import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edge_slm.energy.meter import Absent, Meter
from edge_slm.energy.meters import rapl
from edge_slm.energy.meters.rapl import Rapl, find
from edge_slm.paths import permission_dir
from tests.energy import trees

PACKAGING = Path(__file__).parents[2] / "packaging/energy"
NOBODY = 65534


def found(root: Path, domain: rapl.Domain = "package") -> Rapl:
    meter = find(root, domain)
    assert isinstance(meter, Rapl), meter
    return meter


def absent(root: Path, domain: rapl.Domain = "package") -> Absent:
    meter = find(root, domain)
    assert isinstance(meter, Absent)
    assert meter.method == "rapl"
    return meter


def test_a_laptop_gives_its_package_and_nothing_that_is_part_of_it(tmp_path: Path) -> None:
    meter = found(trees.intel_laptop(tmp_path))
    assert [channel.name for channel in meter.channels] == ["package-0"]
    assert list(meter.read()) == [9000.0]
    assert (meter.method, meter.scope, meter.name) == ("rapl", "package", "RAPL: package-0")
    meter.close()


def test_the_meter_is_what_the_others_expect_of_one(tmp_path: Path) -> None:
    meter: Meter = found(trees.intel_laptop(tmp_path))
    assert len(meter.read()) == len(meter.channels)
    assert meter.channels[0].kind == "energy"


def test_each_reading_is_the_counter_of_that_moment(tmp_path: Path) -> None:
    meter = found(trees.intel_laptop(tmp_path))
    trees.set_uj(tmp_path, "0", 9_000_000_061)
    assert list(meter.read()) == [9000.000061]


def test_psys_is_read_when_asked_for_only_and_alone(tmp_path: Path) -> None:
    meter = found(trees.intel_laptop(tmp_path), "psys")
    assert [channel.name for channel in meter.channels] == ["psys"]
    assert meter.scope == "platform"
    assert list(meter.read()) == [20000.0]


def test_of_two_psys_one_is_the_board(tmp_path: Path) -> None:
    trees.server(tmp_path)
    trees.zone(tmp_path, "2", "psys-1", 7_000_000)
    trees.zone(tmp_path, "3", "psys", 8_000_000)
    assert [channel.name for channel in found(tmp_path, "psys").channels] == ["psys"]


def test_a_machine_without_psys_says_so(tmp_path: Path) -> None:
    assert "psys" in absent(trees.amd(tmp_path), "psys").reason


def test_memory_counts_where_every_package_has_it(tmp_path: Path) -> None:
    meter = found(trees.server(tmp_path))
    names = [channel.name for channel in meter.channels]
    assert names == ["package-0", "package-1", "package-0 dram", "package-1 dram"]
    assert list(meter.read()) == [2000.0, 1000.0, 200.0, 100.0]
    assert meter.scope == "package+dram"


def test_memory_of_some_packages_only_is_left_out(tmp_path: Path) -> None:
    trees.server(tmp_path)
    (tmp_path / trees.CLASS / "intel-rapl:1:0" / "energy_uj").unlink()
    meter = found(tmp_path)
    assert meter.scope == "package"
    assert [channel.name for channel in meter.channels] == ["package-0", "package-1"]


def test_dies_are_added_up_each_with_its_memory(tmp_path: Path) -> None:
    meter = found(trees.server_of_dies(tmp_path))
    assert meter.scope == "package+dram"
    assert sum(joules or 0.0 for joules in meter.read()) == pytest.approx(10_040.0)
    assert meter.channels[3].name == "package-1-die-1"


def test_amd_has_the_same_names_and_a_smaller_range(tmp_path: Path) -> None:
    channel = found(trees.amd(tmp_path)).channels[0]
    assert channel.range_j == pytest.approx(65_532.61, abs=0.01)


def test_a_package_shown_twice_is_read_once(tmp_path: Path) -> None:
    assert list(found(trees.with_mmio(tmp_path)).read()) == [9000.0]


def test_the_double_serves_where_the_first_cannot_be_read(tmp_path: Path) -> None:
    trees.with_mmio(tmp_path)
    (tmp_path / trees.CLASS / "intel-rapl:0" / "energy_uj").unlink()
    assert list(found(tmp_path).read()) == [9000.1]


def test_a_package_that_only_the_double_shows_is_read(tmp_path: Path) -> None:
    trees.zone(tmp_path, "0", "package-0", 5_000_000, control="intel-rapl-mmio")
    assert list(found(tmp_path).read()) == [5.0]


def test_the_name_counts_not_the_number(tmp_path: Path) -> None:
    trees.zone(tmp_path, "0", "psys", 1)
    trees.zone(tmp_path, "1", "package-0", 4_000_000)
    assert list(found(tmp_path).read()) == [4.0]


def test_the_unit_follows_from_the_range(tmp_path: Path) -> None:
    trees.intel_laptop(tmp_path)
    channel = found(tmp_path).channels[0]
    unit = 61.035e-6
    assert channel.range_j == pytest.approx(unit * 2**32)
    # 44 W, its higher limit, over the millisecond that the counter may be late
    assert channel.step_j == pytest.approx(unit + 0.044)


def test_a_platform_that_counts_in_whole_joules_says_so(tmp_path: Path) -> None:
    trees.zone(tmp_path, "0", "psys", 60_293_987_000_000, trees.RANGE_WHOLE_J)
    channel = found(tmp_path, "psys").channels[0]
    assert channel.step_j >= 1.0
    assert channel.step_j < 1.6


@pytest.mark.parametrize("limit", ["0", "4095000000", "", "-1", "x"])
def test_a_limit_that_means_nothing_leaves_the_most_that_is_sold(
    tmp_path: Path, limit: str
) -> None:
    folder = trees.zone(tmp_path, "0", "package-0", 1, limits_w=(15,))
    (folder / "constraint_0_power_limit_uw").write_text(limit)
    assert found(tmp_path).channels[0].step_j == pytest.approx(0.5, rel=0.01)


@pytest.mark.parametrize("text", ["0", "", "none", "-5"])
def test_without_a_range_a_fall_is_never_taken_for_a_wrap(tmp_path: Path, text: str) -> None:
    folder = trees.zone(tmp_path, "0", "package-0", 1)
    (folder / "max_energy_range_uj").write_text(text)
    meter = found(tmp_path)
    assert meter.channels[0].range_j is None
    assert meter.channels[0].step_j > 0
    assert meter.interval_s == 10.0


@pytest.mark.parametrize("range_uj", [trees.RANGE_61, trees.RANGE_15, 10**9, 10**8])
def test_a_reading_is_due_before_the_counter_can_wrap_unseen(tmp_path: Path, range_uj: int) -> None:
    trees.zone(tmp_path, "0", "package-0", 1, range_uj)
    meter = found(tmp_path)
    channel = meter.channels[0]
    assert channel.range_j is not None
    assert 0 < meter.interval_s <= channel.range_j / (2 * channel.most_w) + 1e-9


def test_a_tiny_range_does_not_make_the_program_spin(tmp_path: Path) -> None:
    trees.zone(tmp_path, "0", "package-0", 1, 1000)
    assert found(tmp_path).interval_s == 0.01


def test_a_machine_without_counters_says_so(tmp_path: Path) -> None:
    reason = absent(tmp_path)
    assert "/sys/class/powercap" in reason.reason
    assert not reason.mendable


def test_a_powercap_folder_that_containers_hide_counts_as_none(tmp_path: Path) -> None:
    trees.intel_laptop(tmp_path)
    # what they hide is replaced by an empty folder, and the links of the class lead nowhere
    (tmp_path / trees.DEVICES).rename(tmp_path / "hidden")
    (tmp_path / trees.DEVICES).mkdir()
    assert "containers" in absent(tmp_path).reason


def test_a_powercap_that_is_a_file_counts_as_none(tmp_path: Path) -> None:
    (tmp_path / "sys/class").mkdir(parents=True)
    (tmp_path / trees.CLASS).write_bytes(b"\x00")
    assert not absent(tmp_path).mendable


def test_other_control_types_are_not_ours(tmp_path: Path) -> None:
    trees.control_type(tmp_path, "idle_inject")
    trees.zone(tmp_path, "0", "package-0", 1, control="dtpm")
    absent(tmp_path)


def test_a_control_type_without_a_zone_counts_as_none(tmp_path: Path) -> None:
    trees.control_type(tmp_path)
    absent(tmp_path)


def test_zones_without_a_package_say_so(tmp_path: Path) -> None:
    trees.zone(tmp_path, "0", "core", 1)
    assert "package" in absent(tmp_path).reason


def _gone(file: Path) -> None:
    file.unlink()


def _folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


def _holding(content: bytes) -> Callable[[Path], None]:
    def write(file: Path) -> None:
        file.write_bytes(content)

    return write


BROKEN: list[Callable[[Path], None]] = [
    _gone,
    _folder,
    *map(_holding, [b"", b"\n", b"-5\n", b"1.5\n", b"0x10\n", b"\xff\xfe", b"nan", b"\x00" * 9]),
    _holding("٣".encode()),
    _holding(b"x" * 10**6),
    _holding(b"9" * 10**6),
    _holding(b"9" * 21),
]


@pytest.mark.parametrize("spoil", BROKEN)
def test_a_counter_that_is_no_number_is_refused_by_name(
    tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    trees.intel_laptop(tmp_path)
    spoil(tmp_path / trees.CLASS / "intel-rapl:0" / "energy_uj")
    reason = absent(tmp_path)
    assert "package-0" in reason.reason
    assert "/sys/class/powercap/intel-rapl:0/energy_uj" in reason.reason
    assert str(tmp_path) not in reason.reason
    assert not reason.mendable


@pytest.mark.parametrize("spoil", BROKEN)
def test_a_counter_that_fails_later_gives_none_and_comes_back(
    tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    meter = found(trees.server(tmp_path))
    file = tmp_path / trees.CLASS / "intel-rapl:1" / "energy_uj"
    spoil(file)
    assert list(meter.read()) == [None, 1000.0, 200.0, 100.0]
    if file.is_dir():
        file.rmdir()
    trees.set_uj(tmp_path, "1", 2_000_000_001)
    assert meter.read()[0] == 2000.000001


def test_the_largest_number_of_the_kernel_is_one(tmp_path: Path) -> None:
    meter = found(trees.intel_laptop(tmp_path))
    trees.set_uj(tmp_path, "0", 2**64 - 1)
    assert list(meter.read()) == [(2**64 - 1) / 1e6]


def test_a_zone_that_goes_with_its_processor_gives_none(tmp_path: Path) -> None:
    meter = found(trees.intel_laptop(tmp_path))
    (tmp_path / trees.CLASS / "intel-rapl:0").unlink()
    assert list(meter.read()) == [None]


def test_one_broken_package_of_two_is_not_measured_by_half(tmp_path: Path) -> None:
    trees.server(tmp_path)
    (tmp_path / trees.CLASS / "intel-rapl:0" / "energy_uj").unlink()
    assert "package-1" in absent(tmp_path).reason


@pytest.fixture
def not_the_administrator(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Yield an empty folder, and give up root for the test.

    Root may read every file, whatever its mode; so the test becomes “nobody” for a while, outside
    of pytest's own folder, which others cannot enter.
    """
    # Nor may others enter the folder of the project, perhaps.
    monkeypatch.setattr(rapl, "permission_dir", lambda: PACKAGING)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder
        if os.geteuid() == NOBODY:
            os.seteuid(0)


def _become_nobody() -> None:
    if os.geteuid() == 0:
        os.seteuid(NOBODY)


@pytest.mark.skipif(not hasattr(os, "seteuid"), reason="no such users here")
def test_counters_that_only_the_administrator_may_read_say_how_to_mend_it(
    not_the_administrator: Path,
) -> None:
    root = trees.close_to_others(trees.server(not_the_administrator))
    _become_nobody()
    reason = absent(root)
    assert reason.mendable
    assert "60-edge-slm-energy.rules" in reason.reason
    assert f"sudo sh {PACKAGING / 'install.sh'} $USER" in reason.reason


@pytest.mark.skipif(not hasattr(os, "seteuid"), reason="no such users here")
def test_a_right_taken_away_later_gives_none(not_the_administrator: Path) -> None:
    meter = found(trees.intel_laptop(not_the_administrator))
    trees.close_to_others(not_the_administrator)
    _become_nobody()
    assert list(meter.read()) == [None]


@pytest.mark.skipif(not hasattr(os, "seteuid"), reason="no such users here")
def test_closed_memory_does_not_keep_the_package_from_being_read(
    not_the_administrator: Path,
) -> None:
    trees.server(not_the_administrator)
    (not_the_administrator / trees.CLASS / "intel-rapl:0:0" / "energy_uj").chmod(0)
    _become_nobody()
    assert found(not_the_administrator).scope == "package"


@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_refusal_is_a_sentence_in_both_languages(
    tmp_path: Path, language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGE_SLM_LANG", language)
    none = absent(tmp_path / "none").reason
    trees.zone(tmp_path, "0", "package-0", 1)
    no_psys = absent(tmp_path, "psys").reason
    (tmp_path / trees.CLASS / "intel-rapl:0" / "energy_uj").unlink()
    broken = absent(tmp_path).reason
    for reason in (none, no_psys, broken):
        assert reason.endswith(".")
        assert ("processeur" in reason) == (language == "fr")


def test_what_the_sentence_names_is_shipped() -> None:
    assert (permission_dir() / rapl.RULE).is_file()
    assert (permission_dir() / rapl.SCRIPT).is_file()


def test_the_rule_opens_the_counters_to_its_group_only() -> None:
    rule = "".join(
        line.rstrip("\\\n")
        for line in (PACKAGING / "60-edge-slm-energy.rules").read_text().splitlines(keepends=True)
        if not line.startswith("#")
    )
    runs = [part.strip() for part in rule.split("RUN+=")[1:]]
    assert any(run.startswith('"/bin/chgrp edge-slm-energy ') for run in runs)
    modes = [run.split()[1] for run in runs if run.startswith('"/bin/chmod')]
    assert sorted(modes) == ["0440", "g+r"]
    assert 'SUBSYSTEM=="powercap"' in rule


def test_the_installer_is_a_shell_script_that_wants_a_name() -> None:
    script = PACKAGING / "install.sh"
    subprocess.run(["sh", "-n", script], check=True)
    for wrong in ([], ["--help"]):
        done = subprocess.run(["sh", script, *wrong], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (2, "")
        assert "usage:" in done.stderr


@pytest.mark.parametrize("arguments", [["agent"], ["--undo"]])
def test_the_installer_calls_what_its_guide_says(tmp_path: Path, arguments: list[str]) -> None:
    """Each program is replaced by one that writes down how it was called: nothing is changed."""
    log = tmp_path / "log"
    for name in ("id", "getent", "groupadd", "groupdel", "usermod", "install", "rm", "udevadm"):
        program = tmp_path / name
        known = "exit 1" if name == "getent" and arguments != ["--undo"] else "exit 0"
        program.write_text(f'#!/bin/sh\necho "{name} $*" >> "{log}"\n{known}\n')
        program.chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    for name in ("chgrp", "chmod"):  # on a machine that has counters
        (tmp_path / name).symlink_to("/bin/true")
    subprocess.run(
        ["sh", PACKAGING / "install.sh", *arguments], check=True, env={**os.environ, "PATH": path}
    )
    rule = "/etc/udev/rules.d/60-edge-slm-energy.rules"
    source = PACKAGING / "60-edge-slm-energy.rules"
    expected = {
        "agent": [
            "id agent",
            "getent group edge-slm-energy",
            "groupadd --system edge-slm-energy",
            "usermod --append --groups edge-slm-energy agent",
            f"install -m 0644 {source} {rule}",
            "udevadm control --reload",
            "udevadm trigger --action=change --subsystem-match=powercap",
        ],
        "--undo": [
            f"rm -f {rule}",
            "udevadm control --reload",
            "getent group edge-slm-energy",
            "groupdel edge-slm-energy",
        ],
    }
    assert log.read_text().splitlines() == expected[arguments[0]]
