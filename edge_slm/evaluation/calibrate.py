"""Fits the confidence of a base to questions that it answers and questions that it does not.

All figures are of questions held out while fitting. The risk-coverage curve (El-Yaniv and Wiener,
On the Foundations of Noise-free Selective Classification, JMLR 2010) has one point a threshold:
coverage is the share of all questions that would be answered, risk the share of these that have no
answer, or whose best document is not the right one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

from edge_slm.errors import EdgeSlmError, UsageError
from edge_slm.evaluation.fitting import Array, fit, probability
from edge_slm.i18n import decimal, t
from edge_slm.kb.calibration import AGAINST, Calibration, Signals

FOLDS = 20
FEWEST = 10  # questions of each kind
STEPS = np.round(np.arange(0.02, 0.99, 0.02), 2)
NAMES = Signals.__struct_fields__
SIGNS = np.array([-1.0 if name in AGAINST else 1.0 for name in NAMES])


@dataclass(frozen=True)
class Observed:
    """What a search showed of a question; `right`: its best document is the one that answers."""

    signals: Signals
    answerable: bool
    right: bool


class Point(msgspec.Struct, frozen=True):
    """A threshold and what it gives, all shares 0 to 1.

    coverage: of all questions, those answered. risk: of these, those that should not have been.
    kept: of the answerable, those answered. declined: of the unanswerable, those declined.
    """

    threshold: float
    coverage: float
    risk: float
    kept: float
    declined: float


class CalibrationScore(msgspec.Struct, frozen=True):
    """A calibration, and how well it tells questions that were held out while fitting."""

    calibration: Calibration
    answerable: int
    unanswerable: int
    auc: float
    kept: float
    declined: float
    coverage: float
    risk: float
    curve: tuple[Point, ...]


def calibrate(
    observed: Sequence[Observed], start: Calibration, risk: float | None = None
) -> CalibrationScore:
    """Fit a calibration; its scores come from 20-fold cross-validation.

    Args:
        observed: the questions.
        start: the calibration whose other thresholds are kept.
        risk: highest risk wanted; None for the threshold that tells both kinds best.
    Raises:
        UsageError: too few questions of one kind.
        EdgeSlmError: no threshold has so low a risk.
    """
    x = np.array([msgspec.structs.astuple(one.signals) for one in observed], np.float64)
    y = np.array([one.answerable for one in observed], np.float64)
    if min(y.sum(), len(y) - y.sum()) < FEWEST:
        raise UsageError(
            t(
                "Calibration needs at least {n} questions with an answer and {n} without.",
                "Le calibrage demande au moins {n} questions avec réponse et {n} sans.",
                n=FEWEST,
            )
        )
    held_out = _held_out(x, y)
    right = np.array([one.right and one.answerable for one in observed])
    curve = tuple(_point(held_out, y, right, float(step)) for step in STEPS)
    chosen = _best(curve) if risk is None else _within(curve, risk)
    weights, intercept = fit(x, y, SIGNS)
    yes, no = held_out[y == 1], held_out[y == 0]
    return CalibrationScore(
        msgspec.structs.replace(
            start,
            intercept=round(intercept, 2),
            weights={n: round(float(w), 2) for n, w in zip(NAMES, weights, strict=True) if w},
            threshold=chosen.threshold,
        ),
        answerable=len(yes),
        unanswerable=len(no),
        auc=round(float(np.mean(yes[:, None] > no[None])), 4),
        kept=chosen.kept,
        declined=chosen.declined,
        coverage=chosen.coverage,
        risk=chosen.risk,
        curve=curve,
    )


def _held_out(x: Array, y: Array) -> Array:
    found = np.zeros(len(y))
    folds = np.arange(len(y)) % FOLDS
    for fold in range(FOLDS):
        rest = folds != fold
        found[~rest] = probability(x[~rest], *fit(x[rest], y[rest], SIGNS))
    return found


def _point(held_out: Array, y: Array, right: Array, threshold: float) -> Point:
    answered = held_out >= threshold
    return Point(
        threshold,
        coverage=round(float(answered.mean()), 4),
        risk=round(float(1 - right[answered].mean()), 4) if answered.any() else 0.0,
        kept=round(float(answered[y == 1].mean()), 4),
        declined=round(float((~answered)[y == 0].mean()), 4),
    )


def _best(curve: Sequence[Point]) -> Point:
    """Return the point that tells both kinds best, each counting the same."""
    return max(curve, key=lambda point: point.kept + point.declined)


def _within(curve: Sequence[Point], risk: float) -> Point:
    """Return the point of most coverage among those whose risk is not higher than wanted.

    The strictest thresholds answer few questions, and one wrong answer there rules out no other.
    """
    answering = [point for point in curve if point.coverage]
    allowed = [point for point in answering if point.risk <= risk]
    if not allowed:
        lowest = min(answering, key=lambda point: point.risk)
        raise EdgeSlmError(
            t(
                "No threshold has a risk of {risk} on these questions; the lowest is {lowest}, at "
                "threshold {threshold}, which answers {coverage} of them.",
                "Aucun seuil n'a un risque de {risk} sur ces questions ; le plus bas est {lowest}, "
                "au seuil {threshold}, qui répond à {coverage} d'entre elles.",
                risk=decimal(risk, 3),
                lowest=decimal(lowest.risk, 3),
                threshold=decimal(lowest.threshold, 2),
                coverage=decimal(lowest.coverage, 2),
            )
        )
    return max(allowed, key=lambda point: point.coverage)
