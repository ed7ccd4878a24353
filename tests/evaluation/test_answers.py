"""Scores of answers: right words from the right document, refusals, figures without a source."""

from collections.abc import Sequence
from contextlib import nullcontext

import pytest
from msgspec.structs import replace

from edge_slm.answer import Answer, Energy, Kind, Route, Source, Usage
from edge_slm.energy.accounts import Bill
from edge_slm.evaluation.answers import AnswerScore, Question, Verdict, evaluate, holds
from edge_slm.kb.search import Hit


def source(document: str, page: int = 1) -> Source:
    return Source("rh", document, "", page, "", f"rh:{document}", "", 1.0)


def said(text: str, kind: Kind, *sources: Source) -> Answer:
    return Answer(
        text=text,
        kind=kind,
        task="hr_faq",
        language="fr",
        ai_generated=False,
        route=Route("hr_faq", 0.7, ""),
        sources=sources,
        timings_ms={"total": 10.0},
    )


PASSAGES = {
    "a.md": "Un agent a droit à 25 jours de congés.",
    "b.md": "Le bureau ouvre à 9 h 15.",
    "c.md": "Rien ici.",
}


def passage_of(cited: Source) -> Hit | None:
    """Return the passage of a document, or None where it is gone."""
    text = PASSAGES.get(cited.document)
    return Hit("rh", 1, cited.document, "", 1, "", text, 1.0) if text else None


RIGHT = Question("combien ?", document="a.md", page=2, must_appear=("25 jours",))
NEAR = Question("où ?", gold_doc="b.md", key_facts=("9 h 15",))
NONE = Question("la Mongolie ?", answerable=False)
COST = Energy(joules=12.0, low=6.0, high=30.0, method="rapl", scope="package", cpu_seconds=6.0)


def score(
    answers: Sequence[Answer],
    questions: Sequence[Question] = (RIGHT, NEAR, NONE),
    energy: Energy = COST,
) -> tuple[AnswerScore, list[Verdict]]:
    """Return the score of these answers, which cost `energy` together."""
    said_to = {q.question: a for q, a in zip(questions, answers, strict=True)}
    steps: list[int] = []
    bill = Bill(energy=energy)
    scored = evaluate(
        said_to.__getitem__, questions, steps.append, passage_of, lambda: nullcontext(bill)
    )
    assert steps == [1] * len(questions)
    assert [verdict.question for verdict in scored[1]] == [q.question for q in questions]
    return scored


WELL = [
    said("Vous avez 25\u00a0jours.", "quote", source("a.md", 2)),
    said("À 9 h 15 [2].", "written", source("c.md"), source("b.md")),
    said("Je ne trouve pas.", "declined"),
]


def test_all_well() -> None:
    row, verdicts = score(WELL)
    assert (row.questions, row.answerable, row.unanswerable) == (3, 2, 1)
    assert (row.correct, row.wrong, row.declined_answerable) == (1.0, 0.0, 0.0)
    assert row.declined_unanswerable == 1.0
    assert row.citation_right == 0.5  # the second cites another document first
    assert (row.written, row.unsupported_figures) == (1, 0)
    assert row.by_kind == {"declined": 1, "quote": 1, "written": 1}
    assert (row.cpu_seconds, row.cpu_seconds_per_correct) == (6.0, 2.0)
    assert (row.p50_ms, row.p95_ms) == (10.0, 10.0)
    assert [verdict.well for verdict in verdicts] == [True] * 3
    assert verdicts[1].documents == ("c.md", "b.md")
    assert verdicts[0].confidence == 0.7


def test_all_wrong() -> None:
    row, verdicts = score(
        [
            said("Vous avez 125 jours.", "quote", source("a.md", 1)),
            said("Je ne trouve pas.", "declined"),
            said("Oulan-Bator.", "written", source("a.md")),
        ]
    )
    assert (row.correct, row.wrong, row.declined_answerable) == (0.0, 0.5, 0.5)
    assert (row.declined_unanswerable, row.citation_right) == (0.0, 0.0)
    assert row.cpu_seconds_per_correct is None
    assert not any(verdict.well for verdict in verdicts)


def test_right_words_of_another_document_are_wrong() -> None:
    row, _ = score([said("25 jours.", "quote", source("c.md"))], [RIGHT])
    assert (row.correct, row.wrong, row.citation_right) == (0.0, 1.0, 0.0)


