"""Does the right document come first? Top 1, top 5 and mean reciprocal rank."""

import time
from collections.abc import Sequence

import msgspec
import numpy as np

from edge_slm.engines import Embedder
from edge_slm.kb.base import KnowledgeBase
from edge_slm.kb.search import Weights, search

PASSAGES = 60  # looked at for each question; several may be of one document
SHOWN = 5  # documents that the details name


class Question(msgspec.Struct, frozen=True):
    """A question and the document that answers it; none for an unanswerable one."""

    question: str
    gold_doc: str | None = None


class RetrievalScore(msgspec.Struct, frozen=True):
    """Shares of questions (0 to 1), and search times in milliseconds."""

    questions: int
    top1: float
    top5: float
    mrr: float
    p50_ms: float
    p95_ms: float
    passages: int
    documents: int
    missed: tuple[str, ...]


class Ranked(msgspec.Struct, frozen=True):
    """Where the right document of a question came (from 1; 0 where it did not), and what came."""

    question: str
    gold_doc: str
    rank: int
    documents: tuple[str, ...]
    ms: float


def evaluate(
    base: KnowledgeBase,
    embedder: Embedder,
    questions: Sequence[Question],
    weights: Weights | None = None,
) -> tuple[RetrievalScore, list[Ranked]]:
    """Search each question that has a gold document; return the score and the documents' ranks."""
    rows = []
    for question in questions:
        if not question.gold_doc:
            continue
        start = time.perf_counter()
        found = search(base, embedder, question.question, PASSAGES, weights)
        ms = round((time.perf_counter() - start) * 1000, 1)
        documents = tuple(dict.fromkeys(hit.document for hit in found.hits))
        gold = question.gold_doc
        rank = documents.index(gold) + 1 if gold in documents else 0
        rows.append(Ranked(question.question, gold, rank, documents[:SHOWN], ms))
    ranks, times = [row.rank for row in rows], [row.ms for row in rows]
    count = max(1, len(ranks))
    score = RetrievalScore(
        questions=len(ranks),
        top1=round(sum(rank == 1 for rank in ranks) / count, 4),
        top5=round(sum(1 <= rank <= 5 for rank in ranks) / count, 4),
        mrr=round(sum(1 / rank for rank in ranks if rank) / count, 4),
        p50_ms=round(float(np.percentile(times, 50)), 1) if times else 0.0,
        p95_ms=round(float(np.percentile(times, 95)), 1) if times else 0.0,
        passages=base.passage_count(),
        documents=len(base.documents()),
        missed=tuple(f"{r.rank or '-'} {r.gold_doc} {r.question}" for r in rows if r.rank != 1),
    )
    return score, rows
