"""Readings into joules: wraps, resets, gaps, sleep, clocks and counters that stand still."""

import itertools
import math
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_slm.energy.counting import Count, Spent, Tally, between
from edge_slm.energy.gaps import Gaps, union
from edge_slm.energy.meter import Channel
from edge_slm.energy.meters import rapl
from edge_slm.energy.tracks import LAG_S
from tests.energy import trees

RANGE_J = 1000.0
MOST_W = 100.0
COUNTER = Channel("package-0", "energy", range_j=RANGE_J, most_w=MOST_W)
ENDLESS = Channel("board", "energy", most_w=MOST_W)
GAUGE = Channel("rail", "power", most_w=MOST_W, error=0.1)


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGE_SLM_LANG", "en")


def tally_of(
    readings: Sequence[tuple[float, float | None]], channel: Channel = COUNTER, **options: float
) -> Tally:
    """Feed one channel with moments and values."""
    count = Count([channel], **options)
    for at_s, value in readings:
        count.add(at_s, [value])
    return count.tally()


def whole(tally: Tally) -> Spent:
    return between(Tally(), tally)


# Counters


def test_nothing_read_is_no_joule_and_no_moment() -> None:
    assert Count([COUNTER]).tally() == Tally()
    assert whole(Tally()) == Spent(0.0, 0.0, 0.0, 0.0)


def test_one_reading_is_a_start_and_no_joule() -> None:
    tally = tally_of([(5.0, 300.0)])
    assert (tally.at_s, tally.joules, tally.missing_s) == (5.0, 0.0, 0.0)


def test_a_counter_gives_its_difference() -> None:
    tally = tally_of([(0.0, 300.0), (1.0, 310.0), (3.0, 350.0)])
    assert (tally.joules, tally.missing_s, tally.faults) == (50.0, 0.0, ())


def test_a_counter_that_falls_has_wrapped() -> None:
    tally = tally_of([(0.0, 990.0), (1.0, 20.0)])
    assert (tally.joules, tally.wraps, tally.missing_s) == (30.0, 1, 0.0)


def test_each_wrap_counts() -> None:
    tally = tally_of([(10.0 * n, (700.0 * n) % RANGE_J) for n in range(11)])
    assert tally.joules == pytest.approx(7000.0)
    assert tally.wraps == 7


def test_a_counter_that_wraps_ten_times_a_second_can_be_followed() -> None:
    """Read as often as it takes, though the range is less than what may lag behind."""
    small = Channel("package-0", "energy", range_j=10.0, most_w=MOST_W)
    tally = tally_of([(n / 20, 4.9 * n % 10.0) for n in range(41)], small)
    assert tally.joules == pytest.approx(4.9 * 40)
    assert (tally.wraps, tally.missing_s) == (19, 0.0)


def test_a_fall_that_no_wrap_explains_is_a_reset_and_missing() -> None:
    tally = tally_of([(0.0, 500.0), (1.0, 10.0), (2.0, 60.0)])
    assert (tally.joules, tally.missing_s, tally.wraps) == (50.0, 1.0, 0)
    assert tally.faults == ("package-0 began anew at 0.",)


def test_a_fall_of_a_counter_without_range_is_a_reset() -> None:
    tally = tally_of([(0.0, 500.0), (1.0, 499.0), (2.0, 509.0)], ENDLESS)
    assert (tally.joules, tally.missing_s) == (10.0, 1.0)


def test_a_value_beyond_the_range_is_not_made_into_joules() -> None:
    tally = tally_of([(0.0, 5000.0), (1.0, 10.0), (2.0, 60.0)])
    assert (tally.joules, tally.missing_s) == (50.0, 1.0)
    assert tally.faults == ("package-0 began anew at 0.",)


def test_more_than_the_sensor_can_is_a_fault_and_missing() -> None:
    tally = tally_of([(0.0, 0.0), (1.0, 400.0), (2.0, 450.0)])
    assert (tally.joules, tally.missing_s) == (50.0, 1.0)
    assert tally.faults == ("package-0 showed more than the sensor can.",)


def test_a_counter_brought_up_to_date_late_is_no_fault() -> None:
    """Two readings in quick succession may hold all that was gained since the last refresh."""
    tally = tally_of([(0.0, 0.0), (1.0, 0.0), (1.0001, 9.0)])
    assert (tally.joules, tally.faults) == (9.0, ())


