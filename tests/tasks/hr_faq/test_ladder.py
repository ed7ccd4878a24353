"""The answer ladder, with a scripted model: which rung serves, what it cites and costs.

How sure a quotation or a base must be is tuned elsewhere: here both are set, high or low, by hand.
"""

from collections.abc import Callable
from dataclasses import replace

import pytest

from edge_slm.engines import ChatEngine
from edge_slm.i18n import Language
from edge_slm.kb import approvals
from edge_slm.kb.base import KnowledgeBase
from edge_slm.kb.documents import Block, Document
from edge_slm.kb.rungs import ALL, Rungs
from edge_slm.tasks.hr_faq.evidence import gather
from edge_slm.tasks.hr_faq.ladder import answer
from edge_slm.tasks.hr_faq.reply import Reply
from edge_slm.tasks.hr_faq.writing import prepare
from tests.fakes import FakeEmbedder, ScriptedChat
from tests.tasks.conftest import CONTACT, LEAVE, LEAVE_QUESTION, MEALS_QUESTION
from tests.tasks.hr_faq.conftest import (
    DROPPED,
    NEVER,
    assert_cited,
    never,
    passages,
    sure_of,
)

WRITTEN = "Un agent à temps plein a droit à 25 jours de congés annuels [1]."
SURE, UNSURE = 0.0, NEVER  # from which score a quotation answers: any, none


def leave_passage(base: KnowledgeBase) -> int:
    """Return the id of the passage about 25 days."""
    (found,) = [name for name, row in passages(base).items() if "25" in row[2]]
    return int(found.rpartition(":")[2])


def test_an_approved_answer_comes_first_and_word_for_word(
    base: KnowledgeBase, embedder: FakeEmbedder
) -> None:
    question = "les congés annuels, combien ?"
    approvals.approve(base, question, "25 jours, « pas plus ».", leave_passage(base), "Mme Martin")
    evidence = replace(sure_of(base, embedder, question), confidence=0.0)
    reply = answer(question, "fr", evidence, never)
    assert (list(reply.pieces), reply.kind) == (["25 jours, « pas plus »."], "approved")
    assert reply.sources[0].document == "conges.md"
    assert_cited(base, reply.sources)
    assert "Mme Martin" in reply.why
    assert not reply.model_wrote


def test_an_approved_answer_needs_no_search(base: KnowledgeBase, embedder: FakeEmbedder) -> None:
    approvals.approve(base, LEAVE_QUESTION, "25 jours.", None, "Mme Martin")
    evidence = gather(LEAVE_QUESTION, [base], embedder, ALL)
    assert "".join(answer(LEAVE_QUESTION, "fr", evidence, never).pieces) == "25 jours."
    assert embedder.queries == []


def test_an_approved_answer_may_cite_nothing(base: KnowledgeBase, embedder: FakeEmbedder) -> None:
    approvals.approve(base, LEAVE_QUESTION, "Demandez.", None, "Mme Martin")
    reply = answer(LEAVE_QUESTION, "fr", sure_of(base, embedder, LEAVE_QUESTION), never)
    assert ("".join(reply.pieces), reply.kind, reply.sources) == ("Demandez.", "approved", ())


def test_an_approved_answer_outlives_its_document(
    base: KnowledgeBase, embedder: FakeEmbedder
) -> None:
    approvals.approve(base, LEAVE_QUESTION, "25 jours.", leave_passage(base), "Mme Martin")
    base.remove("conges.md")
    reply = answer(LEAVE_QUESTION, "fr", sure_of(base, embedder, LEAVE_QUESTION), never)
    assert ("".join(reply.pieces), reply.sources) == ("25 jours.", ())


@pytest.mark.usefixtures("quotes")
@pytest.mark.parametrize(
    ("question", "document", "figure"),
    [(LEAVE_QUESTION, "conges.md", "25"), (MEALS_QUESTION, "repas.md", "9,50")],
)
def test_a_quotation_answers_without_a_model(
    question: str, document: str, figure: str, base: KnowledgeBase, embedder: FakeEmbedder
) -> None:
    reply = answer(question, "fr", sure_of(base, embedder, question), never)
    text = "".join(reply.pieces)
    assert (reply.kind, reply.model_wrote) == ("quote", False)
    assert figure in text
    assert (reply.sources[0].document, reply.sources[0].page) == (document, 1)
    assert_cited(base, reply.sources)
    assert reply.usage.completion_tokens == 0


@pytest.mark.usefixtures("quotes")
def test_an_english_question_gets_the_french_words_of_the_document(
    base: KnowledgeBase, embedder: FakeEmbedder
) -> None:
    question = "How many agent congés annuels?"
    reply = answer(question, "en", sure_of(base, embedder, question), never)
    assert "25 jours de congés annuels" in "".join(reply.pieces)
    assert "the words of the document answer" in reply.why


