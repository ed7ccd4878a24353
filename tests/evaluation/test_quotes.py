"""Fitting the weights of a quotation: the right sentence comes first, and bad rows do no harm."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import pytest

from edge_slm.evaluation.answers import Question
from edge_slm.evaluation.quotes import QuoteScore, evaluate
from edge_slm.kb.base import KnowledgeBase
from edge_slm.kb.documents import Block, Document
from edge_slm.tasks.hr_faq.quoting import Features
from tests.fakes import DIMENSIONS, FakeEmbedder

TOPICS = ["formation", "mobilité", "retraite", "télétravail", "disponibilité", "détachement"]


def evidence(topic: str, number: int) -> str:
    """Return the sentence that answers."""
    return f"La durée de la {topic} est de {number} mois."


@pytest.fixture
def base(tmp_path: Path) -> Iterator[KnowledgeBase]:
    """A document a topic: one sentence answers, others share its words or none."""
    with KnowledgeBase.create(tmp_path / "quotes.db", "fake", DIMENSIONS) as base:
        for number, topic in enumerate(TOPICS, 3):
            text = f"La {topic} se demande au service.\n{evidence(topic, number)}\nLe chef signe."
            document = Document(topic, f"La {topic}", (Block(text, 1, ""),))
            base.add(document, FakeEmbedder())
        yield base


ASKED = [
    Question(
        f"Quelle est la durée de la {topic} ?",
        gold_doc=topic,
        evidence=evidence(topic, number),
        key_facts=(f"{number} mois",),
    )
    for number, topic in enumerate(TOPICS, 3)
]


def score(base: KnowledgeBase, questions: Sequence[Question]) -> QuoteScore:
    steps: list[int] = []
    found = evaluate(base, FakeEmbedder(), questions, steps.append)
    assert steps == [1] * len(questions)
    return found


def test_the_right_sentence_comes_first(base: KnowledgeBase) -> None:
    found = score(base, ASKED)
    assert found.questions == len(TOPICS)
    assert (found.found, found.first, found.in_three) == (1.0, 1.0, 1.0)
    assert (found.facts, found.document) == (1.0, 1.0)
    assert found.weights.own > 0


def test_it_is_the_same_each_time(base: KnowledgeBase) -> None:
    assert score(base, ASKED) == score(base, ASKED)


def test_evidence_that_stands_nowhere_is_not_found(base: KnowledgeBase) -> None:
    lost = [msgspec.structs.replace(one, evidence="Sans aucun rapport.") for one in ASKED]
    found = score(base, lost)
    assert (found.found, found.first, found.in_three) == (0.0, 0.0, 0.0)
    assert found.weights == Features()
    assert found.questions == len(TOPICS)


def test_evidence_of_another_document_is_not_right(base: KnowledgeBase) -> None:
    other = [msgspec.structs.replace(one, gold_doc="absent") for one in ASKED]
    found = score(base, other)
    assert (found.found, found.first, found.facts, found.document) == (0.0, 0.0, 0.0, 0.0)


def test_evidence_is_compared_by_its_letters(base: KnowledgeBase) -> None:
    shouted = [
        msgspec.structs.replace(one, evidence=f"« {(one.evidence or '').upper()} »")
        for one in ASKED
    ]
    assert score(base, shouted).first == 1.0


@pytest.mark.parametrize(
    "questions",
    [
        [],
        [Question("Quelle durée ?")],
        [Question("Quelle durée ?", evidence="", gold_doc="formation")],
        [Question("Quelle durée ?", evidence="La durée.")],
    ],
    ids=["none", "bare", "empty", "no-document"],
)
def test_questions_without_evidence_are_left_out(
    questions: list[Question], base: KnowledgeBase
) -> None:
    found = score(base, questions)
    assert (found.questions, found.found, found.weights) == (0, 0.0, Features())


@pytest.mark.parametrize("text", ["", "?", "de la", "🙂", "\0"])
def test_a_question_without_a_word_finds_nothing(text: str, base: KnowledgeBase) -> None:
    found = score(base, [Question(text, gold_doc="formation", evidence=evidence("formation", 3))])
    assert (found.questions, found.found, found.document) == (1, 0.0, 0.0)
