"""Logistic regression whose weights have the signs that are known beforehand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_slm.evaluation.fitting import Array, fit, probability

UP = np.array([1.0, 1.0])


def drawn(count: int, seed: int = 1) -> tuple[Array, Array]:
    """Return rows of two inputs; only the first tells whether y is 1."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(count, 2))
    return x, (x[:, 0] + random.normal(0, 0.5, count) > 0).astype(np.float64)


def test_an_input_that_tells_has_the_greater_weight() -> None:
    x, y = drawn(400)
    weights, _ = fit(x, y, UP)
    assert weights[0] > 1
    assert weights[0] > 5 * abs(weights[1])
    told = probability(x, *fit(x, y, UP)) > 0.5
    assert (told == y).mean() > 0.8


def test_the_gradient_is_zero_at_the_fit() -> None:
    x, y = drawn(300)
    weights, intercept = fit(x, y, UP)
    share = y.mean()
    each = np.where(y == 1, 0.5 / share, 0.5 / (1 - share))
    # The ridge does not hold the intercept: there the weighted residuals cancel.
    assert (each * (probability(x, weights, intercept) - y)).sum() == pytest.approx(0, abs=1e-6)


def test_both_kinds_weigh_the_same_however_many_there_are() -> None:
    x = np.array([[0.0], [1.0]] * 2).repeat([5, 5, 200, 200], axis=0)
    y = np.array([1.0] * 10 + [0.0] * 400)
    weights, intercept = fit(x, y, np.array([1.0]))
    assert probability(np.array([[0.5]]), weights, intercept)[0] == pytest.approx(0.5, abs=1e-6)


def test_an_input_with_the_wrong_sign_is_left_out() -> None:
    x, y = drawn(300)
    weights, _ = fit(x, y, np.array([-1.0, 1.0]))
    assert weights[0] == 0.0
    weights, intercept = fit(-x[:, :1], y, np.array([1.0]))
    assert weights.tolist() == [0.0]
    assert probability(x[:, :1], weights, intercept) == pytest.approx(0.5)


def test_an_input_that_never_changes_is_left_out() -> None:
    x, y = drawn(100)
    x[:, 1] = 7.0
    weights, intercept = fit(x, y, UP)
    assert weights[1] == 0.0
    assert weights[0] > 0
    assert np.isfinite(intercept)


def test_the_unit_of_an_input_does_not_matter() -> None:
    x, y = drawn(200)
    plain, metric = fit(x, y, UP), fit(x * [1000.0, 1.0], y, UP)
    assert metric[0][0] * 1000 == pytest.approx(plain[0][0])
    assert metric[1] == pytest.approx(plain[1])


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_one_kind_alone_is_no_error(value: float) -> None:
    x, _ = drawn(20)
    weights, intercept = fit(x, np.full(20, value), UP)
    found = probability(x, weights, intercept)
    assert np.isfinite(found).all()
    assert ((found > 0.5) == value).all()


def test_kinds_that_do_not_meet_have_finite_weights() -> None:
    x = np.array([[0.0], [1.0]]).repeat(50, axis=0)
    y = np.array([0.0] * 50 + [1.0] * 50)
    weights, intercept = fit(x, y, np.array([1.0]))
    assert np.isfinite([*weights, intercept]).all()
    assert probability(x, weights, intercept)[0] < 0.1


@settings(max_examples=25)
@given(
    st.lists(
        st.tuples(st.floats(-1e3, 1e3), st.floats(-1e3, 1e3), st.booleans()),
        min_size=2,
        max_size=30,
    ),
    st.tuples(st.sampled_from([-1.0, 1.0]), st.sampled_from([-1.0, 1.0])),
)
def test_any_rows_give_weights_of_the_wanted_signs(
    rows: list[tuple[float, float, bool]], signs: tuple[float, float]
) -> None:
    x = np.array([[a, b] for a, b, _ in rows])
    y = np.array([float(yes) for *_, yes in rows])
    weights, intercept = fit(x, y, np.array(signs))
    assert (weights * signs >= 0).all()
    found = probability(x, weights, intercept)
    assert ((found >= 0) & (found <= 1)).all()