def test_a_quotation_answers_from_the_score_that_the_base_asks_for(
    base: KnowledgeBase, embedder: FakeEmbedder, quoting_from: Callable[[float], None]
) -> None:
    evidence = sure_of(base, embedder, LEAVE_QUESTION)
    assert evidence.quote
    quoting_from(evidence.quote.score)
    reply = answer(LEAVE_QUESTION, "fr", evidence, never)
    assert ("".join(reply.pieces), reply.kind) == (evidence.quote.shown, "quote")
    quoting_from(evidence.quote.score + 1e-6)
    reply = answer(LEAVE_QUESTION, "fr", evidence, lambda: ScriptedChat([WRITTEN]))
    assert "".join(reply.pieces) == WRITTEN
    assert reply.kind == "written"


# Each rung that is switched off gives the next one, whoever switched it off.
SWITCHED = [
    (ALL, SURE, "approved"),
    (ALL - {"approved"}, SURE, "quote"),
    (ALL - {"approved"}, UNSURE, "written"),
    (ALL - {"approved", "quote"}, SURE, "written"),
    (ALL - {"approved", "written"}, SURE, "quote"),
    (ALL - {"approved", "written"}, UNSURE, "quote"),
    (frozenset[str](), SURE, "declined"),
    (frozenset[str](), UNSURE, "declined"),
    (frozenset({"approved"}), UNSURE, "approved"),
]


@pytest.mark.parametrize("of_the_base", [False, True], ids=["request", "base"])
@pytest.mark.parametrize(("rungs", "score", "kind"), SWITCHED)
def test_a_rung_that_is_switched_off_gives_the_next_one(
    rungs: Rungs,
    score: float,
    kind: str,
    of_the_base: bool,
    base: KnowledgeBase,
    embedder: FakeEmbedder,
    quoting_from: Callable[[float], None],
) -> None:
    quoting_from(score)
    approvals.approve(base, LEAVE_QUESTION, "25 jours, approuvé.", None, "Mme Martin")
    if of_the_base:
        base.change(rungs="[" + ", ".join(f'"{name}"' for name in sorted(rungs)) + "]")
    asked = ALL if of_the_base else rungs
    chat = ScriptedChat([WRITTEN])
    evidence = sure_of(base, embedder, LEAVE_QUESTION, asked)
    reply = answer(LEAVE_QUESTION, "fr", evidence, lambda: chat, asked)
    text = "".join(reply.pieces)
    assert (reply.kind, reply.model_wrote) == (kind, kind == "written")
    assert len(chat.asked) == (kind == "written")
    assert bool(reply.sources) == (kind in ("quote", "written"))
    assert ("25 jours" in text) == (kind != "declined")


def test_a_request_cannot_allow_what_the_base_does_not(
    base: KnowledgeBase, embedder: FakeEmbedder
) -> None:
    base.change(rungs='["approved"]')
    reply = answer(LEAVE_QUESTION, "fr", sure_of(base, embedder, LEAVE_QUESTION), never, ALL)
    assert CONTACT in "".join(reply.pieces)
    assert reply.kind == "declined"
    assert "réponses autorisées" in reply.why


def test_with_writing_alone_a_model_that_does_not_know_is_a_refusal(
    base: KnowledgeBase, embedder: FakeEmbedder
) -> None:
    rungs = frozenset({"written"})
    evidence = sure_of(base, embedder, LEAVE_QUESTION, rungs)
    chat = ScriptedChat(["JE NE SAIS PAS."])
    reply = answer(LEAVE_QUESTION, "fr", evidence, lambda: chat, rungs)
    text = "".join(reply.pieces)
    assert (reply.kind, reply.sources, reply.model_wrote) == ("declined", (), False)
    assert "sais pas" not in text.lower()
    assert CONTACT in text


@pytest.mark.usefixtures("writes")
@pytest.mark.parametrize("unknown", ["JE NE SAIS PAS.", "Désolé, je ne sais pas.", ""])
def test_a_model_that_does_not_know_leaves_the_quotation(
    unknown: str, base: KnowledgeBase, embedder: FakeEmbedder
) -> None:
    chat = ScriptedChat([unknown])
    reply = answer(LEAVE_QUESTION, "fr", sure_of(base, embedder, LEAVE_QUESTION), lambda: chat)
    text = "".join(reply.pieces)
    assert (reply.kind, reply.model_wrote, reply.checks) == ("quote", False, [])
    assert "25 jours" in text
    assert "sais pas" not in text.lower()
    assert_cited(base, reply.sources)


@pytest.mark.usefixtures("writes")
def test_an_invention_leaves_the_quotation_and_a_warning(
    base: KnowledgeBase, embedder: FakeEmbedder
) -> None:
    chat = ScriptedChat(["Un agent a droit à 32 jours de congés annuels [1]."])
    reply = answer(LEAVE_QUESTION, "fr", sure_of(base, embedder, LEAVE_QUESTION), lambda: chat)
    text = "".join(reply.pieces)
    assert (reply.kind, reply.warnings, reply.model_wrote) == ("quote", [DROPPED], False)
    assert reply.checks == ["duration"]
    assert "32" not in text
    assert "25" in text


