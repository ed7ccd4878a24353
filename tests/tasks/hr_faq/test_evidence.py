"""What is gathered on a question: the surest base, its passages, its quotation, its signals."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_slm.kb import approvals
from edge_slm.kb.base import KnowledgeBase
from edge_slm.kb.documents import Block, Document
from edge_slm.kb.rungs import ALL
from edge_slm.kb.search import search
from edge_slm.tasks.hr_faq.evidence import FIRST, KEPT, SEARCHED, gather, look, quotable
from tests.fakes import DIMENSIONS, FakeEmbedder
from tests.tasks.conftest import LEAVE_QUESTION


@pytest.fixture
def empty(home: Path) -> Iterator[KnowledgeBase]:
    """A base that holds nothing, `vide`."""
    with KnowledgeBase.create(home / "kb" / "vide.db", "fake", DIMENSIONS) as base:
        yield base


def many(name: str, count: int, words: str) -> Document:
    """Return a document of some passages that share words."""
    blocks = tuple(Block(f"{words} numéro {n}. " * 12, n + 1, f"Partie {n}") for n in range(count))
    return Document(name, f"Titre de {name}", blocks)


def test_without_a_base_there_is_none(embedder: FakeEmbedder) -> None:
    found = gather("Pourquoi ?", [], embedder, ALL)
    assert (found.base, found.found.hits, found.quote, found.approved) == (None, (), None, None)
    assert found.confidence < found.threshold


def test_an_empty_base_is_not_sure(empty: KnowledgeBase, embedder: FakeEmbedder) -> None:
    found = gather("Pourquoi ?", [empty], embedder, ALL)
    assert found.base is empty
    assert (found.confidence, found.quote) == (0.0, None)
    assert found.threshold == empty.calibration.threshold


def test_the_surest_base_answers(
    base: KnowledgeBase, empty: KnowledgeBase, embedder: FakeEmbedder
) -> None:
    for bases in ([base, empty], [empty, base]):
        found = gather(LEAVE_QUESTION, bases, embedder, ALL)
        assert found.base is base
        assert found.found.hits[0].document == "conges.md"


def test_a_base_with_an_approved_answer_is_the_surest(
    base: KnowledgeBase, empty: KnowledgeBase, embedder: FakeEmbedder
) -> None:
    approvals.approve(empty, LEAVE_QUESTION, "Demandez.", None, "Mme Martin")
    for bases in ([base, empty], [empty, base]):
        found = gather(LEAVE_QUESTION, bases, embedder, ALL)
        assert found.base is empty
        assert found.approved and found.approved.answer == "Demandez."
        assert found.confidence >= found.threshold
    assert embedder.queries == []


def test_approved_answers_that_are_not_allowed_are_not_looked_for(
    base: KnowledgeBase, empty: KnowledgeBase, embedder: FakeEmbedder
) -> None:
    approvals.approve(base, LEAVE_QUESTION, "Demandez.", None, "Mme Martin")
    approvals.approve(empty, LEAVE_QUESTION, "Autrement.", None, "Mme Martin")
    assert gather(LEAVE_QUESTION, [base], embedder, ALL - {"approved"}).approved is None
    base.change(rungs='["quote"]')
    found = gather(LEAVE_QUESTION, [base, empty], embedder, ALL)
    assert found.approved and found.approved.answer == "Autrement."


def test_passages_kept_are_those_of_the_best_document_and_the_first(
    base: KnowledgeBase, embedder: FakeEmbedder
) -> None:
    base.add(many("mobilite.md", 20, "La mobilité des agents"), embedder)
    base.add(many("formation.md", 20, "La formation des agents"), embedder)
    question = "mobilité des agents"
    ranked = search(base, embedder, question, SEARCHED).hits
    kept = look(question, base, embedder).found.hits
    assert kept[:FIRST] == ranked[:FIRST]
    assert len(kept) <= KEPT
    assert len(kept) > FIRST
    assert {hit.document for hit in kept[FIRST:]} == {ranked[0].document}


def test_the_signals_are_complete(base: KnowledgeBase, embedder: FakeEmbedder) -> None:
    found = look("Combien de jours de congés annuels en 1999 pour un salarié ?", base, embedder)
    assert found.signals == found.found.signals
    assert (found.signals.dated, found.signals.outside) == (1.0, 1.0)
    assert 0 < found.signals.passage <= 1
    assert found.confidence == base.calibration.confidence(found.signals)


def test_sentences_of_what_was_found_may_be_quoted(
    base: KnowledgeBase, embedder: FakeEmbedder
) -> None:
    found = look(LEAVE_QUESTION, base, embedder)
    lines = {candidate.line for candidate in quotable(LEAVE_QUESTION, base, found.found)}
    assert "Un agent à temps plein a droit à 25 jours de congés annuels." in lines
    assert found.quote and found.quote.text in lines


def test_the_documents_word_for_what_people_say_counts(
    base: KnowledgeBase, embedder: FakeEmbedder
) -> None:
    block = Block("Les titres-restaurant sont remis en début de mois.", 1, "")
    base.add(Document("remise.md", "Remise", (block,)), embedder)
    question = "mes tickets resto ?"
    found = look(question, base, embedder)
    by_line = {c.line: c.features for c in quotable(question, base, found.found)}
    assert by_line[block.text].synonym > 0
    assert by_line[block.text].own == 0
