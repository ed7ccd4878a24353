"""Fits the weights by which a sentence is quoted, and tells how often the right one comes first.

A conditional logit over the sentences of a question (McFadden, Conditional Logit Analysis of
Qualitative Choice Behavior, 1974), by gradient descent with a ridge; figures are cross-validated by
document.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from edge_slm.engines import Embedder
from edge_slm.evaluation.answers import Question, holds
from edge_slm.kb.base import KnowledgeBase
from edge_slm.tasks.hr_faq.evidence import look, quotable
from edge_slm.tasks.hr_faq.quoting import Candidate, Features, best_quote
from edge_slm.text import fold

FOLDS = 5
RIDGE = 2.0
STEPS = 200
RATE = 0.7
NAMES = Features.__struct_fields__
_NO_WORD = re.compile(r"[^a-z0-9%]+")

Array = NDArray[np.float64]


class QuoteScore(msgspec.Struct, frozen=True):
    """Shares of the questions (0 to 1), held out while fitting, and the weights of a fit to all.

    found: the evidence is among the sentences looked at. first: it is the one quoted. in_three: it
    is one of the best three. facts: the quotation holds the words of the answer. document: it is of
    the right document.
    """

    questions: int
    found: float
    first: float
    in_three: float
    facts: float
    document: float
    weights: Features


@dataclass(frozen=True)
class _Choice:
    """The sentences of a question, their features, and which hold the evidence."""

    question: Question
    candidates: Sequence[Candidate]
    features: Array
    right: Array


def evaluate(
    base: KnowledgeBase,
    embedder: Embedder,
    questions: Sequence[Question],
    on_question: Callable[[int], None],
) -> QuoteScore:
    """Fit to the questions that have evidence in a document of the base."""
    choices = []
    for question in questions:
        if question.evidence and question.source:
            choices.append(_choice(base, embedder, question))
        on_question(1)
    documents = sorted({choice.question.source or "" for choice in choices})
    folds = {name: place % FOLDS for place, name in enumerate(documents)}
    rows = []
    for fold_number in range(FOLDS):
        inside = [c for c in choices if folds[c.question.source or ""] != fold_number]
        outside = [c for c in choices if folds[c.question.source or ""] == fold_number]
        weights = _fit(inside)
        rows += [_outcome(choice, weights) for choice in outside]
    shares = np.array(rows, np.float64).mean(0) if rows else np.zeros(5)
    found, first, in_three, facts, document = (round(float(share), 4) for share in shares)
    fitted = Features(*(round(float(weight), 2) for weight in _fit(choices)))
    return QuoteScore(len(choices), found, first, in_three, facts, document, fitted)


def _choice(base: KnowledgeBase, embedder: Embedder, question: Question) -> _Choice:
    found = look(question.question, base, embedder).found
    candidates = list(quotable(question.question, base, found))
    evidence = _letters(question.evidence or "")

    def is_right(candidate: Candidate) -> bool:
        line = _letters(candidate.line)
        holds_it = evidence in line or (len(line) > 15 and line in evidence)
        return holds_it and candidate.hit.document == question.source

    return _Choice(
        question,
        candidates,
        np.array([msgspec.structs.astuple(c.features) for c in candidates], np.float64).reshape(
            -1, len(NAMES)
        ),
        np.array([is_right(c) for c in candidates], np.float64),
    )


def _fit(choices: Sequence[_Choice]) -> Array:
    usable = [choice for choice in choices if choice.right.any()]
    if not usable:
        return np.zeros(len(NAMES))
    everything = np.concatenate([choice.features for choice in usable])
    spread = everything.std(0) + 1e-9
    scaled = [(choice.features / spread, choice.right) for choice in usable]
    weights = np.zeros(len(NAMES))
    for _ in range(STEPS):
        gradient = RIDGE * weights / len(scaled)
        for features, right in scaled:
            logits = features @ weights
            share = np.exp(logits - logits.max())
            share /= share.sum()
            wanted = share * right
            gradient = gradient + features.T @ (share - wanted / wanted.sum()) / len(scaled)
        weights = weights - RATE * gradient
    found: Array = weights / spread
    return found


def _outcome(choice: _Choice, weights: Array) -> tuple[float, ...]:
    if not choice.candidates:
        return (0.0,) * 5
    order = np.argsort(-(choice.features @ weights), kind="stable")
    best = choice.candidates[int(order[0])]
    right_document = best.hit.document == choice.question.source
    return (
        float(choice.right.any()),
        float(choice.right[order[0]]),
        float(choice.right[order[:3]].any()),
        float(right_document and holds(choice.question.words, _quoted(choice, weights))),
        float(right_document),
    )


def _quoted(choice: _Choice, weights: Array) -> str:
    quote = best_quote(choice.candidates, Features(*map(float, weights)))
    return quote.text if quote else ""


def _letters(text: str) -> str:
    return _NO_WORD.sub(" ", fold(text)).strip()
