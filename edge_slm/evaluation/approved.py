"""Do approved answers serve the paraphrases of their questions, and nothing else?

Each row holds a question, paraphrases of it, and near misses: questions on the same subject that
have another answer. A row without a question holds questions that nothing approved answers. All
questions are approved at once, so that each paraphrase can be taken for any of them.
"""

import itertools
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import numpy as np

from edge_slm.kb import approvals
from edge_slm.kb.base import KnowledgeBase
from edge_slm.kb.export import export_base

CURVE = (0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)
WARMING = 5  # questions asked before the clock runs
_VERBS = ("ranger", "peindre", "classer", "livrer", "tamponner", "relier", "copier", "peser")
_SYLLABLES = ("ba", "do", "ki", "lu", "me", "no", "pa", "ri", "so", "tu", "va", "zo")


class Row(msgspec.Struct, frozen=True):
    """An approved question, its paraphrases, and near misses that must not get its answer."""

    question: str | None = None
    paraphrases: tuple[str, ...] = ()
    near: tuple[str, ...] = ()


class Asked(msgspec.Struct, frozen=True):
    """What became of one question: the approved question wanted, and the one that fitted best."""

    question: str
    wanted: str | None
    found: str | None
    score: float
    ms: float


class Point(msgspec.Struct, frozen=True):
    """Shares at one threshold: of paraphrases served, of all questions given a wrong answer."""

    threshold: float
    served: float
    wrong: float


class ApprovedScore(msgspec.Struct, frozen=True):
    """Shares (0 to 1) and times of the search for an approved answer, in milliseconds.

    served: share of the paraphrases that got the answer of their question.
    wrong: share of all questions asked that got the answer to another question.
    """

    approved: int
    paraphrases: int
    others: int
    threshold: float
    served: float
    wrong: float
    wrong_count: int
    p50_ms: float
    p95_ms: float
    curve: tuple[Point, ...]
    mistaken: tuple[str, ...]


def evaluate(
    rows: Sequence[Row], base: KnowledgeBase | None = None, among: int = 0
) -> tuple[ApprovedScore, list[Asked]]:
    """Approve the questions of all rows in a copy of a base, and ask everything else.

    Args:
        rows: the rows.
        base: a base whose documents and calibration count; None for an empty one.
        among: how many approved answers there are to be, made-up ones filling up.
    """
    with TemporaryDirectory() as folder, _copy(base, Path(folder) / "approved.db") as copy:
        with copy.connection:
            copy.connection.execute("DELETE FROM approved")
        questions = [row.question for row in rows if row.question]
        for question in [*questions, *_made_up(among - len(questions))]:
            approvals.approve(copy, question, question, None, "eval")
        for question in questions[:WARMING]:
            approvals.find(copy, f"{question} ?!")
        asked = [_ask(copy, *pair) for pair in _pairs(rows)]
        return _score(asked, len(approvals.all_of(copy)), copy.calibration.approved), asked


def _copy(base: KnowledgeBase | None, path: Path) -> KnowledgeBase:
    if base is None:
        return KnowledgeBase.create(path, "none", 1)
    export_base(base, path)
    return KnowledgeBase.open(path)


def _pairs(rows: Sequence[Row]) -> list[tuple[str, str | None]]:
    """Return each question to ask and the approved question that it paraphrases, or None."""
    meant = [(text, row.question) for row in rows for text in row.paraphrases]
    return [*meant, *((text, None) for row in rows for text in row.near)]


def _made_up(count: int) -> list[str]:
    """Return questions that share words with one another and with real ones, always the same."""
    objects = itertools.product(_SYLLABLES, repeat=4)
    pairs = ((verb, "".join(parts)) for parts in objects for verb in _VERBS)
    return [
        f"Comment {verb} le dossier {name} de mon service ?"
        for verb, name in itertools.islice(pairs, max(0, count))
    ]


def _ask(base: KnowledgeBase, question: str, wanted: str | None) -> Asked:
    start = time.perf_counter()
    found = approvals.likeliest(base, question)
    ms = round((time.perf_counter() - start) * 1000, 2)
    if found is None:
        return Asked(question, wanted, None, 0.0, ms)
    return Asked(question, wanted, found.question, found.score, ms)


def _point(asked: Sequence[Asked], threshold: float) -> Point:
    given = [one for one in asked if one.found and one.score >= threshold]
    right = sum(one.found == one.wanted for one in given)
    meant = sum(one.wanted is not None for one in asked)
    served, wrong = right / max(1, meant), (len(given) - right) / max(1, len(asked))
    return Point(threshold, round(served, 4), round(wrong, 4))


def _score(asked: Sequence[Asked], approved: int, threshold: float) -> ApprovedScore:
    point = _point(asked, threshold)
    meant = sum(one.wanted is not None for one in asked)
    mistaken = tuple(
        f"{one.score:.2f} {one.question} -> {one.found}"
        for one in asked
        if one.found and one.score >= threshold and one.found != one.wanted
    )
    times = [one.ms for one in asked] or [0.0]
    return ApprovedScore(
        approved=approved,
        paraphrases=meant,
        others=len(asked) - meant,
        threshold=threshold,
        served=point.served,
        wrong=point.wrong,
        wrong_count=len(mistaken),
        p50_ms=round(float(np.percentile(times, 50)), 2),
        p95_ms=round(float(np.percentile(times, 95)), 2),
        curve=tuple(_point(asked, at) for at in CURVE),
        mistaken=mistaken,
    )