def test_a_jump_cannot_be_saved_up_for() -> None:
    """A long rest does not make a sudden jump plausible."""
    still: list[tuple[float, float | None]] = [(float(n), 0.0) for n in range(100)]
    assert tally_of([*still, (99.5, 500.0)]).joules == 0.0


def test_many_small_jumps_do_not_add_up_to_more_than_the_sensor_can() -> None:
    """Each 9 J would pass for what lagged behind; a hundred of them within 0.1 s do not."""
    tally = tally_of([(n / 1000, 9.0 * n) for n in range(101)])
    assert tally.joules <= MOST_W * (0.1 + LAG_S)
    assert tally.faults == ("package-0 showed more than the sensor can.",)


def test_a_wait_in_which_it_may_have_wrapped_twice_is_missing() -> None:
    tally = tally_of([(0.0, 0.0), (30.0, 500.0), (31.0, 550.0)])
    assert (tally.joules, tally.missing_s) == (50.0, 30.0)
    assert "twice" in tally.faults[0]


def test_a_long_wait_without_a_doubt_counts() -> None:
    tally = tally_of([(0.0, 0.0), (30.0, 500.0)], ENDLESS)
    assert (tally.joules, tally.missing_s) == (500.0, 0.0)


def test_a_counter_bridges_what_could_not_be_read() -> None:
    tally = tally_of([(0.0, 0.0), (1.0, 10.0), (2.0, None), (3.0, None), (4.0, 50.0)])
    assert (tally.joules, tally.missing_s) == (50.0, 0.0)
    assert tally.faults == ("package-0 could not be read.",)


def test_a_gap_is_missing_as_long_as_it_is_open() -> None:
    tally = tally_of([(0.0, 0.0), (1.0, 10.0), (2.0, None), (4.0, None)])
    assert (tally.joules, tally.missing_s, tally.at_s) == (10.0, 3.0, 4.0)


def test_what_comes_before_the_first_good_reading_is_missing() -> None:
    tally = tally_of([(0.0, None), (2.0, None), (3.0, 10.0), (4.0, 15.0)])
    assert (tally.joules, tally.missing_s) == (5.0, 3.0)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -1.0])
def test_what_is_no_joule_is_as_unread(value: float) -> None:
    tally = tally_of([(0.0, 0.0), (1.0, value), (2.0, 10.0)])
    assert (tally.joules, tally.missing_s) == (10.0, 0.0)
    assert tally.faults == ("package-0 could not be read.",)


# Gauges


def test_a_gauge_is_integrated_by_trapezoids() -> None:
    tally = tally_of([(0.0, 10.0), (1.0, 20.0), (3.0, 20.0)], GAUGE)
    assert (tally.joules, tally.missing_s) == (55.0, 0.0)


def test_a_gauge_does_not_bridge_a_gap() -> None:
    readings = [(0.0, 10.0), (1.0, 10.0), (2.0, None), (3.0, 10.0), (4.0, 10.0)]
    tally = tally_of(readings, GAUGE)
    assert (tally.joules, tally.missing_s) == (20.0, 2.0)


@pytest.mark.parametrize("value", [101.0, -1.0, math.nan])
def test_watts_that_cannot_be_are_missing(value: float) -> None:
    tally = tally_of([(0.0, 10.0), (1.0, value), (2.0, 10.0)], GAUGE)
    assert (tally.joules, tally.missing_s, len(tally.faults)) == (0.0, 2.0, 1)


def test_a_gauge_left_unread_for_too_long_is_missing() -> None:
    tally = tally_of([(0.0, 10.0), (60.0, 10.0), (61.0, 10.0)], GAUGE, longest_s=5.0)
    assert (tally.joules, tally.missing_s) == (10.0, 60.0)
    assert tally.faults == ("rail was not read for too long.",)


# Clocks and sleep


def test_a_reading_of_the_same_moment_is_dropped() -> None:
    tally = tally_of([(1.0, 0.0), (1.0, 50.0), (2.0, 60.0)])
    assert (tally.joules, tally.faults) == (60.0, ())


def test_a_clock_that_goes_back_is_a_fault_and_its_readings_are_dropped() -> None:
    tally = tally_of([(5.0, 0.0), (3.0, 10.0), (4.0, 20.0), (6.0, 30.0)])
    assert (tally.joules, tally.at_s, tally.missing_s) == (30.0, 6.0, 0.0)
    assert tally.faults == ("The clock went back.",)


