"""Fitting the confidence: classes that differ are told apart, and a risk picks the threshold."""

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_slm.errors import EdgeSlmError, UsageError
from edge_slm.evaluation.calibrate import (
    FEWEST,
    CalibrationScore,
    Observed,
    calibrate,
)
from edge_slm.kb.calibration import Calibration, Signals, decoded


def drawn(
    count: int,
    cosine: float,
    seed: int,
    answerable: bool,
    *,
    spread: float = 0.02,
    wrong: float = 0.0,
) -> list[Observed]:
    """Return questions scattered about a cosine; a share of the best documents is wrong."""
    random = np.random.default_rng(seed)
    noise, luck = random.normal(0, spread, (count, 3)), random.random(count)
    return [
        Observed(Signals(cosine + a, 0.7 + b, 0.5 + c), answerable, bool(chance >= wrong))
        for (a, b, c), chance in zip(noise, luck, strict=True)
    ]


@pytest.fixture(scope="module")
def apart() -> CalibrationScore:
    """A calibration of classes that do not meet."""
    return calibrate(drawn(40, 0.95, 1, True) + drawn(40, 0.70, 2, False), Calibration())


@pytest.fixture(scope="module")
def mixed() -> list[Observed]:
    """Questions of both kinds that overlap, one best document of a hundred wrong."""
    return drawn(150, 0.88, 3, True, wrong=0.01) + drawn(150, 0.82, 4, False)


def test_classes_that_differ_are_told_apart(apart: CalibrationScore) -> None:
    assert (apart.answerable, apart.unanswerable) == (40, 40)
    assert min(apart.auc, apart.kept, apart.declined) == 1.0
    assert (apart.coverage, apart.risk) == (0.5, 0.0)
    found = apart.calibration
    assert found.confidence(Signals(0.95, 0.7, 0.5)) > found.threshold
    assert found.confidence(Signals(0.70, 0.7, 0.5)) < found.threshold


def test_classes_that_do_not_differ_are_not() -> None:
    observed = drawn(30, 0.85, 5, True) + drawn(30, 0.85, 6, False)
    assert 0.2 < calibrate(observed, Calibration()).auc < 0.8


def test_signals_that_never_change_have_no_weight(apart: CalibrationScore) -> None:
    assert apart.calibration.weights.keys() <= {"cosine", "agreement", "coverage"}
    assert apart.calibration.weights["cosine"] > 0


def test_a_signal_that_speaks_against_has_a_negative_weight() -> None:
    def at(dated: float) -> Signals:
        return Signals(0.85, 0.7, 0.5, dated=dated)

    observed = [Observed(at(0.0), True, True)] * 30 + [Observed(at(1.0), False, False)] * 30
    weights = calibrate(observed, Calibration()).calibration.weights
    assert weights.keys() == {"dated"}
    assert weights["dated"] < 0
    turned = [Observed(one.signals, not one.answerable, not one.answerable) for one in observed]
    assert calibrate(turned, Calibration()).calibration.weights == {}


def test_the_other_thresholds_are_kept_and_the_base_can_read_it(apart: CalibrationScore) -> None:
    start = Calibration(quote=0.11, approved=0.77)
    observed = drawn(20, 0.95, 1, True) + drawn(20, 0.70, 2, False)
    found = calibrate(observed, start).calibration
    assert (found.quote, found.approved) == (0.11, 0.77)
    assert decoded(msgspec.json.encode(found).decode()) == found
    assert found.threshold in [point.threshold for point in apart.curve]


def test_it_is_the_same_each_time(mixed: list[Observed]) -> None:
    assert calibrate(mixed, Calibration()) == calibrate(mixed, Calibration())


def test_a_higher_threshold_answers_less(mixed: list[Observed]) -> None:
    curve = calibrate(mixed, Calibration()).curve
    assert [point.threshold for point in curve] == sorted({p.threshold for p in curve})
    for name in ("coverage", "kept"):
        values = [getattr(point, name) for point in curve]
        assert values == sorted(values, reverse=True)
        assert values[0] > values[-1]
    declined = [point.declined for point in curve]
    assert declined == sorted(declined)
    for point in curve:
        assert 0 <= point.risk <= 1
        # Of as many questions of each kind: those answered are those kept and those not declined.
        assert point.coverage == pytest.approx((point.kept + 1 - point.declined) / 2, abs=1e-3)


@pytest.mark.parametrize("risk", [0.05, 0.1, 0.3, 1.0])
def test_a_risk_picks_the_point_that_answers_most_within_it(
    mixed: list[Observed], risk: float
) -> None:
    score = calibrate(mixed, Calibration(), risk)
    assert score.risk <= risk
    assert score.coverage > 0
    within = [point for point in score.curve if point.risk <= risk]
    assert score.coverage == max(point.coverage for point in within)
    (chosen,) = [p for p in score.curve if p.threshold == score.calibration.threshold]
    assert (chosen.coverage, chosen.risk) == (score.coverage, score.risk)
    assert (chosen.kept, chosen.declined) == (score.kept, score.declined)


def test_more_risk_never_answers_less(mixed: list[Observed]) -> None:
    covered = [calibrate(mixed, Calibration(), risk).coverage for risk in (0.05, 0.1, 0.2, 0.4)]
    assert covered == sorted(covered)


def test_one_wrong_document_among_the_surest_does_not_rule_out_a_risk() -> None:
    observed = drawn(100, 0.95, 1, True) + drawn(100, 0.70, 2, False)
    surest = max(observed, key=lambda one: one.signals.cosine)
    observed[observed.index(surest)] = Observed(surest.signals, True, False)
    score = calibrate(observed, Calibration(), 0.02)
    assert score.risk <= 0.02
    assert score.coverage >= 0.49


def test_an_impossible_risk_is_refused_and_names_the_lowest() -> None:
    observed = drawn(100, 0.95, 7, True, wrong=0.3) + drawn(100, 0.70, 8, False)
    curve = calibrate(observed, Calibration()).curve
    lowest = min(point.risk for point in curve if point.coverage)
    assert lowest > 0.02
    with pytest.raises(EdgeSlmError, match="No threshold has a risk of") as caught:
        calibrate(observed, Calibration(), 0.02)
    assert not isinstance(caught.value, UsageError)
    assert f"the lowest is {lowest:.3f}" in str(caught.value)


@pytest.mark.parametrize(
    ("answerable", "unanswerable"),
    [(0, 0), (40, 0), (0, 40), (FEWEST - 1, 40), (40, FEWEST - 1)],
)
def test_too_few_of_one_kind_are_refused(answerable: int, unanswerable: int) -> None:
    observed = drawn(answerable, 0.9, 1, True) + drawn(unanswerable, 0.8, 2, False)
    with pytest.raises(UsageError, match=f"at least {FEWEST} questions"):
        calibrate(observed, Calibration())


def test_the_fewest_are_enough() -> None:
    observed = drawn(FEWEST, 0.95, 1, True) + drawn(FEWEST, 0.7, 2, False)
    assert calibrate(observed, Calibration()).auc > 0.9


@settings(max_examples=15)
@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=12))
def test_whatever_was_observed_gives_a_calibration(rows: list[tuple[float, bool]]) -> None:
    both = [(0.5, True), (0.5, False)] * FEWEST
    observed = [Observed(Signals(c, c, c), yes, yes) for c, yes in [*rows, *both]]
    score = calibrate(observed, Calibration())
    assert decoded(msgspec.json.encode(score.calibration).decode()) == score.calibration
    assert 0 <= score.risk <= 1
    assert 0 < score.calibration.threshold < 1