@pytest.mark.usefixtures("writes")
def test_the_model_reads_the_passage_of_the_quotation_and_the_question(
    base: KnowledgeBase, embedder: FakeEmbedder
) -> None:
    chat = ScriptedChat([WRITTEN])
    reply = answer(LEAVE_QUESTION, "fr", sure_of(base, embedder, LEAVE_QUESTION), lambda: chat)
    assert chat.asked == []  # nothing is asked before the answer is read
    assert "".join(reply.pieces) == WRITTEN
    system, user = chat.asked[0]
    assert (system.role, user.role) == ("system", "user")
    assert LEAVE.blocks[0].text in system.content
    assert LEAVE_QUESTION in user.content
    assert_cited(base, reply.sources)


@pytest.mark.usefixtures("writes")
def test_what_was_prepared_is_how_the_prompt_of_an_answer_begins(
    base: KnowledgeBase, embedder: FakeEmbedder
) -> None:
    chat = ScriptedChat([WRITTEN])
    prepare(base, chat, lambda _: None)
    list(answer(LEAVE_QUESTION, "fr", sure_of(base, embedder, LEAVE_QUESTION), lambda: chat).pieces)
    assert chat.asked[0][:-1] in [prompt[:-1] for prompt in chat.prepared]


TWINS_QUESTION = "Combien de jours puis-je garder sur mon compte ?"


@pytest.fixture
def twins(base: KnowledgeBase, embedder: FakeEmbedder) -> KnowledgeBase:
    """The base, with two documents that differ in their branch and in one figure."""
    for branch, days in (("d'État (FPE)", 60), ("territoriale (FPT)", 70)):
        text = f"Le compte est ouvert à tous. Un agent peut garder {days} jours sur son compte."
        blocks = (Block(text, 1, "Plafond"),)
        title = f"Compte de jours dans la fonction publique {branch}"
        base.add(Document(f"{days}.md", title, blocks), embedder)
    return base


@pytest.mark.usefixtures("quotes")
def test_where_twins_answer_differently_it_asks_back(
    twins: KnowledgeBase, embedder: FakeEmbedder
) -> None:
    reply = answer(TWINS_QUESTION, "fr", sure_of(twins, embedder, TWINS_QUESTION), never)
    text = "".join(reply.pieces)
    assert text.startswith("De quelle fonction publique relevez-vous ? (")
    assert "fonction publique territoriale" in text
    assert (reply.kind, reply.sources) == ("declined", ())
    said = f"{TWINS_QUESTION} Je suis dans la fonction publique territoriale."
    reply = answer(said, "fr", sure_of(twins, embedder, said), never)
    assert "70 jours" in "".join(reply.pieces)
    assert reply.kind == "quote"


def test_it_asks_nothing_back_where_no_answer_may_follow(
    twins: KnowledgeBase, embedder: FakeEmbedder
) -> None:
    rungs = frozenset({"approved"})
    evidence = sure_of(twins, embedder, TWINS_QUESTION, rungs)
    reply = answer(TWINS_QUESTION, "fr", evidence, never, rungs)
    assert "relevez-vous" not in "".join(reply.pieces)
    assert "réponses autorisées" in reply.why


@pytest.mark.parametrize("language", ["fr", "en"])
def test_what_is_not_near_enough_is_declined_before_a_model_is_loaded(
    language: Language, base: KnowledgeBase, embedder: FakeEmbedder
) -> None:
    evidence = replace(sure_of(base, embedder, LEAVE_QUESTION), confidence=0.49)
    reply = answer(LEAVE_QUESTION, language, evidence, never)
    assert "".join(reply.pieces)
    assert ("0,49" if language == "fr" else "0.49") in reply.why
    assert (reply.kind, reply.sources, reply.model_wrote) == ("declined", (), False)


@pytest.mark.parametrize("question", ["???", "🙂", "de la du", "zzzz", "\ud800", "\0"])
def test_a_question_that_shares_nothing_is_not_quoted(
    question: str, base: KnowledgeBase, embedder: FakeEmbedder
) -> None:
    chat = ScriptedChat(["JE NE SAIS PAS."])
    reply = answer(question, "fr", sure_of(base, embedder, question), lambda: chat)
    assert "".join(reply.pieces)
    assert (reply.kind, reply.sources) == ("declined", ())


@pytest.mark.usefixtures("writes")
def test_a_failing_model_is_an_error_and_no_answer(
    base: KnowledgeBase, embedder: FakeEmbedder
) -> None:
    def broken() -> ChatEngine:
        raise RuntimeError("no memory")

    reply = answer(LEAVE_QUESTION, "fr", sure_of(base, embedder, LEAVE_QUESTION), broken)
    with pytest.raises(RuntimeError, match="no memory"):
        list(reply.pieces)


def test_a_reply_is_a_refusal_until_it_is_read() -> None:
    assert (list(Reply().pieces), Reply().kind, Reply().sources) == ([], "declined", ())
