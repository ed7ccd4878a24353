"""Logistic regression by Newton's method, with signs that are known beforehand.

Standardised inputs, a ridge, both classes weighing the same (Hastie, Tibshirani, Friedman, The
Elements of Statistical Learning, 4.4). An input whose weight comes out with the wrong sign is noise
and is left out.
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

RIDGE = 1.0
STEPS = 30


def fit(x: Array, y: Array, signs: Array) -> tuple[Array, float]:
    """Return weights (0 for an input left out) and the intercept.

    Args:
        x: rows of inputs.
        y: 1 or 0 a row.
        signs: 1 or -1 an input: what its weight may be.
    """
    kept = np.arange(x.shape[1])
    while True:
        weights, intercept = _newton(x[:, kept], y)
        right = weights * signs[kept] > 0
        if right.all():
            break
        kept = kept[right]
    everything = np.zeros(x.shape[1])
    everything[kept] = weights
    return everything, intercept


def probability(x: Array, weights: Array, intercept: float) -> Array:
    """Return the probability of each row."""
    logits: Array = np.clip(x @ weights + intercept, -30, 30)
    found: Array = 1 / (1 + np.exp(-logits))
    return found


def _newton(x: Array, y: Array) -> tuple[Array, float]:
    mean, spread = x.mean(0), x.std(0)
    spread[spread == 0] = 1.0
    z = np.column_stack([np.ones(len(x)), (x - mean) / spread])
    share = y.mean() if 0 < y.mean() < 1 else 0.5
    weight = np.where(y == 1, 0.5 / share, 0.5 / (1 - share))
    ridge = RIDGE * np.diag([0.0] + [1.0] * x.shape[1])
    beta = np.zeros(z.shape[1])
    for _ in range(STEPS):
        p = 1 / (1 + np.exp(-np.clip(z @ beta, -30, 30)))
        gradient = z.T @ (weight * (p - y)) + ridge @ beta
        hessian = (z * (weight * p * (1 - p))[:, None]).T @ z + ridge
        beta -= np.linalg.solve(hessian + 1e-9 * np.eye(len(beta)), gradient)
    weights = beta[1:] / spread
    return weights, float(beta[0] - weights @ mean)
