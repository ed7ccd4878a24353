"""Approved answers: given to every wording of the same stems, listed, withdrawn."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_slm.errors import UsageError
from edge_slm.kb import approvals
from edge_slm.kb.base import KnowledgeBase
from edge_slm.kb.search import hit_of, search
from tests.fakes import DIMENSIONS, FakeEmbedder
from tests.kb.samples import LEAVE, MEALS, document

QUESTION = "Combien de jours de congés annuels ?"
TWINS = "Combien de jours de congé de paternité pour des jumeaux ?"


def found(base: KnowledgeBase, question: str) -> tuple[str, int | None] | None:
    match = approvals.find(base, question)
    return (match.answer, match.passage) if match else None


@pytest.mark.parametrize(
    "paraphrase",
    [
        "j'ai des jumeaux, durée du congé paternité ?",
        "conge pat jumelles nb de jours",
        "paternity leave for twins: how many days?",
        "durée congé paternitée jumeaux svp",
    ],
)
def test_a_paraphrase_gets_the_answer(base: KnowledgeBase, paraphrase: str) -> None:
    approvals.approve(base, TWINS, "32 jours.", None, "DRH")
    match = approvals.find(base, paraphrase)
    assert match is not None
    assert (match.answer, match.question, match.approved_by) == ("32 jours.", TWINS, "DRH")
    assert base.calibration.approved <= match.score <= 1


@pytest.mark.parametrize(
    "near",
    [
        "Combien de jours de congé de paternité pour des triplés ?",
        "Combien de jours de congé de maternité pour des jumeaux ?",
        "Combien de jours de congé de paternité ?",
        "Combien de jours de congé de paternité pour des jumeaux en catégorie A ?",
        "Combien de jours de congé de paternité pour des jumeaux quand on est contractuel ?",
        "Combien de jours de congé de paternité pour des jumeaux à l'hôpital ?",
        "Qui n'a pas droit au congé de paternité pour des jumeaux ?",
        "Comment reporter le congé de paternité pour des jumeaux ?",
        "Quand demander le congé de paternité pour des jumeaux ?",
        "jumeaux",
    ],
)
def test_a_near_miss_does_not(base: KnowledgeBase, near: str) -> None:
    approvals.approve(base, TWINS, "32 jours.", None, "DRH")
    assert approvals.find(base, near) is None


def test_questions_of_the_same_stems_and_other_conditions_stand_side_by_side(
    base: KnowledgeBase,
) -> None:
    for letter in "ABC":
        question = f"Combien vaut un jour de CET en catégorie {letter} ?"
        approvals.approve(base, question, f"Le prix {letter}.", None, "DRH")
    assert len(approvals.all_of(base)) == 3
    assert found(base, "catégorie B : un jour de CET vaut combien ?") == ("Le prix B.", None)


def test_a_question_that_two_answers_fit_equally_gets_none(base: KnowledgeBase) -> None:
    approvals.approve(base, "Comment poser un jour de RTT au bureau ?", "Ainsi.", None, "DRH")
    approvals.approve(base, "Comment poser un jour de RTT à distance ?", "Autrement.", None, "DRH")
    match = approvals.likeliest(base, "comment poser un RTT ?")
    assert match is None


def test_what_another_process_approves_serves_at_once(base: KnowledgeBase) -> None:
    approvals.approve(base, QUESTION, "25 jours.", None, "DRH")
    assert found(base, "congé pat jumeaux combien de jours") is None
    with KnowledgeBase.open(base.path) as other:
        approvals.approve(other, TWINS, "32 jours.", None, "DRH")
    assert found(base, "congé pat jumeaux combien de jours") == ("32 jours.", None)
    with KnowledgeBase.open(base.path) as other:
        approvals.withdraw(other, 2)
    assert found(base, "congé pat jumeaux combien de jours") is None


def test_an_approval_of_an_older_version_still_serves(base: KnowledgeBase) -> None:
    with base.connection:
        base.connection.execute(
            "INSERT INTO approved (key, question, answer, approved_by, approved_at) "
            "VALUES ('annuel cong jour', ?, '25 jours.', 'DRH', '2025-01-01T00:00:00+00:00')",
            (QUESTION,),
        )
    assert found(base, QUESTION) == ("25 jours.", None)
    approvals.approve(base, QUESTION, "26 jours.", None, "DRH")
    assert [row["answer"] for row in approvals.all_of(base)] == ["26 jours."]


@pytest.mark.parametrize("longest", ["question", "answer"])
def test_a_text_of_a_megabyte_is_refused(base: KnowledgeBase, longest: str) -> None:
    texts = {"question": QUESTION, "answer": "25 jours.", longest: "mot " * 250_000}
    with pytest.raises(UsageError, match=f"{longest} is too long"):
        approvals.approve(base, texts["question"], texts["answer"], None, "DRH")
    assert approvals.all_of(base) == []


@settings(max_examples=25, deadline=None)
@given(st.text(max_size=200))
def test_no_question_breaks_the_search(question: str) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "rh.db"
        with KnowledgeBase.create(path, "fake", DIMENSIONS) as base:
            approvals.approve(base, TWINS, "32 jours.", None, "DRH")
            assert found(base, question) in (None, ("32 jours.", None))


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
    assert found(base, wording) == ("25 jours.", None)


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
        assert found(again, QUESTION) == ("25 jours.", hit.passage)


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
    assert found(base, QUESTION) == ("25 jours.", None)


def test_removing_another_document_leaves_the_citation(
    base: KnowledgeBase, embedder: FakeEmbedder
) -> None:
    base.add(document("a.md", LEAVE), embedder)
    base.add(document("b.md", MEALS), embedder)
    approvals.approve(base, QUESTION, "25 jours.", 1, "DRH")
    base.remove("b.md")
    assert found(base, QUESTION) == ("25 jours.", 1)


@pytest.fixture
def english(tmp_path: Path) -> Iterator[KnowledgeBase]:
    with KnowledgeBase.create(tmp_path / "hr.db", "fake", DIMENSIONS, "en") as base:
        yield base


def test_english_questions_have_english_stems(english: KnowledgeBase) -> None:
    approvals.approve(english, "How many holidays do we get?", "25.", None, "HR")
    assert found(english, "how many holiday") == ("25.", None)
