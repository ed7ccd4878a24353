"""Vectors against the reference's."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_slm.errors import IntegrityError
from edge_slm_quantize.measure.vectors import Vectors, compare


def drawn(seed: int, count: int = 20) -> Vectors:
    return np.random.default_rng(seed).normal(0, 1, (count, 8)).astype(np.float32)


@given(st.integers(0, 1000), st.floats(0.01, 100))
def test_vectors_of_other_lengths_are_the_same(seed: int, scale: float) -> None:
    values, details = compare(drawn(seed), drawn(seed) * np.float32(scale))
    assert values["cosine"] == pytest.approx(1.0, abs=1e-5)
    assert values["neighbours"] == 1.0
    assert details["neighbours_low"] < 1.0


@given(st.integers(0, 1000))
def test_cosines_and_shares_stay_within_their_bounds(seed: int) -> None:
    values, details = compare(drawn(seed), drawn(seed + 1))
    assert -1.0001 <= details["cosine_lowest"] <= values["cosine"] <= 1.0001
    assert 0 <= values["neighbours"] <= 1


def test_a_turned_space_keeps_its_neighbours_and_loses_its_cosine() -> None:
    turned = np.linalg.qr(np.random.default_rng(1).normal(0, 1, (8, 8)))[0].astype(np.float32)
    values, _ = compare(drawn(0), drawn(0) @ turned)
    assert values["neighbours"] == 1.0
    assert values["cosine"] < 0.9


@pytest.mark.parametrize("number", [np.nan, np.inf, 0.0])
def test_vectors_that_are_none_are_refused(number: float) -> None:
    bad = drawn(0)
    bad[3] = number
    with pytest.raises(IntegrityError, match="vectors that are none"):
        compare(drawn(0), bad)


def test_another_shape_is_refused() -> None:
    with pytest.raises(IntegrityError, match="shape"):
        compare(drawn(0), drawn(0)[:, :4])
