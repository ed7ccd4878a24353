"""The power chip of a Raspberry Pi 5, by a program of the same name that plays a recording."""

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_slm.energy.meter import Absent
from edge_slm.energy.meters import pmic
from edge_slm.energy.meters.pmic import PmicMeter, find, rail_watts
from tests.energy import board_trees as trees


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that stands before all others on PATH."""
    programs = tmp_path / "programs"
    programs.mkdir()
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    return programs


def _plays(folder: Path, output: str, status: int = 0) -> None:
    """Have vcgencmd print this, and check that it was asked for the rails."""
    (folder / "recorded").write_text(output, encoding="utf-8")
    script = f'[ "$*" = pmic_read_adc ] && cat "{folder}/recorded"\nexit {status}'
    trees.vcgencmd(folder, script)


def _found(root: Path) -> PmicMeter:
    meter = find(trees.pi5(root))
    assert isinstance(meter, PmicMeter)
    return meter


def _absent(root: Path) -> Absent:
    absent = find(trees.pi5(root))
    assert isinstance(absent, Absent)
    assert absent.method == "hwmon"
    return absent


def test_the_rails_of_a_raspberry_pi_5_are_added(tmp_path: Path, folder: Path) -> None:
    _plays(folder, trees.pi5_output())
    meter = _found(tmp_path)
    assert meter.read() == pytest.approx([trees.PI5_WATTS])
    assert (meter.method, meter.scope) == ("hwmon", "board")
    assert [(channel.name, channel.kind) for channel in meter.channels] == [("12 rails", "power")]


def test_each_reading_asks_anew(tmp_path: Path, folder: Path) -> None:
    _plays(folder, trees.pi5_output())
    meter = _found(tmp_path)
    _plays(folder, trees.pi5_output(VDD_CORE_A="0.50000000A"))
    assert meter.read() == pytest.approx([trees.PI5_WATTS - 1.8])


def test_there_are_twelve_rails_with_both_volts_and_amperes() -> None:
    watts = rail_watts(trees.pi5_output())
    assert len(watts) == 12
    assert watts["VDD_CORE"] == pytest.approx(2.25)
    assert not {"EXT5V", "BATT"} & watts.keys()


def test_the_line_fitted_by_others_is_not_applied_but_is_within_the_error(
    tmp_path: Path, folder: Path
) -> None:
    _plays(folder, trees.pi5_output())
    meter = _found(tmp_path)
    (watts,) = meter.read()
    assert watts is not None
    slope = 1.1451
    assert watts < watts * slope <= watts * (1 + meter.channels[0].error)


@pytest.mark.parametrize(
    "model",
    [
        "Raspberry Pi 4 Model B Rev 1.4",
        "Raspberry Pi 500 Rev 1.0",
        "Raspberry Pi Compute Module 4 Rev 1.0",
        "Not a Raspberry Pi 5",
        "",
        "\xff" * 5000,
    ],
)
def test_other_boards_are_not_asked(tmp_path: Path, folder: Path, model: str) -> None:
    trees.vcgencmd(folder, f'touch "{folder}/asked"')
    absent = find(trees.pi5(tmp_path, model))
    assert isinstance(absent, Absent)
    assert "no Raspberry Pi 5" in absent.reason
    assert not absent.mendable
    assert not (folder / "asked").exists()


def test_a_machine_without_a_device_tree_is_no_raspberry_pi(tmp_path: Path) -> None:
    assert isinstance(find(tmp_path), Absent)


def test_a_missing_program_can_be_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    absent = _absent(tmp_path)
    assert absent.mendable
    assert "raspi-utils" in absent.reason


@pytest.mark.parametrize(
    "said",
    [
        "Can't open device file: /dev/vcio\nTry creating a device file with: sudo mknod ...\n",
        "VCHI initialization failed\n",
    ],
)
def test_a_user_outside_the_group_video_is_told_how_to_join(
    tmp_path: Path, folder: Path, said: str
) -> None:
    _plays(folder, said, status=255)
    absent = _absent(tmp_path)
    assert absent.mendable
    assert "usermod -aG video" in absent.reason


def test_what_is_said_on_standard_error_counts_too(tmp_path: Path, folder: Path) -> None:
    trees.vcgencmd(folder, 'echo "Can\'t open device file: /dev/vcio" >&2; exit 1')
    assert "video" in _absent(tmp_path).reason


def test_old_firmware_is_to_be_updated(tmp_path: Path, folder: Path) -> None:
    _plays(folder, 'error=1 error_msg="Command not registered"\n')
    assert "firmware" in _absent(tmp_path).reason


@pytest.mark.parametrize("held", trees.UGLY.values(), ids=trees.UGLY)
def test_nonsense_is_no_figure(tmp_path: Path, folder: Path, held: bytes) -> None:
    _plays(folder, trees.pi5_output())
    meter = _found(tmp_path)
    (folder / "recorded").write_bytes(held)
    assert list(meter.read()) == [None]
    assert _absent(tmp_path).mendable


@pytest.mark.parametrize(
    "figure", ["-1.0A", "1.0V", "nanA", "infA", "1e9A", "9999999.0A", "A", "", "1.0A B", "1,5A"]
)
def test_a_rail_without_a_sound_figure_leaves_no_sum(
    tmp_path: Path, folder: Path, figure: str
) -> None:
    _plays(folder, trees.pi5_output())
    meter = _found(tmp_path)
    _plays(folder, trees.pi5_output(VDD_CORE_A=figure))
    assert list(meter.read()) == [None]


def test_a_truncated_output_leaves_no_sum(tmp_path: Path, folder: Path) -> None:
    whole = trees.pi5_output()
    _plays(folder, whole)
    meter = _found(tmp_path)
    _plays(folder, whole[: len(whole) // 2])
    assert list(meter.read()) == [None]


def test_a_program_that_goes_is_no_figure(tmp_path: Path, folder: Path) -> None:
    _plays(folder, trees.pi5_output())
    meter = _found(tmp_path)
    (folder / "vcgencmd").unlink()
    assert list(meter.read()) == [None]


def test_a_program_that_is_none_is_no_figure(tmp_path: Path, folder: Path) -> None:
    trees.vcgencmd(folder, "").write_bytes(b"\x7fELF and nothing more")
    assert "cannot be run" in _absent(tmp_path).reason


def test_a_program_that_hangs_is_given_up(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pmic, "_TIMEOUT_S", 0.05)
    trees.vcgencmd(folder, "exec sleep 10")
    assert "does not answer" in _absent(tmp_path).reason


@given(st.text() | st.text("_AV0123456789.()=currentvolt \n"))
def test_no_text_makes_the_parser_fail(text: str) -> None:
    assert all(math.isfinite(watts) and watts >= 0 for watts in rail_watts(text).values())


_NAMES = st.from_regex(r"[0-9A-Z][0-9A-Z_]{0,10}", fullmatch=True)
_FIGURES = st.decimals(0, 99, places=8).map("{:.8f}".format)


@given(st.dictionaries(_NAMES, st.tuples(_FIGURES, _FIGURES), max_size=20))
def test_what_is_printed_is_read_back(rails: dict[str, tuple[str, str]]) -> None:
    lines = [
        f"{rail}_A current({at})={amps}A" for at, (rail, (amps, _)) in enumerate(rails.items())
    ]
    lines += [f"EXT5V_X volt({len(rails)})=5.0V"]
    lines += [
        f"{rail}_V volt({at})={volts}V" for at, (rail, (_, volts)) in enumerate(rails.items())
    ]
    expected = {rail: float(amps) * float(volts) for rail, (amps, volts) in rails.items()}
    assert rail_watts("\n".join(lines)) == pytest.approx(expected)


@given(st.integers(0, len(trees.pi5_output())))
def test_of_a_cut_output_every_rail_is_whole_or_missing(cut: int) -> None:
    whole = trees.pi5_output()
    assert rail_watts(whole[:cut]).items() <= rail_watts(whole).items()
