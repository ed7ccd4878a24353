"""The signals of a question, counted by hand on a small base."""

import math

import msgspec
import pytest

from edge_slm.kb.base import KnowledgeBase
from edge_slm.kb.calibration import Signals
from edge_slm.kb.search import Found, search
from edge_slm.kb.signals import complete
from tests.fakes import FakeEmbedder
from tests.kb.samples import LEAVE, MEALS, REMOTE, document


@pytest.fixture
def filled(base: KnowledgeBase, embedder: FakeEmbedder) -> KnowledgeBase:
    """Three documents; the one about leave has two pages and names 2024."""
    leave = document("conges.md", LEAVE, "Le report de 2024 est possible.", pages=[1, 2])
    base.add(leave, embedder)
    base.add(document("teletravail.md", REMOTE), embedder)
    base.add(document("cantine.md", MEALS), embedder)
    return base


def signals(base: KnowledgeBase, embedder: FakeEmbedder, question: str) -> tuple[Signals, Found]:
    """Return all signals of a question, and what the search found."""
    found = search(base, embedder, question)
    return complete(base, question, found), found


def test_those_of_the_search_are_kept(filled: KnowledgeBase, embedder: FakeEmbedder) -> None:
    made, found = signals(filled, embedder, "Combien de jours de congés annuels ?")
    for name in ("cosine", "agreement", "coverage"):
        assert getattr(made, name) == getattr(found.signals, name)
    assert (found.signals.passage, found.signals.unseen) == (0.0, 0.0)


def test_a_question_of_the_passages_own_words_is_all_seen(
    filled: KnowledgeBase, embedder: FakeEmbedder
) -> None:
    made, _ = signals(filled, embedder, "congés annuels d'un agent à temps plein")
    assert (made.passage, made.coverage, made.unseen) == (1.0, 1.0, 0.0)


def test_the_passage_is_one_where_the_document_is_all(
    filled: KnowledgeBase, embedder: FakeEmbedder
) -> None:
    made, _ = signals(filled, embedder, "congés annuels report")
    assert made.coverage == pytest.approx(1.0)
    assert 0 < made.passage < made.coverage


def test_a_word_that_no_document_holds_is_the_rarest(
    filled: KnowledgeBase, embedder: FakeEmbedder
) -> None:
    made, found = signals(filled, embedder, "congés annuels lutin")
    assert made.unseen == pytest.approx(1.0)
    rarest = math.log(1 + (filled.passage_count() + 0.5) / 0.5)
    assert max(found.rarity.values()) == pytest.approx(rarest)
    known, _ = signals(filled, embedder, "congés annuels télétravail")
    assert 0 < known.unseen < 1


@pytest.mark.parametrize(
    ("question", "dated"),
    [
        ("Les congés annuels ?", 0.0),
        ("Les congés annuels reportés en 2024 ?", 0.0),
        ("Les congés annuels en 1999 ?", 1.0),
        ("Les congés annuels en 2024 et 1999 ?", 1.0),
    ],
)
def test_a_year_that_the_document_does_not_name(
    question: str, dated: float, filled: KnowledgeBase, embedder: FakeEmbedder
) -> None:
    assert signals(filled, embedder, question)[0].dated == dated


@pytest.mark.parametrize(
    ("question", "name"),
    [
        ("Combien de jours de congés pour un salarié ?", "outside"),
        ("Combien de jours de congés me reste-t-il ?", "personal"),
    ],
)
def test_what_speaks_against_an_answer(
    question: str, name: str, filled: KnowledgeBase, embedder: FakeEmbedder
) -> None:
    made, _ = signals(filled, embedder, question)
    assert {one for one in ("outside", "personal", "dated") if getattr(made, one)} == {name}


def test_a_base_for_others_has_no_outside(filled: KnowledgeBase, embedder: FakeEmbedder) -> None:
    filled.change(audience="")
    assert signals(filled, embedder, "les congés d'un salarié")[0].outside == 0.0


def test_an_empty_base_has_the_signals_of_the_search(
    base: KnowledgeBase, embedder: FakeEmbedder
) -> None:
    made, found = signals(base, embedder, "Un salarié en 1999 ?")
    assert made == found.signals == Signals(0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    "question", ["", "?", "de la", "🙂", "\0", "\ud800", "2031", "congés " * 10_000, "x" * 100_000]
)
def test_any_question_has_signals_from_0_to_1(
    question: str, filled: KnowledgeBase, embedder: FakeEmbedder
) -> None:
    made, _ = signals(filled, embedder, question)
    for value in msgspec.structs.astuple(made):
        assert -1e-6 <= value <= 1 + 1e-6
