"""A refusal: what is nearest, whom to ask, and no source."""

from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from edge_slm.i18n import Language
from edge_slm.kb.base import KnowledgeBase
from edge_slm.kb.documents import Block, Document
from edge_slm.kb.rungs import ALL
from edge_slm.tasks.hr_faq.declining import FAR, NEAREST, declined
from edge_slm.tasks.hr_faq.evidence import Evidence, gather
from edge_slm.tasks.hr_faq.reply import Reply
from tests.fakes import DIMENSIONS, FakeEmbedder
from tests.tasks.conftest import CONTACT, LEAVE_QUESTION

BEGINS = {
    "fr": "Je ne trouve pas la réponse dans mes documents.",
    "en": "I do not find the answer in my documents.",
}


def unsure(base: KnowledgeBase, embedder: FakeEmbedder, confidence: float = 0.3) -> Evidence:
    """Return what the base holds on leave, as if it were this sure of it."""
    return replace(
        gather(LEAVE_QUESTION, [base], embedder, ALL), confidence=confidence, threshold=0.5
    )


def said(reply: Reply) -> str:
    """Return the text of a refusal, after checking that it is one and cites nothing."""
    text = "".join(reply.pieces)
    assert (reply.kind, reply.sources, reply.model_wrote) == ("declined", (), False)
    assert reply.why
    return text


@pytest.mark.parametrize(
    ("language", "nearest", "ask"),
    [
        ("fr", "Le plus proche : « Les congés annuels »", f"Adressez-vous à : {CONTACT}."),
        ("en", "The nearest: “Les congés annuels”", f"Please ask: {CONTACT}."),
    ],
)
def test_a_refusal_names_the_nearest_titles_and_the_contact(
    language: Language, nearest: str, ask: str, base: KnowledgeBase, embedder: FakeEmbedder
) -> None:
    text = said(declined(language, unsure(base, embedder)))
    assert text.startswith(BEGINS[language])
    assert nearest in text
    assert text.endswith(ask)


def test_each_title_is_named_once_and_only_some_are(
    base: KnowledgeBase, embedder: FakeEmbedder
) -> None:
    for number in range(8):
        blocks = (Block("Les congés annuels.", 1, ""), Block("Les congés annuels bis.", 2, ""))
        base.add(Document(f"{number}.md", f"Fiche {number}", blocks), embedder)
    text = said(declined("fr", unsure(base, embedder)))
    titles = text.split("« ")[1:]
    assert 1 <= len(titles) <= NEAREST
    assert len(set(titles)) == len(titles)


def test_a_document_without_a_title_goes_by_its_name(home: Path, embedder: FakeEmbedder) -> None:
    with KnowledgeBase.create(home / "kb" / "nu.db", "fake", DIMENSIONS) as bare:
        bare.add(Document("note.md", "", (Block("Les congés annuels.", 1, ""),)), embedder)
        text = said(declined("fr", unsure(bare, embedder)))
    assert "« note.md »" in text
    assert "Adressez-vous" not in text  # this base has no contact


@pytest.mark.parametrize("language", ["fr", "en"])
def test_what_is_far_from_the_documents_is_told_what_can_be_asked(
    language: Language, base: KnowledgeBase, embedder: FakeEmbedder
) -> None:
    text = said(declined(language, unsure(base, embedder, FAR / 2)))
    assert ("traduire" if language == "fr" else "translat") in text
    assert CONTACT not in text
    assert "congés annuels" not in text


@pytest.mark.parametrize(("language", "word"), [("fr", "secteur privé"), ("en", "private sector")])
def test_a_question_about_the_private_sector_is_told_so(
    language: Language, word: str, base: KnowledgeBase, embedder: FakeEmbedder
) -> None:
    evidence = unsure(base, embedder)
    outside = msgspec.structs.replace(evidence.signals, outside=1.0)
    evidence = replace(evidence, found=replace(evidence.found, signals=outside))
    text = said(declined(language, evidence))
    assert word in text
    assert CONTACT in text
    assert "« " not in text


def test_without_a_base_it_says_what_can_be_asked(embedder: FakeEmbedder) -> None:
    text = said(declined("fr", gather("Pourquoi ?", [], embedder, ALL)))
    assert text.startswith(BEGINS["fr"])
    assert "traduire" in text


def test_the_reason_is_the_confidence_or_the_one_given(
    base: KnowledgeBase, embedder: FakeEmbedder
) -> None:
    evidence = unsure(base, embedder)
    assert "confiance 0,30" in declined("fr", evidence).why
    assert "confidence 0.30, at least 0.50" in declined("en", evidence).why
    assert declined("fr", evidence, "autre").why == "autre"
