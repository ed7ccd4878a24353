"""How sure a base is that it holds an answer: a logistic model of three search signals.

The coefficients are what `edge-slm eval calibrate` printed on the development questions
(docs/decisions/0005-retrieval.md). A base keeps those that it was made with.
"""

import math

import msgspec


class Signals(msgspec.Struct, frozen=True):
    """What tells whether a base holds an answer.

    cosine: the best cosine of a passage with the question.
    agreement: the best passage's score, 0 to 1; 1 when words and vectors agree on it.
    coverage: share of the question's stems, weighted by rarity, that the best passage's document
        holds, 0 to 1.
    """

    cosine: float
    agreement: float
    coverage: float


class Calibration(msgspec.Struct, frozen=True):
    """Coefficients of the logistic model, and the confidence under which a question is declined."""

    intercept: float = -44.03
    cosine: float = 42.49
    agreement: float = 6.6
    coverage: float = 2.52
    threshold: float = 0.4

    def confidence(self, signals: Signals) -> float:
        """Return the probability (0 to 1) that the base holds an answer."""
        logit = (
            self.intercept
            + self.cosine * signals.cosine
            + self.agreement * signals.agreement
            + self.coverage * signals.coverage
        )
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, logit))))
