"""Scores of answers: right words from the right document, and refusals."""

from collections.abc import Mapping
from typing import cast

from edge_slm.answer import Answer, Kind, Route, Source
from edge_slm.assistant import Assistant
from edge_slm.evaluation.answers import Question, evaluate


def source(document: str, page: int = 1) -> Source:
    return Source("rh", document, "", page, "", "rh:1", "", 1.0)


def said(text: str, kind: Kind, *sources: Source) -> Answer:
    return Answer(
        text=text,
        kind=kind,
        task="hr_faq",
        language="fr",
        ai_generated=False,
        route=Route("hr_faq", 1.0, ""),
        sources=sources,
        timings_ms={"total": 10.0},
    )


class Scripted:
    """Stands for the assistant: an answer for each question."""

    def __init__(self, answers: Mapping[str, Answer]) -> None:
        self.answers = answers

    def ask(self, text: str) -> Answer:
        return self.answers[text]


RIGHT = Question("combien ?", document="a.md", page=2, must_appear=("25 jours",))
NEAR = Question("où ?", gold_doc="b.md", key_facts=("9 h 15",))
NONE = Question("la Mongolie ?", answerable=False)


def score(*answers: Answer) -> dict[str, object]:
    questions = [RIGHT, NEAR, NONE]
    scripted = Scripted({q.question: a for q, a in zip(questions, answers, strict=True)})
    steps: list[int] = []
    result = evaluate(cast(Assistant, scripted), questions, steps.append)
    assert steps == [1, 1, 1]
    return {name: getattr(result, name) for name in result.__struct_fields__}


def test_all_well() -> None:
    row = score(
        said("Vous avez 25\u00a0jours.", "quote", source("a.md", 2)),
        said("À 9 h 15.", "written", source("c.md"), source("b.md")),
        said("Je ne sais pas.", "declined"),
    )
    shares = ("right", "cited", "paged", "wrong", "refused", "declined", "invented")
    assert [row[name] for name in shares] == [1.0, 1.0, 1.0, 0.0, 0.0, 1.0, 0.0]
    assert row["kinds"] == {"quote": 1, "written": 1, "declined": 1}
    assert row["failures"] == ()


def test_all_wrong() -> None:
    row = score(
        said("Vous avez 125 jours.", "quote", source("a.md", 1)),
        said("Je ne sais pas.", "declined"),
        said("Oulan-Bator.", "written", source("a.md")),
    )
    shares = ("right", "cited", "paged", "wrong", "refused", "declined", "invented")
    assert [row[name] for name in shares] == [0.0, 0.5, 0.0, 0.5, 0.5, 0.0, 1.0]
    assert len(cast(tuple[str, ...], row["failures"])) == 3
