"""Intervals of few values, against tables and what they promise."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_slm_quantize.measure import intervals

# Table of Student's t, 97.5 % (NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2).
TABLE = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 11: 2.201, 30: 2.042, 100: 1.984}
VALUES = st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=30)


@pytest.mark.parametrize(("degrees", "quantile"), TABLE.items())
def test_students_quantiles_are_those_of_the_table(degrees: int, quantile: float) -> None:
    assert intervals.student(degrees) == pytest.approx(quantile, rel=2e-3)


def test_one_value_has_no_interval() -> None:
    with pytest.raises(ValueError, match="two values"):
        intervals.mean([1.0])


@given(VALUES)
def test_an_interval_holds_the_mean_of_its_values(values: list[float]) -> None:
    found = intervals.mean(values)
    assert found.low <= found.value <= found.high
    assert found.value == pytest.approx(float(np.mean(values)), abs=1e-6)


@given(VALUES, st.randoms())
def test_the_order_of_values_changes_no_interval(values: list[float], random: object) -> None:
    turned = list(reversed(values))
    ours, theirs = intervals.mean(values), intervals.mean(turned)
    assert ours == pytest.approx(theirs, rel=1e-9, abs=1e-6)


def test_ninety_five_of_a_hundred_intervals_hold_the_true_mean() -> None:
    draws = np.random.default_rng(0).normal(3.0, 1.0, (2000, 12))
    held = [(one := intervals.mean(row)).low <= 3.0 <= one.high for row in draws]
    assert 0.935 < np.mean(held) < 0.965


@given(st.lists(st.integers(0, 16), min_size=2, max_size=20))
def test_a_share_lies_in_its_interval_and_between_0_and_1(right: list[int]) -> None:
    found = intervals.share(right, 16)
    assert 0 <= found.low <= found.value <= found.high <= 1
    assert found.high > found.low


def test_groups_that_differ_widen_the_interval_of_a_share() -> None:
    even, uneven = intervals.share([8, 8, 8, 8], 16), intervals.share([0, 16, 0, 16], 16)
    assert even.value == uneven.value
    assert uneven.high - uneven.low > 2 * (even.high - even.low)


def test_wilsons_interval_is_that_of_the_book() -> None:
    # Newcombe 1998, Statistics in Medicine 17, table I: 81 of 263.
    found = intervals.wilson(81, 263)
    assert (round(found.low, 4), round(found.high, 4)) == (0.2553, 0.3662)