def test_a_sleep_is_missing_for_counters_and_gauges() -> None:
    count = Count([COUNTER, GAUGE])
    count.add(0.0, [500.0, 10.0], boot_s=100.0)
    count.add(1.0, [510.0, 10.0], boot_s=101.0)
    asleep = count.tally()
    count.add(2.0, [3.0, 10.0], boot_s=3702.0)
    count.add(3.0, [13.0, 10.0], boot_s=3703.0)
    tally = count.tally()
    assert (tally.joules, tally.missing_s, tally.wraps) == (40.0, 1.0, 0)
    assert tally.faults == ("The machine slept in the middle of the measurement.",)
    assert between(asleep, tally).seconds == 2.0


def test_a_counter_that_rose_over_a_sleep_is_not_trusted_either() -> None:
    """It may have begun anew at 0 and passed its old value."""
    count = Count([COUNTER])
    count.add(0.0, [5.0], boot_s=0.0)
    count.add(1.0, [45.0], boot_s=60.0)
    assert (count.tally().joules, count.tally().missing_s) == (0.0, 1.0)


def test_clocks_that_differ_by_little_are_no_sleep() -> None:
    count = Count([COUNTER])
    count.add(0.0, [0.0], boot_s=0.0)
    count.add(1.0, [10.0], boot_s=1.9)
    count.add(2.0, [20.0])
    count.add(3.0, [30.0], boot_s=900.0)
    assert (count.tally().joules, count.tally().faults) == (30.0, ())


# Counters that stand still


def busy(readings: Sequence[tuple[float, float, float | None]], channel: Channel) -> Tally:
    """Feed moments, joules and CPU-seconds."""
    count = Count([channel])
    for at_s, joules, cpu_s in readings:
        count.add(at_s, [joules], busy_cpu_s=cpu_s)
    return count.tally()


def test_a_counter_that_stands_still_while_processors_work_is_missing() -> None:
    tally = busy([(0.0, 7.0, 0.0), (0.5, 7.0, 0.5), (1.0, 7.0, 1.0), (2.0, 7.0, 2.0)], COUNTER)
    assert (tally.joules, tally.missing_s) == (0.0, 2.0)
    assert "stood still" in tally.faults[0]


def test_a_counter_may_rest_with_the_machine() -> None:
    tally = busy([(0.0, 7.0, 0.0), (5.0, 7.0, 0.4)], COUNTER)
    assert (tally.missing_s, tally.faults) == (0.0, ())


def test_a_counter_may_rest_for_less_than_a_second() -> None:
    tally = busy([(0.0, 7.0, 0.0), (0.9, 7.0, 3.6)], COUNTER)
    assert (tally.missing_s, tally.faults) == (0.0, ())


def test_without_the_processors_time_rest_is_believed() -> None:
    tally = busy([(0.0, 7.0, None), (50.0, 7.0, None)], ENDLESS)
    assert (tally.missing_s, tally.faults) == (0.0, ())


def test_a_counter_that_moves_again_counts_from_there() -> None:
    readings = [(0.0, 7.0, 0.0), (2.0, 7.0, 2.0), (3.0, 90.0, 3.0), (4.0, 100.0, 4.0)]
    tally = busy(readings, COUNTER)
    assert (tally.joules, tally.missing_s) == (10.0, 3.0)


def test_a_stuck_counter_stays_stuck_when_the_processors_time_gets_lost() -> None:
    readings = [(0.0, 7.0, 0.0), (2.0, 7.0, 2.0), (3.0, 7.0, None), (4.0, 7.0, 0.0)]
    assert busy(readings, COUNTER).missing_s == 4.0


def test_a_coarse_counter_is_given_the_time_of_a_step() -> None:
    """A battery's counter in steps of 36 J stands still for long, and is not stuck."""
    battery = Channel("BAT0", "energy", step_j=36.0, most_w=MOST_W)
    readings = [(0.0, 0.0, 0.0), (10.0, 0.0, 10.0), (20.0, 36.0, 20.0)]
    assert busy(readings, battery).faults == ()
    assert "stood still" in busy([*readings, (90.0, 36.0, 90.0)], battery).faults[0]


def test_processor_time_that_falls_starts_the_watch_anew() -> None:
    """The time of processes that ended may leave the sum."""
    readings = [(0.0, 7.0, 100.0), (2.0, 7.0, 0.0), (2.5, 7.0, 0.5)]
    assert busy(readings, COUNTER).faults == ()
    assert busy([*readings, (4.0, 7.0, 2.0)], COUNTER).missing_s == 2.0


