"""Hybrid search of one base: full text and vectors, fused.

Each passage gets two scores, BM25 over stems and the cosine of E5, both scaled to what this
question's candidates span; their weighted sum ranks. E5's cosines are compressed (0.75 to 0.9 for
right and wrong alike), so they are never thresholded raw. How sure the base is that it holds an
answer at all is in calibration.py.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge_slm.engines import Embedder
from edge_slm.kb.base import KnowledgeBase
from edge_slm.kb.calibration import Signals
from edge_slm.kb.lexical import match_expression, stems
from edge_slm.kb.vocabulary import expanded

CANDIDATES = 200  # passages taken from each side


@dataclass(frozen=True)
class Weights:
    """How much each part of a passage, and each side of the search, counts.

    Measured on the development questions (docs/decisions/0005-retrieval.md).
    """

    title: float = 2.0
    section: float = 1.0
    text: float = 1.0
    dense: float = 1.0  # of the cosine's side, against 1.0 for BM25


@dataclass(frozen=True)
class Hit:
    """A passage found, best first."""

    kb: str
    passage: int
    document: str
    title: str
    page: int
    section: str
    text: str
    score: float  # 0 to 1


@dataclass(frozen=True)
class Found:
    """What a search found."""

    hits: tuple[Hit, ...]
    signals: Signals


NOTHING = Found((), Signals(0.0, 0.0, 0.0))


def search(
    base: KnowledgeBase,
    embedder: Embedder,
    question: str,
    limit: int = 8,
    weights: Weights | None = None,
) -> Found:
    """Return the passages of a base that are nearest to a question.

    Args:
        base: the base.
        embedder: the model that the base was built with.
        question: one sentence or some words.
        limit: how many passages to return.
        weights: another balance than the measured one.
    """
    weights = weights or Weights()
    matrix = base.matrix()
    if len(matrix) == 0:
        return NOTHING
    ids = _passage_ids(base)
    wider = expanded(question) if base.language == "fr" else question
    lexical = _bm25(base, list(dict.fromkeys(stems(wider, base.language))), weights)
    cosines = matrix @ embedder.embed_query(wider)
    nearest = np.argsort(-cosines)[:CANDIDATES]
    by_id = {int(ids[i]): float(cosines[i]) for i in nearest}
    missing = [p for p in lexical if p not in by_id]
    rows = np.searchsorted(ids, missing)
    by_id.update({p: float(cosines[row]) for p, row in zip(missing, rows, strict=True)})
    fused = _fuse(lexical, by_id, weights)
    best = sorted(fused, key=lambda p: (-fused[p], p))[:limit]
    hits = tuple(hit for p in best if (hit := hit_of(base, p, fused[p])))
    spread = float(cosines.std()) or 1.0
    top = float(cosines[nearest[0]])
    nearness = (top - float(cosines.mean())) / spread
    words = list(dict.fromkeys(stems(question, base.language)))
    return Found(hits, Signals(_coverage(base, words, hits), nearness, top))


def rarity(base: KnowledgeBase, words: Sequence[str]) -> dict[str, float]:
    """Return the inverse document frequency of stems over the passages of a base."""
    total = base.passage_count()
    weights = {}
    for word in words:
        (count,) = base.connection.execute(
            "SELECT count(*) FROM passages_fts WHERE passages_fts MATCH ?", (f'"{word}"',)
        ).fetchone()
        weights[word] = math.log(1 + (total - count + 0.5) / (count + 0.5))
    return weights


def _passage_ids(base: KnowledgeBase) -> NDArray[np.int64]:
    rows = base.connection.execute("SELECT passage FROM vectors ORDER BY passage")
    return np.fromiter((row[0] for row in rows), np.int64)


def _bm25(base: KnowledgeBase, words: Sequence[str], weights: Weights) -> dict[int, float]:
    if not words:
        return {}
    rows = base.connection.execute(
        """SELECT rowid, -bm25(passages_fts, ?, ?, ?) AS score FROM passages_fts
           WHERE passages_fts MATCH ? ORDER BY score DESC LIMIT ?""",
        (
            weights.title,
            weights.section,
            weights.text,
            match_expression(list(words)),
            CANDIDATES,
        ),
    )
    return {int(passage): float(score) for passage, score in rows}


def _fuse(
    lexical: dict[int, float], cosines: dict[int, float], weights: Weights
) -> dict[int, float]:
    top = max(lexical.values(), default=0.0) or 1.0
    low, high = min(cosines.values()), max(cosines.values())
    span = (high - low) or 1.0
    return {
        passage: (lexical.get(passage, 0.0) / top + weights.dense * (cosine - low) / span)
        / (1 + weights.dense)
        for passage, cosine in cosines.items()
    }


def hit_of(base: KnowledgeBase, passage: int, score: float) -> Hit | None:
    """Return a passage by its id, or None when its document is gone."""
    row = base.connection.execute(
        """SELECT d.name, d.title, p.page, p.section, p.text
           FROM passages p JOIN documents d ON d.id = p.document WHERE p.id = ?""",
        (passage,),
    ).fetchone()
    if row is None:
        return None
    document, title, page, section, text = row
    return Hit(base.name, passage, document, title, page, section, text, round(score, 4))


def _coverage(base: KnowledgeBase, words: Sequence[str], hits: Sequence[Hit]) -> float:
    weights = rarity(base, words)
    total = sum(weights.values())
    if not total:
        return 0.0
    return max(
        (
            sum(weights[word] for word in words if word in held) / total
            for held in (_stems_of(base, hit) for hit in hits)
        ),
        default=0.0,
    )


def _stems_of(base: KnowledgeBase, hit: Hit) -> set[str]:
    return set(stems(f"{hit.title}\n{hit.section}\n{hit.text}", base.language))
