"""Confidence is a probability that moves with each signal as its weight says."""

import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_slm.kb.base import KnowledgeBase
from edge_slm.kb.calibration import AGAINST, Calibration, Signals, decoded

NAMES = Signals.__struct_fields__


def signals_in(low: float, high: float) -> st.SearchStrategy[Signals]:
    return st.builds(Signals, **{name: st.floats(low, high) for name in NAMES})


@given(signals_in(-1e6, 1e6))
def test_confidence_is_between_0_and_1(signals: Signals) -> None:
    assert 0 <= Calibration().confidence(signals) <= 1


@given(signals_in(-1, 1), st.floats(0, 1), st.sampled_from(NAMES))
def test_more_of_a_signal_is_never_less_sure_unless_it_speaks_against(
    signals: Signals, more: float, name: str
) -> None:
    calibration = Calibration()
    before = calibration.confidence(signals)
    raised = msgspec.structs.replace(signals, **{name: getattr(signals, name) + more})
    after = calibration.confidence(raised)
    assert after <= before if name in AGAINST else after >= before


def test_the_weights_have_the_signs_of_their_signals() -> None:
    weights = Calibration().weights
    assert weights.keys() <= set(NAMES)
    assert set(NAMES) >= AGAINST
    assert all((weight < 0) == (name in AGAINST) for name, weight in weights.items())


def test_it_is_the_logistic_function_and_a_signal_without_a_weight_does_not_count() -> None:
    calibration = Calibration(-1.0, {"cosine": 2.0, "agreement": 0.5, "dated": -3.0})
    signals = Signals(0.5, 2.0, 0.8, passage=9.0, unseen=9.0, dated=0.4)
    expected = 1 / (1 + math.exp(-(-1.0 + 2.0 * 0.5 + 0.5 * 2.0 - 3.0 * 0.4)))
    assert calibration.confidence(signals) == pytest.approx(expected)


def test_a_search_that_finds_nothing_is_declined() -> None:
    calibration = Calibration()
    assert calibration.confidence(Signals(0.0, 0.0, 0.0)) < calibration.threshold


def test_two_calibrations_share_no_weights() -> None:
    Calibration().weights["cosine"] = 0.0
    assert Calibration().weights["cosine"] > 0


def test_a_base_has_the_programs_calibration_until_it_has_its_own(base: KnowledgeBase) -> None:
    assert base.calibration == Calibration()
    own = Calibration(-2.0, {"cosine": 3.0}, threshold=0.9, quote=0.1, approved=0.8)
    base.change(calibration=msgspec.json.encode(own).decode())
    with KnowledgeBase.open(base.path) as again:
        assert again.calibration == own
        again.change(calibration="{}")
        assert again.calibration == Calibration()


def test_coefficients_without_names_are_those_of_before_and_are_not_used() -> None:
    before = '{"intercept": -3.0, "cosine": 4.0, "agreement": 1.0, "coverage": 1.0}'
    assert decoded(before) == Calibration()


def test_what_a_calibration_does_not_say_is_the_programs() -> None:
    found = decoded('{"weights": {"cosine": 1.0}, "of_a_later_version": 1}')
    assert found == Calibration(weights={"cosine": 1.0})


@given(st.text())
def test_any_text_is_a_calibration_or_no_value(text: str) -> None:
    try:
        found = decoded(text)
    except ValueError as error:
        assert "calibration" in str(error)
        return
    assert found.weights.keys() <= set(NAMES)
