"""Batteries of laptops: gauges and counters, mains and discharge, files that fail."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_slm.energy.counting import Count, between
from edge_slm.energy.meter import Absent
from edge_slm.energy.meters.battery import BatteryMeter, find
from tests.energy import board_trees as trees


def _found(root: Path) -> BatteryMeter:
    meter = find(root)
    assert isinstance(meter, BatteryMeter)
    return meter


def _reason(root: Path) -> str:
    absent = find(root)
    assert isinstance(absent, Absent)
    assert absent.method == "battery"
    return absent.reason


def test_a_battery_gives_its_watts(tmp_path: Path) -> None:
    trees.battery(tmp_path)
    trees.charger(tmp_path, 0)
    meter = _found(tmp_path)
    assert list(meter.read()) == [8.0]
    assert [(channel.name, channel.kind) for channel in meter.channels] == [("BAT0", "power")]
    assert (meter.method, meter.scope, meter.name) == ("battery", "device", "BAT0")


def test_amperes_times_volts_where_there_are_no_watts(tmp_path: Path) -> None:
    trees.charge_battery(tmp_path)
    assert list(_found(tmp_path).read()) == [6.0]


def test_figures_may_be_negative_while_it_discharges(tmp_path: Path) -> None:
    trees.charge_battery(tmp_path, "BAT0", current_now=-500_000)
    trees.battery(tmp_path, "BAT1", power_now=-8_000_000)
    assert list(_found(tmp_path).read()) == [6.0, 8.0]


def test_watts_that_are_always_0_are_not_used(tmp_path: Path) -> None:
    trees.battery(tmp_path, power_now=0, current_now=1_000_000)
    assert list(_found(tmp_path).read()) == [11.4]


def test_a_gauge_that_falls_to_0_is_no_figure(tmp_path: Path) -> None:
    folder = trees.battery(tmp_path)
    meter = _found(tmp_path)
    trees.put(folder, {"power_now": 0})
    assert list(meter.read()) == [None]


def test_what_is_left_becomes_a_counter_of_what_is_gone(tmp_path: Path) -> None:
    folder = trees.battery(tmp_path, power_now=None)
    meter = _found(tmp_path)
    assert [channel.kind for channel in meter.channels] == ["energy"]
    (before,) = meter.read()
    trees.put(folder, {"energy_now": 39_990_000})  # 10 mWh less
    (after,) = meter.read()
    assert before is not None and after is not None
    assert after - before == pytest.approx(36.0)
    assert meter.channels[0].step_j == pytest.approx(36.0)


def test_charge_becomes_joules_by_its_volts(tmp_path: Path) -> None:
    folder = trees.charge_battery(tmp_path, current_now=None)
    meter = _found(tmp_path)
    (before,) = meter.read()
    trees.put(folder, {"charge_now": 2_999_000})  # 1 mAh less, of 12 V
    (after,) = meter.read()
    assert before is not None and after is not None
    assert after - before == pytest.approx(43.2)
    assert meter.channels[0].step_j == pytest.approx(43.2)


def test_volts_that_sink_under_load_are_no_discharge(tmp_path: Path) -> None:
    folder = trees.charge_battery(tmp_path, current_now=None)
    meter = _found(tmp_path)
    before = meter.read()
    trees.put(folder, {"voltage_now": 11_000_000})
    assert meter.read() == before


def test_a_level_that_trembles_is_counted_once(tmp_path: Path) -> None:
    folder = trees.battery(tmp_path, power_now=None)
    meter = _found(tmp_path)
    readings = []
    for left in (40_000_000, 39_990_000, 40_000_000, 39_990_000, 39_980_000):
        trees.put(folder, {"energy_now": left})
        readings.append(meter.read()[0])
    start = readings[0]
    assert start is not None
    gone = [value - start for value in readings if value is not None]
    assert gone == pytest.approx([0, 36, 36, 36, 72])


def test_several_batteries_are_added_one_of_which_may_rest(tmp_path: Path) -> None:
    trees.battery(tmp_path, "BAT0", power_now=0, status="Not charging")
    trees.battery(tmp_path, "BAT1")
    meter = _found(tmp_path)
    assert list(meter.read()) == [0.0, 8.0]
    assert meter.name == "BAT0 + BAT1"
    count = Count(meter.channels)
    count.add(0.0, meter.read())
    count.add(10.0, meter.read())
    assert count.tally().joules == pytest.approx(80.0)


def test_a_short_answer_is_very_uncertain_and_a_long_run_is_not(tmp_path: Path) -> None:
    trees.battery(tmp_path)
    meter = _found(tmp_path)
    count = Count(meter.channels)
    tallies = []
    for second in (0, 1, 600):
        count.add(float(second), meter.read())
        tallies.append(count.tally())
    short, long = between(tallies[0], tallies[1]), between(tallies[0], tallies[2])
    assert short.error_j > 10 * short.joules
    assert long.error_j < 0.21 * long.joules


@pytest.mark.parametrize(
    ("kind", "online"), [("Mains", 1), ("USB", 1), ("USB", 2), ("Wireless", 1)]
)
def test_on_mains_nothing_is_measured(tmp_path: Path, kind: str, online: int) -> None:
    trees.battery(tmp_path)  # gives a part of it, as some machines do to spare it
    trees.charger(tmp_path, online, kind=kind)
    assert "unplug" in _reason(tmp_path)


def test_a_battery_that_charges_is_on_mains(tmp_path: Path) -> None:
    trees.battery(tmp_path, status="Charging")
    assert "unplug" in _reason(tmp_path)


@pytest.mark.parametrize("status", ["Full", "Not charging", "Unknown", "", "discharging", "\x00"])
def test_only_a_battery_that_discharges_says_what_the_machine_draws(
    tmp_path: Path, status: str
) -> None:
    trees.battery(tmp_path, status=status)
    assert "does not say what it gives" in _reason(tmp_path)


@pytest.mark.parametrize(
    ("online", "status"), [(1, "Discharging"), (0, "Charging"), (1, "Full")], ids=str
)
def test_a_charger_or_what_it_does_stops_the_measurement(
    tmp_path: Path, online: int, status: str
) -> None:
    trees.battery(tmp_path, "BAT0")
    folder = trees.battery(tmp_path, "BAT1")
    meter = _found(tmp_path)
    trees.charger(tmp_path, online)
    trees.put(folder, {"status": status})
    assert list(meter.read()) == [None, None]


@pytest.mark.parametrize("files", [{}, {"power_now": None}], ids=["gauge", "counter"])
def test_a_charger_in_the_middle_is_a_gap(tmp_path: Path, files: dict[str, object]) -> None:
    folder = trees.battery(tmp_path, "BAT0", **files)
    plug = trees.charger(tmp_path, 0)
    meter = _found(tmp_path)
    count = Count(meter.channels)
    left = 40_000_000
    for second in range(31):
        plugged = 10 <= second < 20
        left += 5_000 if plugged else -2_222  # 8 W for a second
        trees.put(plug, {"online": int(plugged)})
        trees.put(folder, {"status": "Charging" if plugged else "Discharging", "energy_now": left})
        values = meter.read()
        assert (list(values) == [None]) == plugged
        count.add(float(second), values)
    tally = count.tally()
    assert tally.missing_s == pytest.approx(11.0)  # from the last reading before to the first after
    assert tally.joules == pytest.approx(19 * 8.0, rel=0.01)


def test_a_counter_does_not_bridge_a_charger_that_only_held_the_level(tmp_path: Path) -> None:
    folder = trees.battery(tmp_path, power_now=None)
    plug = trees.charger(tmp_path, 0)
    meter = _found(tmp_path)
    count = Count(meter.channels)
    for second, (online, status) in enumerate(
        [(0, "Discharging"), (1, "Not charging"), (1, "Not charging"), (0, "Discharging")]
    ):
        trees.put(plug, {"online": online})
        trees.put(folder, {"status": status})
        count.add(float(second), meter.read())
    assert count.tally().missing_s == 3.0


@pytest.mark.parametrize(
    "files",
    [
        {"scope": "Device"},
        {"type": "UPS"},
        {"type": "Mains"},
        {"present": 0},
    ],
    ids=str,
)
def test_what_does_not_feed_the_machine_is_left_out(
    tmp_path: Path, files: dict[str, object]
) -> None:
    trees.battery(tmp_path, "BAT7", **files)
    assert "no battery" in _reason(tmp_path)
    trees.battery(tmp_path)
    assert [channel.name for channel in _found(tmp_path).channels] == ["BAT0"]


def test_a_mouse_on_its_cable_does_not_put_the_machine_on_mains(tmp_path: Path) -> None:
    trees.battery(tmp_path)
    mouse = trees.charger(tmp_path, 1, name="hidpp_battery_0", kind="USB")
    trees.put(mouse, {"scope": "Device"})
    assert list(_found(tmp_path).read()) == [8.0]


def test_a_battery_is_known_by_its_type_or_else_by_its_name(tmp_path: Path) -> None:
    trees.battery(tmp_path, "qcom-battmgr-bat")
    trees.battery(tmp_path, "BATT", type=None, present=None)
    assert [channel.name for channel in _found(tmp_path).channels] == ["BATT", "qcom-battmgr-bat"]


def test_no_tree_at_all(tmp_path: Path) -> None:
    assert "no battery" in _reason(tmp_path / "nowhere")
    assert "no battery" in _reason(trees.put(tmp_path, {"sys": "a file"}))


@pytest.mark.parametrize("held", trees.UGLY.values(), ids=trees.UGLY)
@pytest.mark.parametrize("file", ["power_now", "energy_now", "status"])
def test_nonsense_in_a_file_is_no_figure(tmp_path: Path, file: str, held: bytes) -> None:
    gauge = None if file == "energy_now" else 8_000_000
    folder = trees.battery(tmp_path, power_now=gauge)
    meter = _found(tmp_path)
    trees.put(folder, {file: held})
    assert list(meter.read()) == [None]


def test_a_negative_level_is_no_figure(tmp_path: Path) -> None:
    folder = trees.battery(tmp_path, power_now=None)
    meter = _found(tmp_path)
    trees.put(folder, {"energy_now": -1})
    assert list(meter.read()) == [None]


def test_a_battery_without_any_figure_is_said_so(tmp_path: Path) -> None:
    trees.battery(tmp_path, power_now=None, energy_now=None)
    assert "does not say what it gives" in _reason(tmp_path)


def test_a_huge_number_is_refused_where_joules_are_counted(tmp_path: Path) -> None:
    folder = trees.battery(tmp_path)
    meter = _found(tmp_path)
    count = Count(meter.channels)
    count.add(0.0, meter.read())
    trees.put(folder, {"power_now": 2**63})
    count.add(1.0, meter.read())
    assert (count.tally().joules, count.tally().missing_s) == (0.0, 1.0)


def test_a_battery_that_is_taken_out_is_no_figure(tmp_path: Path) -> None:
    trees.battery(tmp_path, "BAT0")
    folder = trees.battery(tmp_path, "BAT1")
    meter = _found(tmp_path)
    folder.rename(tmp_path / "away")
    assert list(meter.read()) == [8.0, None]


def test_a_refused_battery_can_be_mended() -> None:
    # Root may read every file: the test leaves off being root (board_trees.ordinary_user).
    with trees.public_folder() as root:
        folder = trees.battery(root)
        meter = _found(root)
        (folder / "power_now").chmod(0)
        with trees.ordinary_user():
            absent = find(root)
            assert list(meter.read()) == [None]
    assert isinstance(absent, Absent)
    assert absent.mendable
    assert "may not read" in absent.reason


@given(st.lists(st.integers(0, 10**8), min_size=2, max_size=20))
def test_a_counter_never_falls_while_it_discharges(
    tmp_path_factory: pytest.TempPathFactory, levels: list[int]
) -> None:
    root = tmp_path_factory.mktemp("laptop")
    folder = trees.battery(root, power_now=None, energy_now=levels[0])
    meter = _found(root)
    values = []
    for left in levels:
        trees.put(folder, {"energy_now": left})
        values += [value for value in meter.read() if value is not None]
    assert values == sorted(values)
    assert values[-1] - values[0] == pytest.approx((levels[0] - min(levels)) * 3.6e-3)


@given(st.dictionaries(st.sampled_from(["power_now", "status", "online"]), st.binary(max_size=40)))
def test_no_bytes_in_a_file_make_it_fail(
    tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes]
) -> None:
    root = tmp_path_factory.mktemp("laptop")
    folder = trees.battery(root)
    meter = _found(root)
    trees.put(folder, files)
    (value,) = meter.read()
    assert value is None or value >= 0
