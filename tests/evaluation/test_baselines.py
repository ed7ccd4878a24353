"""The two ways without the ladder: they say what they are, and check nothing."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_slm.answer import ModelUsed
from edge_slm.evaluation.baselines import PASSAGES, always_generate, quote_by_words
from edge_slm.kb.base import KnowledgeBase
from edge_slm.kb.documents import Block, Document
from edge_slm.tasks.hr_faq.quoting import LONGEST
from tests.evaluation.conftest import CORPUS
from tests.fakes import DIMENSIONS, FakeEmbedder, ScriptedChat

USED = ModelUsed("fake", "0" * 64, "none")
QUESTION = "Combien de jours de congés annuels ?"


@pytest.fixture
def base(tmp_path: Path) -> Iterator[KnowledgeBase]:
    with KnowledgeBase.create(tmp_path / "corpus.db", "fake", DIMENSIONS) as base:
        for name, (title, text) in CORPUS.items():
            base.add(Document(name, title, (Block(text, 1, ""),)), FakeEmbedder())
        yield base


def test_a_model_writes_whatever_it_likes_from_the_first_passages(base: KnowledgeBase) -> None:
    chat = ScriptedChat([" Vous avez 99 jours. "])
    answer = always_generate(base, FakeEmbedder(), (chat, USED), QUESTION)
    assert (answer.text, answer.kind, answer.model) == ("Vous avez 99 jours.", "written", USED)
    assert (answer.ai_generated, answer.checks, answer.warnings) == (True, (), ())
    assert len(answer.sources) == PASSAGES
    assert answer.sources[0].document == "conges"
    assert answer.usage.completion_tokens == 4
    system, user = chat.asked[0]
    assert all(text in system.content for _, text in CORPUS.values())
    assert QUESTION in user.content


@pytest.mark.parametrize("text", ["JE NE SAIS PAS.", "Désolé, je ne sais pas.", "I don’t know."])
def test_a_model_that_says_that_it_does_not_know_has_declined(
    text: str, base: KnowledgeBase
) -> None:
    answer = always_generate(base, FakeEmbedder(), (ScriptedChat([text]), USED), QUESTION)
    assert (answer.text, answer.kind, answer.sources) == (text, "declined", ())


def test_a_model_with_nothing_to_read_has_declined(tmp_path: Path) -> None:
    with KnowledgeBase.create(tmp_path / "vide.db", "fake", DIMENSIONS) as empty:
        chat = ScriptedChat(["25 jours."])
        answer = always_generate(empty, FakeEmbedder(), (chat, USED), QUESTION)
    assert (answer.kind, answer.sources) == ("declined", ())


def test_an_english_question_is_asked_in_english(base: KnowledgeBase) -> None:
    chat = ScriptedChat(["25 days."])
    question = "How many days of annual leave do I have?"
    answer = always_generate(base, FakeEmbedder(), (chat, USED), question)
    assert answer.language == "en"
    assert "I DO NOT KNOW" in chat.asked[0][0].content


def test_the_best_passage_by_its_words_is_quoted(base: KnowledgeBase) -> None:
    answer = quote_by_words(base, "congés annuels")
    assert (answer.text, answer.kind) == (CORPUS["conges"][1], "quote")
    assert (answer.ai_generated, answer.model) == (False, None)
    assert [source.document for source in answer.sources] == ["conges"]
    assert answer.sources[0].quote == answer.text
    assert "total" in answer.timings_ms


def test_only_the_beginning_of_a_long_passage_is_quoted(base: KnowledgeBase) -> None:
    lines = [f"La mobilité numéro {n} se demande au service." for n in range(40)]
    base.add(Document("long", "Mobilité", (Block("\n".join(lines), 1, ""),)), FakeEmbedder())
    shown = quote_by_words(base, "mobilité").text
    assert 0 < len(shown) <= LONGEST
    assert set(shown.split("\n")) <= set(lines)


@pytest.mark.parametrize(
    "question", ["", "???", "de la du", "🙂", "zzzz", '"', "NEAR(a b) AND *", "\0", "\ud800"]
)
def test_a_question_that_shares_no_word_is_declined(question: str, base: KnowledgeBase) -> None:
    answer = quote_by_words(base, question)
    assert (answer.text, answer.kind, answer.sources) == ("", "declined", ())
