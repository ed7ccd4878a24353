"""Which meter measures: the best that is here, or the one that was asked for."""

from pathlib import Path

import pytest

from edge_slm.energy import meters
from edge_slm.energy.meter import Absent
from edge_slm.errors import UsageError
from tests.energy.board_trees import battery, ina226
from tests.energy.trees import intel_laptop


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty system."""
    monkeypatch.setenv("EDGE_SLM_SYSTEM_ROOT", str(tmp_path))
    monkeypatch.delenv("EDGE_SLM_METER", raising=False)
    return tmp_path


def test_an_empty_system_has_none_and_each_back_end_says_why(root: Path) -> None:
    assert meters.chosen() is None
    found = dict(meters.find_all(root))
    assert set(found) == set(meters.BACKENDS)
    assert all(isinstance(absent, Absent) and absent.reason for absent in found.values())


def test_a_processor_comes_before_a_battery_and_a_board_before_both(root: Path) -> None:
    battery(root)
    laptop = meters.chosen()
    assert laptop and laptop.method == "battery"
    intel_laptop(root)
    processor = meters.chosen()
    assert processor and processor.method == "rapl"
    assert processor.scope == "package"
    ina226(root)
    board = meters.chosen()
    assert board and board.method == "hwmon"


def test_one_that_is_here_may_be_asked_for(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    intel_laptop(root)
    battery(root)
    asked = meters.chosen("battery")
    assert asked and asked.method == "battery"
    platform = meters.chosen("psys")
    assert platform and platform.scope == "platform"
    monkeypatch.setenv("EDGE_SLM_METER", "none")
    assert meters.chosen() is None
    assert meters.chosen("rapl")


@pytest.mark.parametrize("wanted", ["battery", "nvml", "psys", "pmic"])
def test_one_that_is_not_here_is_refused(wanted: str) -> None:
    with pytest.raises(UsageError, match=wanted):
        meters.chosen(wanted)


@pytest.mark.parametrize("wanted", ["foo", "RAPL", "../rapl", "é", "rapl;battery"])
def test_one_that_nobody_knows_is_refused_with_those_that_are_known(wanted: str) -> None:
    with pytest.raises(UsageError, match="rapl, apple"):
        meters.chosen(wanted)


def test_an_address_is_an_outside_instrument(tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    log.write_text("time,power_w\n2026-11-22T10:00:00,12.5\n")
    plug = meters.chosen(f"csv:{log}")
    assert plug and (plug.method, plug.scope) == ("meter", "wall")
    plug.close()
    with pytest.raises(UsageError):
        meters.chosen("gopher://plug")
