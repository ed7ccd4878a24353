"""Fitting the confidence: classes that differ are told apart, one class alone is refused."""

import numpy as np
import pytest

from edge_slm.errors import UsageError
from edge_slm.evaluation.calibrate import calibrate
from edge_slm.kb.calibration import Signals


def drawn(count: int, cosine: float, agreement: float, seed: int) -> list[Signals]:
    """Return signals scattered about a cosine and an agreement."""
    noise = np.random.default_rng(seed).normal(0, 0.02, (count, 3))
    return [Signals(cosine + a, agreement + b, 0.5 + c) for a, b, c in noise]


def test_classes_that_differ_are_told_apart() -> None:
    signals = drawn(40, 0.90, 0.9, 1) + drawn(40, 0.80, 0.6, 2)
    score = calibrate(signals, [True] * 40 + [False] * 40)
    assert (score.answerable, score.unanswerable) == (40, 40)
    assert min(score.auc, score.kept, score.declined) == 1.0
    found = score.calibration
    assert found.confidence(Signals(0.92, 0.95, 0.5)) > found.threshold
    assert found.confidence(Signals(0.78, 0.5, 0.5)) < found.threshold


def test_classes_that_do_not_differ_are_not() -> None:
    signals = drawn(60, 0.85, 0.7, 3)
    score = calibrate(signals, [number % 2 == 0 for number in range(60)])
    assert 0.2 < score.auc < 0.8


def test_a_signal_that_never_changes_does_no_harm() -> None:
    signals = [Signals(0.9, 0.5, 0.5)] * 10 + [Signals(0.8, 0.5, 0.5)] * 10
    score = calibrate(signals, [True] * 10 + [False] * 10)
    assert score.auc == 1.0


@pytest.mark.parametrize("answerable", [[True] * 4, [False] * 4, []])
def test_one_class_alone_is_refused(answerable: list[bool]) -> None:
    with pytest.raises(UsageError, match="answerable and unanswerable"):
        calibrate(drawn(len(answerable), 0.9, 0.5, 4), answerable)
