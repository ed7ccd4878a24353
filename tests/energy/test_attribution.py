"""Of a machine's joules, those of this program: above idle, by CPU time, in an interval."""

import math

from hypothesis import given
from hypothesis import strategies as st

from edge_slm.energy.attribution import Idle, Interval, attribute

IDLE = Idle(watts=5.0, spread_w=0.5, busy_share=0.0)


def test_alone_on_the_machine_all_that_is_above_idle_is_ours() -> None:
    found = attribute(Interval(10, own_cpu_s=8, busy_cpu_s=8, gross_j=50 + 80), IDLE)
    assert found
    assert math.isclose(found.joules, 80)
    assert found.low < 80 < found.high


def test_half_of_the_work_is_half_of_the_joules() -> None:
    found = attribute(Interval(10, own_cpu_s=5, busy_cpu_s=10, gross_j=50 + 100), IDLE)
    assert found
    assert math.isclose(found.joules, 50)


def test_what_runs_while_the_machine_rests_is_part_of_idle() -> None:
    resting = Idle(watts=5.0, spread_w=0.0, busy_share=0.2)
    found = attribute(Interval(10, own_cpu_s=8, busy_cpu_s=10, gross_j=50 + 80), resting)
    assert found
    assert math.isclose(found.joules, 80)


def test_without_a_baseline_nothing_is_taken_off_and_the_interval_says_so() -> None:
    found = attribute(Interval(10, own_cpu_s=8, busy_cpu_s=8, gross_j=130), None)
    assert found
    assert (found.joules, found.low) == (130, 0)


def test_where_the_machine_does_not_tell_its_work_our_share_may_be_anything() -> None:
    found = attribute(Interval(10, own_cpu_s=8, gross_j=130), IDLE)
    assert found
    assert math.isclose(found.joules, 80)
    assert found.low == 0


def test_unseen_time_counts_as_the_rest_and_may_have_cost_nothing() -> None:
    whole = attribute(Interval(10, own_cpu_s=8, busy_cpu_s=8, gross_j=130), IDLE)
    part = attribute(Interval(10, own_cpu_s=8, busy_cpu_s=8, gross_j=104, missing_s=2), IDLE)
    assert whole
    assert part
    assert math.isclose(part.joules, whole.joules)
    assert part.low < whole.low


def test_a_meter_that_saw_less_than_half_says_nothing() -> None:
    assert attribute(Interval(10, own_cpu_s=8, gross_j=130, missing_s=6), IDLE) is None
    assert attribute(Interval(0, own_cpu_s=0, gross_j=0), IDLE) is None
    assert attribute(Interval(10, own_cpu_s=8), IDLE) is None


def test_what_the_sensor_cannot_tell_from_idle_is_not_nothing() -> None:
    found = attribute(Interval(1, own_cpu_s=0.1, busy_cpu_s=0.1, gross_j=4.9, error_j=0.2), IDLE)
    assert found
    assert found.low == 0 < found.joules < found.high
    exact = Idle(watts=5.0, spread_w=0.0, busy_share=0.0)
    assert attribute(Interval(1, own_cpu_s=0.1, busy_cpu_s=0.1, gross_j=4.9), exact) is None


def test_a_program_that_did_nothing_cost_nothing() -> None:
    found = attribute(Interval(10, own_cpu_s=0, busy_cpu_s=4, gross_j=130), IDLE)
    assert found
    assert (found.low, found.joules, found.high) == (0, 0, 0)


@given(
    seconds=st.floats(0.001, 1e4),
    own=st.floats(0, 1e4),
    others=st.floats(0, 1e4),
    gross=st.floats(0, 1e6),
    error=st.floats(0, 1e3),
    missing=st.floats(0, 1e4),
    idle=st.none() | st.builds(Idle, st.floats(0, 500), st.floats(0, 50), st.floats(0, 8)),
    told=st.booleans(),
)
def test_the_figure_lies_in_its_interval_and_is_never_negative(
    seconds: float,
    own: float,
    others: float,
    gross: float,
    error: float,
    missing: float,
    idle: Idle | None,
    told: bool,
) -> None:
    busy = own + others if told else None
    found = attribute(Interval(seconds, own, busy, 0.02, gross, error, missing), idle)
    if found is None:
        return
    # Rounding of floating point, in proportion.
    slack = 1e-9 * (1 + gross + error)
    assert 0 <= found.low <= found.joules + slack
    assert found.joules <= found.high + slack
    assert found.joules <= 2 * (gross + error) + slack
