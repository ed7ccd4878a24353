"""Approved answers: given to every wording of the same stems, listed, withdrawn."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_slm.errors import UsageError
from edge_slm.kb import approvals
from edge_slm.kb.base import KnowledgeBase
from edge_slm.kb.search import hit_of, search
from tests.fakes import DIMENSIONS, FakeEmbedder
from tests.kb.samples import LEAVE, MEALS, document

QUESTION = "Combien de jours de congés annuels ?"


@pytest.mark.parametrize(
    "wording",
    [
        QUESTION,
        "combien de JOURS de congé annuel",
        "Congés annuels : quels jours ?",
        "jours congés annuels",
        "Combien de jours de conges annuels",
    ],
)
def test_another_wording_of_the_same_stems_gets_the_answer(
    base: KnowledgeBase, wording: str
) -> None:
    approvals.approve(base, QUESTION, "25 jours.", None, "DRH")
    assert approvals.find(base, wording) == ("25 jours.", None)


@pytest.mark.parametrize(
    "other",
    ["Combien de jours de congés maladie ?", "congés", "", "???", "comment", "\0 \U0001f600"],
)
def test_another_question_does_not(base: KnowledgeBase, other: str) -> None:
    approvals.approve(base, QUESTION, "25 jours.", None, "DRH")
    assert approvals.find(base, other) is None


def test_a_second_approval_takes_the_place_of_the_first(base: KnowledgeBase) -> None:
    approvals.approve(base, QUESTION, "24 jours.", None, "DRH")
    approvals.approve(base, "jours de congés annuels", "25 jours.", None, "Chef de service")
    (row,) = approvals.all_of(base)
    assert (row["answer"], row["approved_by"]) == ("25 jours.", "Chef de service")
    assert row["question"] == "jours de congés annuels"
    assert row["approved_at"]


def test_withdrawing(base: KnowledgeBase) -> None:
    approvals.approve(base, QUESTION, "25 jours.", None, "DRH")
    approvals.approve(base, "Que mange-t-on à la cantine ?", "Des repas.", None, "DRH")
    first, second = approvals.all_of(base)
    assert approvals.withdraw(base, first["id"]) is True
    assert approvals.withdraw(base, first["id"]) is False
    assert approvals.withdraw(base, -1) is False
    assert approvals.all_of(base) == [second]
    assert approvals.find(base, QUESTION) is None


@pytest.mark.parametrize("question", ["", "   ", "?!", "comment et pourquoi", "\0"])
def test_a_question_without_a_word_cannot_be_approved(base: KnowledgeBase, question: str) -> None:
    with pytest.raises(UsageError, match="holds no word"):
        approvals.approve(base, question, "Oui.", None, "DRH")
    assert approvals.all_of(base) == []
    assert approvals.find(base, question) is None


def test_approvals_outlive_the_process(base: KnowledgeBase, embedder: FakeEmbedder) -> None:
    base.add(document("a.md", LEAVE), embedder)
    (hit,) = search(base, embedder, QUESTION).hits
    approvals.approve(base, QUESTION, "25 jours.", hit.passage, "DRH")
    base.close()
    with KnowledgeBase.open(base.path) as again:
        assert approvals.find(again, QUESTION) == ("25 jours.", hit.passage)


@pytest.mark.parametrize("replaced", [False, True])
def test_an_answer_never_cites_what_took_its_passages_place(
    base: KnowledgeBase, embedder: FakeEmbedder, replaced: bool
) -> None:
    base.add(document("a.md", LEAVE), embedder)
    (hit,) = search(base, embedder, QUESTION).hits
    approvals.approve(base, QUESTION, "25 jours.", hit.passage, "DRH")
    if replaced:
        base.add(document("a.md", MEALS), embedder)
    else:
        base.remove("a.md")
        base.add(document("b.md", MEALS), embedder)
    again = hit_of(base, hit.passage, 1.0)
    assert again is not None  # SQLite has given the id anew
    assert again.text == MEALS
    assert approvals.find(base, QUESTION) == ("25 jours.", None)


def test_removing_another_document_leaves_the_citation(
    base: KnowledgeBase, embedder: FakeEmbedder
) -> None:
    base.add(document("a.md", LEAVE), embedder)
    base.add(document("b.md", MEALS), embedder)
    approvals.approve(base, QUESTION, "25 jours.", 1, "DRH")
    base.remove("b.md")
    assert approvals.find(base, QUESTION) == ("25 jours.", 1)


@pytest.fixture
def english(tmp_path: Path) -> Iterator[KnowledgeBase]:
    with KnowledgeBase.create(tmp_path / "hr.db", "fake", DIMENSIONS, "en") as base:
        yield base


def test_english_questions_have_english_stems(english: KnowledgeBase) -> None:
    approvals.approve(english, "How many holidays do we get?", "25.", None, "HR")
    assert approvals.find(english, "how many holiday") == ("25.", None)
