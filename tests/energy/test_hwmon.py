"""INA sensors of boards: which rails count, their units, and files that fail."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_slm.energy.counting import Count
from edge_slm.energy.meter import Absent
from edge_slm.energy.meters.hwmon import HwmonMeter, find
from tests.energy import board_trees as trees


def _found(root: Path) -> HwmonMeter:
    meter = find(root)
    assert isinstance(meter, HwmonMeter)
    return meter


def _reason(root: Path) -> str:
    absent = find(root)
    assert isinstance(absent, Absent)
    assert absent.method == "hwmon"
    return absent.reason


def test_the_total_of_a_jetson_is_used_alone(tmp_path: Path) -> None:
    trees.orin_nx(tmp_path)
    meter = _found(tmp_path)
    assert [channel.name for channel in meter.channels] == ["VDD_IN"]
    assert list(meter.read()) == [10.0]
    assert (meter.method, meter.scope, meter.name) == ("hwmon", "board", "ina3221 (VDD_IN)")


def test_a_jetson_is_found_by_its_driver_alone(tmp_path: Path) -> None:
    trees.orin_nx(tmp_path)
    (tmp_path / "sys/class/hwmon/hwmon3").unlink()
    assert list(_found(tmp_path).read()) == [10.0]


def test_jetpack_4_tells_milliwatts(tmp_path: Path) -> None:
    trees.nano(tmp_path)
    meter = _found(tmp_path)
    assert [channel.name for channel in meter.channels] == ["POM_5V_IN"]
    assert list(meter.read()) == [2.5]


def test_jetpack_4_without_milliwatts_multiplies(tmp_path: Path) -> None:
    folder = trees.nano(tmp_path)
    (folder / "in_power0_input").unlink()
    assert list(_found(tmp_path).read()) == [2.5]  # 5000 mV x 500 mA


def test_rails_that_lie_side_by_side_are_added(tmp_path: Path) -> None:
    trees.agx_xavier(tmp_path)
    values = _found(tmp_path).read()
    assert values == pytest.approx([1.2] * 6)


def test_rails_of_which_nothing_is_known_are_not_added(tmp_path: Path) -> None:
    rails = {"VDD_GPU_SOC": (12_000, 100), "VIN_SYS_5V0": (5000, 100), "DDR": (5000, 50)}
    trees.chip(tmp_path, "ina3221", trees.three_rails(rails))
    assert "VDD_GPU_SOC, VIN_SYS_5V0, DDR" in _reason(tmp_path)
    assert "external meter" in _reason(tmp_path)


def test_two_chips_of_which_nothing_is_known_are_not_added(tmp_path: Path) -> None:
    trees.chip(tmp_path, "ina226", {"power1_input": 1}, 0, "1-0040")
    trees.chip(tmp_path, "ina226", {"power1_input": 1}, 1, "1-0041")
    assert "several" in _reason(tmp_path)


def test_a_rail_that_is_not_connected_and_the_sum_of_the_shunts_are_no_rails(
    tmp_path: Path,
) -> None:
    rails = {"NC": (0, 0), "5V": (5000, 1000)}
    files = trees.three_rails(rails) | {"in7_input": 1, "curr7_input": 1}
    trees.chip(tmp_path, "ina3221", files)
    meter = _found(tmp_path)
    assert [channel.name for channel in meter.channels] == ["5V"]
    assert list(meter.read()) == [5.0]


def test_an_ina226_gives_its_watts(tmp_path: Path) -> None:
    trees.ina226(tmp_path, label="DCIN")
    meter = _found(tmp_path)
    assert [(channel.name, channel.kind) for channel in meter.channels] == [("DCIN", "power")]
    assert list(meter.read()) == [6.0]


def test_volts_times_amperes_where_there_are_no_watts(tmp_path: Path) -> None:
    trees.ina226(tmp_path, power1_input=None)
    assert list(_found(tmp_path).read()) == [6.0]


def test_a_counter_is_preferred(tmp_path: Path) -> None:
    trees.ina226(tmp_path, energy1_input=7_500_000)
    meter = _found(tmp_path)
    assert [channel.kind for channel in meter.channels] == ["energy"]
    assert list(meter.read()) == [7.5]


def test_sensors_of_a_pc_hold_no_supply(tmp_path: Path) -> None:
    trees.pc(tmp_path)
    assert "no sensor of a board's supply" in _reason(tmp_path)


def test_a_supply_among_the_sensors_of_a_pc_is_found_alone(tmp_path: Path) -> None:
    trees.pc(tmp_path)
    trees.ina226(tmp_path, number=9)
    assert list(_found(tmp_path).read()) == [6.0]


def test_no_tree_at_all(tmp_path: Path) -> None:
    assert "no sensor" in _reason(tmp_path / "nowhere")
    assert "no sensor" in _reason(trees.put(tmp_path, {"sys": "a file"}))


@pytest.mark.parametrize("held", trees.UGLY.values(), ids=trees.UGLY)
@pytest.mark.parametrize("file", ["in1_input", "curr1_input"])
def test_nonsense_in_a_file_is_no_figure(tmp_path: Path, file: str, held: bytes) -> None:
    folder = trees.orin_nx(tmp_path)
    meter = _found(tmp_path)
    trees.put(folder, {file: held})
    assert list(meter.read()) == [None]
    assert "gives no figure" in _reason(tmp_path)
    trees.put(folder, {file: 1000})
    assert list(meter.read()) != [None]


def test_a_folder_in_the_place_of_a_file_is_no_figure(tmp_path: Path) -> None:
    folder = trees.orin_nx(tmp_path)
    meter = _found(tmp_path)
    (folder / "in1_input").unlink()
    (folder / "in1_input").mkdir()
    assert list(meter.read()) == [None]


def test_links_in_a_circle_are_no_sensor(tmp_path: Path) -> None:
    trees.link(tmp_path / "sys/class/hwmon/hwmon0", tmp_path / "sys/class/hwmon/hwmon0")
    assert "no sensor" in _reason(tmp_path)


@pytest.mark.parametrize(("milliamperes", "watts"), [(-40, 0.0), (-1, 0.0), (-41, None), (0, 0.0)])
def test_a_current_that_flows_back_is_the_sensors_offset_or_no_figure(
    tmp_path: Path, milliamperes: int, watts: float | None
) -> None:
    folder = trees.orin_nx(tmp_path)
    meter = _found(tmp_path)
    trees.put(folder, {"curr1_input": milliamperes})
    assert list(meter.read()) == [watts]


def test_negative_volts_or_watts_are_no_figure(tmp_path: Path) -> None:
    folder = trees.orin_nx(tmp_path)
    meter = _found(tmp_path)
    trees.put(folder, {"in1_input": -5000})
    assert list(meter.read()) == [None]
    trees.put(folder, {"curr1_input": -1000})
    assert list(meter.read()) == [None]
    other = tmp_path / "other"
    trees.ina226(other, power1_input=-1)
    assert "gives no figure" in _reason(other)


def test_a_huge_number_is_refused_where_joules_are_counted(tmp_path: Path) -> None:
    folder = trees.ina226(tmp_path)
    meter = _found(tmp_path)
    count = Count(meter.channels)
    count.add(0.0, meter.read())
    trees.put(folder, {"power1_input": 2**63})
    count.add(1.0, meter.read())
    tally = count.tally()
    assert (tally.joules, tally.missing_s) == (0.0, 1.0)
    assert any("more than the sensor can" in fault for fault in tally.faults)


def test_a_sensor_that_goes_comes_back(tmp_path: Path) -> None:
    folder = trees.orin_nx(tmp_path)
    meter = _found(tmp_path)
    folder.rename(tmp_path / "away")
    assert list(meter.read()) == [None]
    (tmp_path / "away").rename(folder)
    assert list(meter.read()) == [10.0]


def test_a_sensor_is_followed_to_its_new_number(tmp_path: Path) -> None:
    trees.orin_nx(tmp_path)
    meter = _found(tmp_path)
    trees.renumber(tmp_path, 3, 5)
    assert list(meter.read()) == [10.0]


def test_another_sensor_under_the_old_number_is_not_read(tmp_path: Path) -> None:
    trees.ina226(tmp_path, number=1)
    meter = _found(tmp_path)
    trees.renumber(tmp_path, 1, 2)
    graphics = {"name": "amdgpu", "power1_input": 99_000_000}
    trees.put(tmp_path / "sys/class/hwmon/hwmon1", graphics)
    assert list(meter.read()) == [6.0]


def test_the_name_of_the_meter_does_not_change_with_the_number(tmp_path: Path) -> None:
    trees.ina226(tmp_path, number=1)
    name = _found(tmp_path).name
    trees.renumber(tmp_path, 1, 7)
    assert _found(tmp_path).name == name


def test_a_refused_sensor_can_be_mended() -> None:
    # Root may read every file: the test leaves off being root (board_trees.ordinary_user).
    with trees.public_folder() as root:
        folder = trees.ina226(root)
        (folder / "power1_input").chmod(0)
        with trees.ordinary_user():
            absent = find(root)
    assert isinstance(absent, Absent)
    assert absent.mendable
    assert "may not read" in absent.reason


def test_a_sensor_that_becomes_refused_is_no_figure() -> None:
    with trees.public_folder() as root:
        folder = trees.ina226(root)
        meter = _found(root)
        (folder / "power1_input").chmod(0)
        with trees.ordinary_user():
            assert list(meter.read()) == [None]


def test_ten_watts_for_ten_seconds_are_a_hundred_joules(tmp_path: Path) -> None:
    trees.orin_nx(tmp_path)
    meter = _found(tmp_path)
    count = Count(meter.channels)
    for second in range(11):
        count.add(float(second), meter.read())
    assert count.tally().joules == pytest.approx(100.0)
    assert count.tally().error_j == pytest.approx(2.0)


@given(volts=st.binary(max_size=40), amperes=st.binary(max_size=40))
def test_no_bytes_in_a_file_make_it_fail(
    tmp_path_factory: pytest.TempPathFactory, volts: bytes, amperes: bytes
) -> None:
    root = tmp_path_factory.mktemp("jetson")
    folder = trees.orin_nx(root)
    meter = _found(root)
    trees.put(folder, {"in1_input": volts, "curr1_input": amperes})
    (value,) = meter.read()
    assert value is None or value >= 0