# Several channels, tallies and their differences


def test_channels_add_up_and_a_second_lost_by_two_is_lost_once() -> None:
    count = Count([GAUGE, GAUGE, COUNTER])
    count.add(0.0, [10.0, 20.0, 0.0])
    count.add(1.0, [10.0, 20.0, 5.0])
    count.add(2.0, [None, None, 10.0])
    count.add(3.0, [10.0, None, 15.0])
    count.add(4.0, [10.0, 20.0, 20.0])
    tally = count.tally()
    assert (tally.joules, tally.missing_s) == (10.0 + 20.0 + 20.0 + 10.0, 3.0)


def test_as_many_values_as_channels() -> None:
    with pytest.raises(ValueError, match="1 values for 2 channels"):
        Count([COUNTER, GAUGE]).add(0.0, [1.0])


def test_between_gives_the_difference_and_only_its_own_faults() -> None:
    count = Count([COUNTER])
    count.add(0.0, [500.0])
    count.add(1.0, [1.0])
    a = count.tally()
    count.add(2.0, [11.0])
    b = count.tally()
    count.add(3.0, [2.0])
    c = count.tally()
    assert between(a, b) == Spent(1.0, 10.0, 0.0, 0.0)
    assert between(b, c) == Spent(1.0, 0.0, 1.0, 0.0, ("package-0 began anew at 0.",))
    assert between(a, a) == Spent(0.0, 0.0, 0.0, 0.0)


def test_a_gap_open_at_the_first_tally_and_bridged_later_leaves_more_than_it_took() -> None:
    """The joules of the second stretch cover five seconds, three of them before it."""
    count = Count([COUNTER])
    count.add(0.0, [0.0])
    count.add(3.0, [None])
    a = count.tally()
    count.add(5.0, [50.0])
    spent = between(a, count.tally())
    assert (spent.seconds, spent.joules, spent.missing_s) == (2.0, 50.0, -3.0)


def test_no_stretch_misses_more_than_it_lasts() -> None:
    count = Count([COUNTER])
    count.add(0.0, [7.0], busy_cpu_s=0.0)
    count.add(0.9, [7.0], busy_cpu_s=0.9)
    a = count.tally()
    count.add(1.1, [7.0], busy_cpu_s=1.1)
    assert between(a, count.tally()).missing_s == pytest.approx(0.2)


def test_the_error_has_a_step_a_counter_and_the_sensors_share() -> None:
    stepped = Channel("package-0", "energy", range_j=RANGE_J, step_j=0.5, most_w=MOST_W)
    count = Count([stepped, GAUGE])
    count.add(0.0, [0.0, 10.0])
    count.add(1.0, [20.0, 10.0])
    a = count.tally()
    count.add(2.0, [40.0, 30.0])
    assert between(Tally(), a).error_j == pytest.approx(0.5 + 0.1 * 10)
    assert between(a, count.tally()).error_j == pytest.approx(0.5 + 0.1 * 20)


def test_a_counter_taken_up_anew_adds_a_step_of_error() -> None:
    stepped = Channel("package-0", "energy", range_j=RANGE_J, step_j=0.5, most_w=MOST_W)
    tally = tally_of([(0.0, 500.0), (1.0, 1.0), (2.0, 2.0)], stepped)
    assert whole(tally).error_j == pytest.approx(1.0)


