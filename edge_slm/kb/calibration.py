"""How sure a base is that it holds an answer: a logistic model of three search signals.

The coefficients are what `edge-slm eval calibrate` printed on the development questions
(docs/decisions/0005-retrieval.md). A base keeps those that it was made with.
"""

import math

import msgspec


class Signals(msgspec.Struct, frozen=True):
    """What tells whether a base holds an answer.

    coverage: share of the question's stems, weighted by rarity, that the best passage (with its
        titles) holds, 0 to 1.
    nearness: how far the best cosine stands out from the base's mean, in standard deviations.
    cosine: the best cosine.
    """

    coverage: float
    nearness: float
    cosine: float


class Calibration(msgspec.Struct, frozen=True):
    """Coefficients of the logistic model, and the confidence under which a question is declined."""

    intercept: float = -8.0
    coverage: float = 6.0
    nearness: float = 1.0
    cosine: float = 0.0
    threshold: float = 0.5

    def confidence(self, signals: Signals) -> float:
        """Return the probability (0 to 1) that the base holds an answer."""
        logit = (
            self.intercept
            + self.coverage * signals.coverage
            + self.nearness * signals.nearness
            + self.cosine * signals.cosine
        )
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, logit))))
