"""Ranks of the right document, counted by hand."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_slm.evaluation import retrieval
from edge_slm.evaluation.retrieval import Question, evaluate
from edge_slm.kb.base import KnowledgeBase
from edge_slm.kb.documents import Block, Document
from edge_slm.kb.search import Found, Hit, Weights, search
from edge_slm.kb.vectors import Vectors
from tests.evaluation.conftest import CORPUS
from tests.fakes import DIMENSIONS, FakeEmbedder


@pytest.fixture
def base(tmp_path: Path) -> Iterator[KnowledgeBase]:
    with KnowledgeBase.create(tmp_path / "corpus.db", "fake", DIMENSIONS) as base:
        for name, (title, text) in CORPUS.items():
            base.add(Document(name, title, (Block(text, 1, ""),)), FakeEmbedder())
        yield base


def test_what_is_found_first_scores_1(base: KnowledgeBase) -> None:
    questions = [Question("congés annuels", "conges"), Question("cantine du siège", "cantine")]
    score, _ = evaluate(base, FakeEmbedder(), questions)
    assert (score.questions, score.top1, score.top5, score.mrr) == (2, 1.0, 1.0, 1.0)
    assert score.missed == ()
    assert (score.documents, score.passages) == (3, 3)
    assert 0 < score.p50_ms <= score.p95_ms


def test_an_unknown_document_scores_0(base: KnowledgeBase) -> None:
    score, _ = evaluate(base, FakeEmbedder(), [Question("congés annuels", "absent")])
    assert (score.questions, score.top1, score.top5, score.mrr) == (1, 0.0, 0.0, 0.0)
    assert score.missed == ("- absent congés annuels",)


def test_ranks_are_those_of_documents_not_of_passages(
    base: KnowledgeBase, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = ["a", "a", "a", "b", "a", "c", "d", "e", "f"]
    hits = tuple(Hit("k", n, name, "", 1, "", "", 0.5) for n, name in enumerate(order))
    signals = search(base, FakeEmbedder(), "congés").signals
    monkeypatch.setattr(retrieval, "search", lambda *_: Found(hits, signals))
    questions = [Question("q", name) for name in ("a", "b", "e", "f", "z")]
    score, _ = evaluate(base, FakeEmbedder(), questions)
    assert score.top1 == pytest.approx(1 / 5)
    assert score.top5 == pytest.approx(3 / 5)
    assert score.mrr == pytest.approx((1 + 1 / 2 + 1 / 5 + 1 / 6) / 5, abs=1e-4)
    assert score.missed == ("2 b q", "5 e q", "6 f q", "- z q")


def test_unanswerable_questions_are_not_searched(base: KnowledgeBase) -> None:
    embedder = FakeEmbedder()
    questions = [Question("hors sujet"), Question("hors sujet", "")]
    score, _ = evaluate(base, embedder, questions)
    assert (score.questions, score.top1, score.mrr, score.p50_ms) == (0, 0.0, 0.0, 0.0)
    assert embedder.queries == []
    assert evaluate(base, embedder, [])[0].questions == 0


def test_other_weights_are_used(base: KnowledgeBase) -> None:
    class Torn(FakeEmbedder):
        def embed_query(self, text: str) -> Vectors:
            return super().embed_query(CORPUS["cantine"][1])

    asked = [Question("télétravail", "teletravail")]
    assert evaluate(base, Torn(), asked, Weights(dense=0.0))[0].top1 == 1.0
    assert evaluate(base, Torn(), asked, Weights(dense=100.0))[0].top1 == 0.0