@pytest.mark.parametrize("language", ["en", "fr"])
def test_faults_are_said_in_the_language_of_the_interface(
    language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGE_SLM_LANG", language)
    fault = tally_of([(0.0, 0.0), (1.0, None)]).faults[0]
    said = {"en": "package-0 could not be read.", "fr": "package-0 n'a pas pu être lu."}
    assert fault == said[language]


# RAPL and count together, on a written tree


def test_a_laptop_that_wraps_sleeps_and_loses_a_zone(tmp_path: Path) -> None:
    """50 W, read every 2 s: the package wraps at 6 s, cannot be read at 10 s, sleeps after 14 s."""
    trees.intel_laptop(tmp_path)
    meter = rapl.find(tmp_path)
    assert isinstance(meter, rapl.Rapl)
    count = Count(meter.channels)
    true_uj = trees.RANGE_61 - 250_000_000
    file = tmp_path / trees.CLASS / "intel-rapl:0" / "energy_uj"
    reset_uj = 0
    for at_s in range(0, 20, 2):
        if at_s == 16:
            reset_uj = true_uj
        if at_s == 10:
            file.unlink()
        else:
            trees.set_uj(tmp_path, "0", (true_uj - reset_uj) % trees.RANGE_61)
        count.add(float(at_s), meter.read(), boot_s=float(at_s) + 3600 * (at_s >= 16))
        true_uj += 100_000_000
    tally = count.tally()
    assert (tally.wraps, tally.missing_s) == (1, 2.0)
    assert tally.joules == pytest.approx(50.0 * 16, abs=0.001)


# Whatever happens

WAITS = st.floats(0.001, RANGE_J / MOST_W - LAG_S - 0.01)
SHARES = st.floats(0, 1)


@given(
    st.lists(st.tuples(WAITS, SHARES), min_size=1, max_size=40),
    st.floats(0, 3000),
    st.sampled_from([0.0, 2**-14, 0.5]),
)
def test_true_energy_read_modulo_the_range_is_found_within_a_step(
    stretches: list[tuple[float, float]], start_j: float, step_j: float
) -> None:
    channel = Channel("package-0", "energy", range_j=RANGE_J, step_j=step_j, most_w=MOST_W)

    def shown(joules: float) -> float:
        steps = math.floor(joules / step_j) * step_j if step_j else joules
        return steps % RANGE_J

    at_s, true_j = 0.0, start_j
    count = Count([channel])
    count.add(at_s, [shown(true_j)])
    for wait_s, share in stretches:
        at_s, true_j = at_s + wait_s, true_j + share * MOST_W * wait_s
        count.add(at_s, [shown(true_j)])
    tally = count.tally()
    assert abs(tally.joules - (true_j - start_j)) <= step_j + 1e-6
    assert (tally.missing_s, tally.faults) == (0.0, ())


VALUE = st.one_of(
    st.none(), st.floats(0, 1.2 * RANGE_J), st.floats(), st.just(math.nan), st.just(0.0)
)
MOMENT = st.tuples(
    st.floats(-2, 40),  # the clock, forward or not
    st.sampled_from([0.0, 0.0, 0.0, 30.0]),  # sleep
    st.lists(VALUE, min_size=3, max_size=3),
    st.one_of(st.none(), st.floats(0, 8)),  # CPU-seconds
)


@given(st.lists(MOMENT, max_size=40))
def test_whatever_is_read_joules_are_never_negative_nor_more_than_the_sensor_can(
    moments: list[tuple[float, float, list[float | None], float | None]],
) -> None:
    count = Count([COUNTER, ENDLESS, GAUGE])
    at_s = boot_s = cpu_s = 0.0
    tallies = [Tally()]
    for wait_s, slept_s, values, worked_s in moments:
        at_s, boot_s, cpu_s = at_s + wait_s, boot_s + wait_s + slept_s, cpu_s + (worked_s or 0.0)
        count.add(at_s, values, boot_s=boot_s, busy_cpu_s=None if worked_s is None else cpu_s)
        tallies.append(count.tally())
    for a, b in itertools.pairwise(tallies):
        spent = between(a, b)
        most_j = 3 * MOST_W * (spent.seconds + LAG_S)
        open_s = a.missing_s  # what a counter may yet bridge
        assert -1e-6 <= spent.joules <= most_j + 3 * MOST_W * open_s + 1e-6
        assert 0 <= spent.error_j < math.inf
        assert spent.missing_s <= spent.seconds
    spent = whole(tallies[-1])
    assert 0 <= spent.joules <= 3 * MOST_W * (spent.seconds + LAG_S) + 1e-6
    assert 0 <= spent.missing_s <= spent.seconds + 1e-6


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), max_size=12))
def test_lost_seconds_are_counted_once(ends: list[tuple[int, int]]) -> None:
    stretches = [(float(min(pair)), float(max(pair))) for pair in ends]
    truly = {second for start, end in stretches for second in range(int(start), int(end))}
    gaps = Gaps()
    for start, end in stretches:
        gaps.add(start, end)
    assert gaps.seconds([]) == len(truly)
    gaps.close(25.0)
    assert gaps.seconds(stretches[-1:] if stretches and stretches[-1][0] >= 25 else []) == len(
        truly
    )
    assert sum(end - start for start, end in union(stretches)) == len(truly)
