"""Confidence is a probability that grows with each signal."""

import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_slm.kb.base import KnowledgeBase
from edge_slm.kb.calibration import Calibration, Signals

NAMES = [field.name for field in msgspec.structs.fields(Signals)]


def signals_in(low: float, high: float) -> st.SearchStrategy[Signals]:
    return st.builds(Signals, **{name: st.floats(low, high) for name in NAMES})


@given(signals_in(-1e6, 1e6))
def test_confidence_is_between_0_and_1(signals: Signals) -> None:
    assert 0 <= Calibration().confidence(signals) <= 1


@given(signals_in(-1, 1), st.floats(0, 1))
def test_more_of_a_signal_is_never_less_sure(signals: Signals, more: float) -> None:
    weights = dict(zip(NAMES, (0.5, 2.0, 4.0), strict=True))
    calibration = msgspec.convert({"intercept": -3.0, **weights}, Calibration)
    before = calibration.confidence(signals)
    for name in NAMES:
        raised = msgspec.structs.replace(signals, **{name: getattr(signals, name) + more})
        assert calibration.confidence(raised) >= before


def test_it_is_the_logistic_function() -> None:
    weights = dict(zip(NAMES, (2.0, 0.5, 3.0), strict=True))
    calibration = msgspec.convert({"intercept": -1.0, **weights}, Calibration)
    signals = Signals(**dict(zip(NAMES, (0.5, 2.0, 0.8), strict=True)))
    expected = 1 / (1 + math.exp(-(-1.0 + 2.0 * 0.5 + 0.5 * 2.0 + 3.0 * 0.8)))
    assert calibration.confidence(signals) == pytest.approx(expected)


def test_a_search_that_finds_nothing_is_declined() -> None:
    calibration = Calibration()
    assert calibration.confidence(Signals(0.0, 0.0, 0.0)) < calibration.threshold


def test_a_base_keeps_the_calibration_that_it_was_made_with(base: KnowledgeBase) -> None:
    assert base.calibration == Calibration()
    with base.connection:
        base.connection.execute(
            "UPDATE meta SET value = ? WHERE key = 'calibration'",
            (msgspec.json.encode(Calibration(threshold=0.9)).decode(),),
        )
    with KnowledgeBase.open(base.path) as again:
        assert again.calibration.threshold == 0.9
