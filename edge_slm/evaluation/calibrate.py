"""Fits the confidence of a search to questions that a base answers and questions that it does not.

Logistic regression by Newton's method on standardised signals, with a ridge of 1 and both classes
weighing the same (Hastie, Tibshirani, Friedman, The Elements of Statistical Learning, 4.4).
"""

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from edge_slm.errors import UsageError
from edge_slm.i18n import t
from edge_slm.kb.calibration import Calibration, Signals

RIDGE = 1.0
STEPS = 30
FOLDS = 20

Array = NDArray[np.float64]


class CalibrationScore(msgspec.Struct, frozen=True):
    """A calibration, and how well it tells questions that were held out while fitting."""

    calibration: Calibration
    answerable: int
    unanswerable: int
    auc: float
    kept: float  # share of answerable questions that would be answered
    declined: float  # share of unanswerable questions that would be declined


def calibrate(signals: Sequence[Signals], answerable: Sequence[bool]) -> CalibrationScore:
    """Fit a calibration; its scores come from 20-fold cross-validation.

    Args:
        signals: of each question.
        answerable: whether the base holds the answer to it.
    Raises:
        UsageError: one of the two classes is missing.
    """
    x = np.array([(s.cosine, s.agreement, s.coverage) for s in signals], np.float64)
    y = np.array(answerable, np.float64)
    if not 0 < y.sum() < len(y):
        raise UsageError(
            t(
                "Calibration needs answerable and unanswerable questions.",
                "Le calibrage demande des questions avec et sans réponse.",
            )
        )
    held_out = np.zeros(len(y))
    folds = np.arange(len(y)) % min(FOLDS, len(y))
    for fold in np.unique(folds):
        rest = folds != fold
        held_out[~rest] = _probability(x[~rest], *_fit(x[rest], y[rest]))
    threshold = _best_threshold(held_out, y)
    weights, intercept = _fit(x, y)
    right, wrong = held_out[y == 1], held_out[y == 0]
    cosine, agreement, coverage = (round(float(weight), 2) for weight in weights)
    return CalibrationScore(
        Calibration(round(intercept, 2), cosine, agreement, coverage, threshold),
        answerable=len(right),
        unanswerable=len(wrong),
        auc=round(float(np.mean(right[:, None] > wrong[None])), 4),
        kept=round(float(np.mean(right >= threshold)), 4),
        declined=round(float(np.mean(wrong < threshold)), 4),
    )


def _fit(x: Array, y: Array) -> tuple[Array, float]:
    mean, spread = x.mean(0), x.std(0)
    spread[spread == 0] = 1.0
    z = np.column_stack([np.ones(len(x)), (x - mean) / spread])
    share = y.mean() if 0 < y.mean() < 1 else 0.5
    weight = np.where(y == 1, 0.5 / share, 0.5 / (1 - share))
    ridge = RIDGE * np.diag([0.0] + [1.0] * x.shape[1])
    beta = np.zeros(z.shape[1])
    for _ in range(STEPS):
        p = 1 / (1 + np.exp(-z @ beta))
        gradient = z.T @ (weight * (p - y)) + ridge @ beta
        hessian = (z * (weight * p * (1 - p))[:, None]).T @ z + ridge
        beta -= np.linalg.solve(hessian + 1e-9 * np.eye(len(beta)), gradient)
    weights = beta[1:] / spread
    return weights, float(beta[0] - weights @ mean)


def _probability(x: Array, weights: Array, intercept: float) -> Array:
    probability: Array = 1 / (1 + np.exp(-(x @ weights + intercept)))
    return probability


def _best_threshold(probability: Array, y: Array) -> float:
    """Return the threshold that tells both classes best, each counting the same."""
    steps = np.arange(0.2, 0.81, 0.05)
    balanced = [
        np.mean(probability[y == 1] >= step) + np.mean(probability[y == 0] < step) for step in steps
    ]
    return round(float(steps[int(np.argmax(balanced))]), 2)
