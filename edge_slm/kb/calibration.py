"""How sure a base is that it holds an answer: a logistic model of what a search shows.

The coefficients are what `edge-slm eval calibrate` printed on the development questions
(docs/decisions/0019-calibration.md). A base keeps those that it was calibrated with.
"""

import math

import msgspec


class Signals(msgspec.Struct, frozen=True):
    """What tells whether a base holds an answer; signals.py makes those after the first three.

    cosine: the best cosine of a passage with the question.
    agreement: the best passage's score, 0 to 1; 1 when words and vectors agree on it.
    coverage: share of the question's stems, weighted by rarity, that the best passage's document
        holds, 0 to 1.
    passage: the same share of one passage, the best of the first three.
    unseen: rarity of the rarest stem of the question that the document does not hold, against
        the rarest there can be, 0 to 1.
    outside: 1 when the question is about people that the base is not for, else 0.
    dated: 1 when the question names a year that the document does not, else 0.
    quote: linear score of the best sentence to quote (tasks/hr_faq/quoting.py), by 20.
    personal: 1 when it asks about the very person or place of the one who asks, else 0.
    """

    cosine: float
    agreement: float
    coverage: float
    passage: float = 0.0
    unseen: float = 0.0
    outside: float = 0.0
    dated: float = 0.0
    personal: float = 0.0
    quote: float = 0.0


# Signals that speak against an answer; all others speak for one.
AGAINST = frozenset({"unseen", "outside", "dated", "personal"})


_WEIGHTS = {
    "cosine": 70.92,
    "agreement": 4.1,
    "coverage": 2.4,
    "passage": 0.13,
    "outside": -5.03,
    "dated": -3.91,
    "personal": -4.04,
    "quote": 4.92,
}


class Calibration(msgspec.Struct, frozen=True):
    """Coefficients of the logistic model, and the thresholds of the ladder's rungs.

    intercept, weights: of the logistic model; a signal without a weight does not count.
    threshold: confidence under which a question is declined.
    quote: score from which a quotation answers by itself.
    approved: score from which an approved answer serves another wording of its question.
    """

    intercept: float = -69.34
    weights: dict[str, float] = msgspec.field(default_factory=_WEIGHTS.copy)
    threshold: float = 0.68
    quote: float = 0.15
    approved: float = 0.85

    def confidence(self, signals: Signals) -> float:
        """Return the probability (0 to 1) that the base holds an answer."""
        logit = self.intercept + sum(
            weight * getattr(signals, name) for name, weight in self.weights.items()
        )
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, logit))))


def decoded(text: str) -> Calibration:
    """Return the calibration that a base keeps.

    Raises:
        ValueError: it is none, or it weighs what is no signal.
    """
    known = {field.name for field in msgspec.structs.fields(Signals)}
    try:
        kept: dict[str, object] = msgspec.json.decode(text, type=dict[str, object])
        if "weights" not in kept:  # not calibrated, or before the coefficients had names
            return Calibration()
        calibration = msgspec.convert(kept, Calibration)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise ValueError(f"calibration: {error}") from None
    if unknown := calibration.weights.keys() - known:
        raise ValueError(f"calibration of {', '.join(sorted(unknown))}")
    return calibration
