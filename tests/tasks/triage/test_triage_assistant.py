"""`Assistant.triage`: the questions of a mail go down the ladder, masked, and nowhere else."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_slm.answer import Answer, ModelUsed, Source
from edge_slm.assistant import Assistant
from edge_slm.clock import Clock
from edge_slm.engines import ChatEngine, Embedder
from edge_slm.engines.loaded import Engines
from edge_slm.kb.base import KnowledgeBase
from edge_slm.kb.documents import Block, Document
from edge_slm.routing.request import Request
from edge_slm.tasks.triage.labels import Label, Labels
from edge_slm.tasks.triage.mail import Mail
from tests.fakes import DIMENSIONS, FakeEmbedder, ScriptedChat

SENTENCE = "Un agent à temps plein a droit à 25 jours de congés annuels."
LABELS = Labels((Label("Congés", "congés annuels, repos, absence", "Temps"), Label("Paie")))


class FakeEngines(Engines):
    """Engines without models."""

    def __init__(self) -> None:
        self.fake = FakeEmbedder()
        self.script = ScriptedChat([])

    def embedder(self, model: str = "fake") -> Embedder:
        return self.fake

    def chat(self, model: str | None = None) -> tuple[ChatEngine, ModelUsed]:
        return self.script, ModelUsed("fake", "0" * 64, "none")

    def close(self) -> None:
        pass


@pytest.fixture
def base(home: Path) -> Iterator[KnowledgeBase]:
    """A base of one document."""
    document = Document("conges.md", "Les congés annuels", (Block(SENTENCE, 1, "Durée"),))
    with KnowledgeBase.create(home / "kb" / "rh.db", "fake", DIMENSIONS) as base:
        base.add(document, FakeEmbedder())
        yield base


@pytest.fixture
def put(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Note the questions that are put to the bases; each is answered from the only document."""
    questions: list[str] = []

    def question(self: Assistant, request: Request, clock: Clock) -> Iterator[Answer]:
        questions.append(request.text)
        yield Answer(
            text=SENTENCE,
            kind="quote",
            task="hr_faq",
            language="fr",
            ai_generated=False,
            route=request.route,
            sources=(Source("rh", "conges.md", "Les congés", 1, "", "rh:1", SENTENCE, 1.0),),
        )

    monkeypatch.setattr(Assistant, "_question", question)
    return questions


def test_the_draft_holds_what_the_bases_answer(base: KnowledgeBase, put: list[str]) -> None:
    mail = Mail("x", "Combien de jours de congés annuels pour un agent à temps plein ?")
    answer = Assistant(FakeEngines(), [base]).triage(mail, LABELS)
    assert put == [mail.text]
    assert answer.triage
    assert SENTENCE in answer.triage.draft
    assert [source.document for source in answer.sources] == ["conges.md"]
    assert not answer.ai_generated


def test_no_personal_data_reaches_an_engine(base: KnowledgeBase, put: list[str]) -> None:
    engines = FakeEngines()
    text = "Je suis zoe.roux@mail.example : combien de jours de congés au 06 39 98 12 34 ?"
    answer = Assistant(engines, [base]).triage(Mail("x", text), LABELS)
    assert engines.fake.queries
    assert put
    for seen in [*engines.fake.queries, *put]:
        assert "zoe.roux" not in seen
        assert "06 39 98" not in seen
    assert answer.triage
    assert "zoe.roux@mail.example" in answer.triage.draft  # put back where its sender wrote it


def test_without_a_base_the_draft_has_no_content() -> None:
    mail = Mail("x", "Combien de jours de congés annuels pour un agent ?")
    answer = Assistant(FakeEngines(), []).triage(mail, LABELS)
    assert answer.triage
    assert answer.sources == ()
    assert "qui vous répondra" in answer.triage.draft