def test_no_question_is_no_error() -> None:
    row, verdicts = score([], [])
    assert (row.questions, row.correct, row.cpu_seconds_per_correct) == (0, 0.0, None)
    assert verdicts == []


@pytest.mark.parametrize(
    ("text", "cited", "unsupported"),
    [
        ("Un agent a 25 jours [1].", ["a.md"], ()),
        ("Un agent a vingt-cinq jours [1].", ["a.md"], ()),
        ("Un agent a 32 jours [1].", ["a.md"], ("32 jours",)),
        ("Un agent a 25 jours [2].", ["a.md", "b.md"], ("25 jours",)),
        ("Un agent a 25 jours.", ["a.md"], ()),  # without a mark, all that was read counts
        ("Un agent a 25 jours. Il ouvre à 9 h 15.", ["a.md", "b.md"], ()),
        ("Un agent a 32 jours.", ["a.md", "b.md"], ("32 jours",)),
        ("Un agent a 25 jours [1].", ["absent.md"], ("25 jours",)),
        ("Sans chiffre [1].", ["a.md"], ()),
    ],
)
def test_figures_of_a_written_answer_that_no_passage_bears_out(
    text: str, cited: list[str], unsupported: tuple[str, ...]
) -> None:
    answer = said(text, "written", *map(source, cited))
    row, (verdict,) = score([answer], [RIGHT])
    assert verdict.unsupported == unsupported
    assert (row.written, row.unsupported_figures) == (1, len(unsupported))


@pytest.mark.parametrize("kind", ["quote", "approved", "declined"])
def test_only_what_a_model_wrote_is_held_to_its_passages(kind: Kind) -> None:
    row, _ = score([said("Un agent a 32 jours.", kind, source("a.md"))], [RIGHT])
    assert (row.written, row.unsupported_figures) == (0, 0)


def test_checks_and_tokens_are_added_up() -> None:
    first = replace(WELL[0], checks=("figure", "name"), usage=Usage(1, 0, 7))
    second = replace(WELL[1], checks=("figure",), usage=Usage(1, 0, 5))
    row, verdicts = score([first, second, WELL[2]])
    assert row.checks == {"figure": 2, "name": 1}
    assert row.completion_tokens == 12
    assert verdicts[0].checks == ("figure", "name")


def test_joules_come_with_their_method_and_are_none_where_nothing_can_be_said() -> None:
    row, _ = score(WELL)
    assert (row.joules, row.joules_low, row.joules_high) == (12.0, 6.0, 30.0)
    assert (row.joules_method, row.joules_scope, row.joules_per_correct) == ("rapl", "package", 4.0)
    row, _ = score(WELL, energy=Energy(cpu_seconds=6.0))
    assert (row.joules, row.joules_method, row.joules_per_correct) == (None, None, None)


@pytest.mark.parametrize(
    ("question", "answerable"),
    [
        (Question("?"), True),
        (Question("?", reason="out of scope"), False),
        (Question("?", answerable=True, reason="odd"), True),
        (Question("?", answerable=False), False),
    ],
)
def test_a_row_with_a_reason_has_no_answer(question: Question, answerable: bool) -> None:
    assert question.is_answerable == answerable


@pytest.mark.parametrize(
    ("words", "text", "held"),
    [
        ((), "", True),
        (("25 jours",), "Vous avez 25\u202fjours.", True),
        (("25 jours",), "Vous avez 125 jours.", False),
        (("25",), "2025", False),
        (("décret",), "Le Decret s'applique", True),
        (("l'agent",), "pour l’agent", True),
        (("a", "b"), "a seul", False),
        (("non",), "Ce congé n'est pas payé.", True),
        (("non",), "Ce congé est payé.", False),
        (("non",), "Non, il est à vos frais.", True),
        (("oui",), "Un agent peut le demander.", True),
        (("oui",), "Un agent ne peut pas le demander.", False),
        (("oui",), "Le congé est annuel.", False),
        (("yes",), "An agent may ask.", True),
        (("no",), "An agent may not ask.", True),
    ],
)
def test_what_an_answer_holds(words: tuple[str, ...], text: str, held: bool) -> None:
    assert holds(words, text) == held
