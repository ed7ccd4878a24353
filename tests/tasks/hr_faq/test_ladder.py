"""The answer ladder, with a scripted model: what each rung says, cites and costs.

How sure a quotation or a base must be is tuned elsewhere: here both are set, high or low, by hand.
"""

from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_slm.answer import Source
from edge_slm.engines import ChatEngine
from edge_slm.i18n import Language
from edge_slm.kb import approvals
from edge_slm.kb.base import KnowledgeBase
from edge_slm.kb.search import Hit
from edge_slm.tasks.hr_faq import ladder
from edge_slm.tasks.hr_faq.ladder import Evidence, Held, Reply, answer, gather
from edge_slm.text import figures
from tests.fakes import DIMENSIONS, FakeEmbedder, ScriptedChat
from tests.tasks.conftest import CONTACT, LEAVE, LEAVE_QUESTION, MEALS_QUESTION

ENGLISH_QUESTION = "How many days of annual leave does a full-time agent get?"
DROPPED = "Une phrase rédigée que les passages ne confirment pas a été écartée."


def never() -> NoReturn:
    """Stand for a chat model that must not be loaded."""
    raise AssertionError("the chat model was loaded")


def sure_of(base: KnowledgeBase, embedder: FakeEmbedder, question: str) -> Evidence:
    """Return what the base holds, as if it were sure of it."""
    return replace(gather(question, [base], embedder), confidence=0.9, threshold=0.5)


def passages(base: KnowledgeBase) -> dict[str, tuple[str, int, str]]:
    """Return document, page and text of each passage by the name that a source gives it."""
    rows = base.connection.execute(
        "SELECT p.id, d.name, p.page, p.text FROM passages p JOIN documents d ON d.id = p.document"
    )
    return {f"{base.name}:{number}": (name, page, text) for number, name, page, text in rows}


def assert_cited(base: KnowledgeBase, sources: tuple[Source, ...]) -> None:
    """Check that each source names a passage of the base and quotes it word for word."""
    assert sources
    for source in sources:
        document, page, text = passages(base)[source.passage]
        assert (source.kb, source.document, source.page) == (base.name, document, page)
        assert all(line in text.splitlines() or line in text for line in source.quote.splitlines())


@pytest.fixture
def quotes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let any quotation answer."""
    monkeypatch.setattr(ladder, "QUOTE_SURE", 0.0)


@pytest.fixture
def writes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no quotation answer by itself."""
    monkeypatch.setattr(ladder, "QUOTE_SURE", 99.0)


def test_an_approved_answer_comes_first_and_word_for_word(
    base: KnowledgeBase, embedder: FakeEmbedder
) -> None:
    (passage,) = [int(name[3:]) for name, found in passages(base).items() if "25" in found[2]]
    approvals.approve(
        base, "Combien de congés annuels ?", "25 jours, « pas plus ».", passage, "Mme Martin"
    )
    evidence = replace(sure_of(base, embedder, "les congés annuels, combien ?"), confidence=0.0)
    reply = answer("les congés annuels, combien ?", "fr", evidence, never)
    assert (list(reply.pieces), reply.kind) == (["25 jours, « pas plus »."], "approved")
    assert reply.sources[0].document == "conges.md"
    assert_cited(base, reply.sources)
    assert not reply.model_wrote


def test_an_approved_answer_may_cite_nothing(base: KnowledgeBase, embedder: FakeEmbedder) -> None:
    approvals.approve(base, LEAVE_QUESTION, "Demandez.", None, "Mme Martin")
    reply = answer(LEAVE_QUESTION, "fr", sure_of(base, embedder, LEAVE_QUESTION), never)
    assert ("".join(reply.pieces), reply.kind, reply.sources) == ("Demandez.", "approved", ())


def test_an_approved_answer_outlives_its_document(
    base: KnowledgeBase, embedder: FakeEmbedder
) -> None:
    (passage,) = [int(name[3:]) for name, found in passages(base).items() if "25" in found[2]]
    approvals.approve(base, LEAVE_QUESTION, "25 jours.", passage, "Mme Martin")
    base.remove("conges.md")
    reply = answer(LEAVE_QUESTION, "fr", sure_of(base, embedder, LEAVE_QUESTION), never)
    assert ("".join(reply.pieces), reply.sources) == ("25 jours.", ())


@pytest.mark.usefixtures("quotes")
@pytest.mark.parametrize(
    ("question", "document", "page", "figure"),
    [(LEAVE_QUESTION, "conges.md", 1, "25"), (MEALS_QUESTION, "repas.md", 1, "9,50")],
)
def test_a_quotation_answers_without_a_model(
    question: str,
    document: str,
    page: int,
    figure: str,
    base: KnowledgeBase,
    embedder: FakeEmbedder,
) -> None:
    reply = answer(question, "fr", sure_of(base, embedder, question), never)
    text = "".join(reply.pieces)
    assert (reply.kind, reply.model_wrote) == ("quote", False)
    assert figure in text
    assert (reply.sources[0].document, reply.sources[0].page) == (document, page)
    assert_cited(base, reply.sources)


@pytest.mark.usefixtures("quotes")
def test_an_english_question_gets_the_french_words_of_the_document(
    base: KnowledgeBase, embedder: FakeEmbedder
) -> None:
    question = "How many agent congés annuels?"
    reply = answer(question, "en", sure_of(base, embedder, question), never)
    assert "25 jours de congés annuels" in "".join(reply.pieces)
    assert "the words of the document answer" in reply.why


@pytest.mark.parametrize(("language", "word"), [("fr", "Adressez-vous"), ("en", "Please ask")])
def test_what_is_not_near_enough_is_declined_with_the_contact(
    language: Language, word: str, base: KnowledgeBase, embedder: FakeEmbedder
) -> None:
    evidence = replace(sure_of(base, embedder, LEAVE_QUESTION), confidence=0.49)
    reply = answer(LEAVE_QUESTION, language, evidence, never)
    text = "".join(reply.pieces)
    assert reply.kind == "declined"
    assert word in text
    assert CONTACT in text
    assert ("0,49" if language == "fr" else "0.49") in reply.why
    assert (reply.sources, reply.model_wrote) == ((), False)


@pytest.mark.parametrize("question", ["???", "🙂", "de la du", "zzzz"])
def test_a_question_that_shares_nothing_is_not_quoted(
    question: str, base: KnowledgeBase, embedder: FakeEmbedder
) -> None:
    chat = ScriptedChat(["JE NE SAIS PAS."])
    reply = answer(question, "fr", sure_of(base, embedder, question), lambda: chat)
    assert "".join(reply.pieces)
    assert (reply.kind, reply.sources) == ("declined", ())


def test_what_is_far_from_the_documents_is_told_what_can_be_asked(
    base: KnowledgeBase, embedder: FakeEmbedder
) -> None:
    evidence = replace(sure_of(base, embedder, LEAVE_QUESTION), confidence=0.01)
    text = "".join(answer(LEAVE_QUESTION, "fr", evidence, never).pieces)
    assert "traduire" in text
    assert CONTACT not in text


def test_without_a_base_or_in_an_empty_one_it_is_declined(
    home: Path, embedder: FakeEmbedder
) -> None:
    reply = answer("Pourquoi ?", "fr", gather("Pourquoi ?", [], embedder), never)
    assert "".join(reply.pieces).startswith("Je ne trouve pas la réponse dans mes documents.")
    with KnowledgeBase.create(home / "kb" / "vide.db", "fake", DIMENSIONS) as empty:
        reply = answer("Pourquoi ?", "fr", gather("Pourquoi ?", [empty], embedder), never)
    assert reply.kind == "declined"


def test_the_surest_base_answers(base: KnowledgeBase, home: Path, embedder: FakeEmbedder) -> None:
    with KnowledgeBase.create(home / "kb" / "vide.db", "fake", DIMENSIONS) as empty:
        for bases in ([base, empty], [empty, base]):
            found = gather(LEAVE_QUESTION, bases, embedder)
            assert found.base is base
            assert found.found.hits[0].document == "conges.md"


@pytest.mark.usefixtures("writes")
def test_what_a_model_writes_comes_in_whole_sentences_and_is_cited(
    base: KnowledgeBase, embedder: FakeEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ladder, "PASSAGES_READ", 3)
    chat = ScriptedChat(["Un agent a droit à 25 jours. Le report se demande avant le 31 décembre."])
    reply = answer(LEAVE_QUESTION, "fr", sure_of(base, embedder, LEAVE_QUESTION), lambda: chat)
    assert list(reply.pieces) == [
        "Un agent a droit à 25 jours.",
        " Le report se demande avant le 31 décembre.",
    ]
    assert (reply.kind, reply.model_wrote, reply.warnings) == ("written", True, [])
    assert {(source.document, source.page) for source in reply.sources} >= {
        ("conges.md", 1),
        ("conges.md", 2),
    }
    assert_cited(base, reply.sources)
    assert reply.usage.completion_tokens == 15


@pytest.mark.usefixtures("writes")
def test_the_model_reads_the_passages_and_the_question(
    base: KnowledgeBase, embedder: FakeEmbedder
) -> None:
    chat = ScriptedChat(["25 jours."])
    reply = answer(LEAVE_QUESTION, "fr", sure_of(base, embedder, LEAVE_QUESTION), lambda: chat)
    assert chat.asked == []  # nothing is asked before the answer is read
    assert "".join(reply.pieces) == "25 jours."
    system, user = chat.asked[0]
    assert (system.role, user.role) == ("system", "user")
    assert "JE NE SAIS PAS" in system.content
    assert LEAVE.blocks[0].text in system.content
    assert "Les congés annuels > Durée" in system.content
    assert user.content == LEAVE_QUESTION
    assert chat.options[0].keep_prefix and chat.options[0].lookup


def test_preparing_reads_each_passage_once(base: KnowledgeBase) -> None:
    chat = ScriptedChat(["25 jours."])
    seen: list[bool] = []
    count = base.passage_count()
    assert ladder.prepare(base, chat, seen.append) == (count, 0)
    assert ladder.prepare(base, chat, seen.append) == (0, count)
    assert seen == [True] * count + [False] * count


@pytest.mark.usefixtures("writes")
def test_what_was_prepared_is_how_the_prompt_of_an_answer_begins(
    base: KnowledgeBase, embedder: FakeEmbedder
) -> None:
    chat = ScriptedChat(["25 jours."])
    ladder.prepare(base, chat, lambda _: None)
    list(answer(LEAVE_QUESTION, "fr", sure_of(base, embedder, LEAVE_QUESTION), lambda: chat).pieces)
    assert chat.asked[0][:-1] in [prompt[:-1] for prompt in chat.prepared]


@pytest.mark.usefixtures("writes")
@pytest.mark.parametrize("unknown", ["JE NE SAIS PAS.", "Désolé, je ne sais pas.", ""])
def test_a_model_that_does_not_know_leaves_the_quotation(
    unknown: str, base: KnowledgeBase, embedder: FakeEmbedder
) -> None:
    chat = ScriptedChat([unknown])
    reply = answer(LEAVE_QUESTION, "fr", sure_of(base, embedder, LEAVE_QUESTION), lambda: chat)
    text = "".join(reply.pieces)
    assert (reply.kind, reply.model_wrote) == ("quote", False)
    assert "25 jours" in text
    assert "sais pas" not in text.lower()
    assert_cited(base, reply.sources)


@pytest.mark.usefixtures("writes")
@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("Un agent a droit à 25 jours. Cela fait 300 heures.", "Un agent a droit à 25 jours."),
        ("Un agent a droit à 25 jours. Un lutin vert danse sur la lune.", "Un agent a droit à 25"),
    ],
)
def test_a_sentence_that_no_passage_bears_out_is_dropped_with_a_warning(
    written: str, kept: str, base: KnowledgeBase, embedder: FakeEmbedder
) -> None:
    chat = ScriptedChat([written])
    reply = answer(LEAVE_QUESTION, "fr", sure_of(base, embedder, LEAVE_QUESTION), lambda: chat)
    text = "".join(reply.pieces)
    assert text.startswith(kept)
    assert "300" not in text
    assert "lutin" not in text
    assert (reply.kind, reply.warnings) == ("written", [DROPPED])


@pytest.mark.usefixtures("writes")
def test_an_invention_leaves_the_quotation_and_a_warning(
    base: KnowledgeBase, embedder: FakeEmbedder
) -> None:
    chat = ScriptedChat(["Un agent a droit à 32 jours de congés annuels."])
    reply = answer(LEAVE_QUESTION, "fr", sure_of(base, embedder, LEAVE_QUESTION), lambda: chat)
    text = "".join(reply.pieces)
    assert (reply.kind, reply.warnings, reply.model_wrote) == ("quote", [DROPPED], False)
    assert "32" not in text
    assert "25" in text


@pytest.mark.usefixtures("writes")
def test_a_sentence_cut_off_is_left_out(base: KnowledgeBase, embedder: FakeEmbedder) -> None:
    chat = ScriptedChat(["Un agent a droit à 25 jours. Le report se"], complete=False)
    reply = answer(LEAVE_QUESTION, "fr", sure_of(base, embedder, LEAVE_QUESTION), lambda: chat)
    assert "".join(reply.pieces) == "Un agent a droit à 25 jours."


@pytest.mark.usefixtures("writes")
@pytest.mark.parametrize("written", ["Non !", "Les titres, un agent, à temps plein."])
def test_even_the_shortest_written_answer_is_cited(
    written: str, base: KnowledgeBase, embedder: FakeEmbedder
) -> None:
    chat = ScriptedChat([written])
    reply = answer(LEAVE_QUESTION, "fr", sure_of(base, embedder, LEAVE_QUESTION), lambda: chat)
    assert "".join(reply.pieces) == written
    assert reply.kind == "written"
    assert_cited(base, reply.sources)


@pytest.mark.usefixtures("writes")
def test_each_figure_written_stands_in_a_passage_that_is_cited(
    base: KnowledgeBase, embedder: FakeEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ladder, "PASSAGES_READ", 3)
    question = "Les congés annuels d'un agent à temps plein, et la valeur du titre-restaurant ?"
    chat = ScriptedChat(
        ["Un agent à temps plein a droit à 25 jours de congés annuels. La valeur est de 9,50 €."]
    )
    reply = answer(question, "fr", sure_of(base, embedder, question), lambda: chat)
    text = "".join(reply.pieces)
    assert "9,50" in text
    cited = "\n".join(passages(base)[source.passage][2] for source in reply.sources)
    assert figures(text) <= figures(cited)


@pytest.mark.usefixtures("writes")
def test_a_failing_model_is_an_error_and_no_answer(
    base: KnowledgeBase, embedder: FakeEmbedder
) -> None:
    def broken() -> ChatEngine:
        raise RuntimeError("no memory")

    reply = answer(LEAVE_QUESTION, "fr", sure_of(base, embedder, LEAVE_QUESTION), broken)
    with pytest.raises(RuntimeError, match="no memory"):
        list(reply.pieces)


HIT = Hit("rh", 1, "a.md", "Titre 2021", 1, "", "Un agent a droit à 25 jours, soit 9,50 €.", 1.0)


@given(st.integers(0, 3000))
def test_no_figure_of_its_own_is_ever_borne_out(number: int) -> None:
    held = Held.of("Combien de jours ?", [HIT], "fr")
    assert held.bears(f"Un agent a droit à {number} jours.") == (number in (25, 2021))


def test_a_figure_of_the_question_is_no_evidence() -> None:
    held = Held.of("Ai-je droit à 40 jours ?", [HIT], "fr")
    assert not held.bears("Un agent a droit à 40 jours.")
    assert held.bears("Un agent a droit à 9,50 €.")


def test_a_reply_is_a_refusal_until_it_is_read() -> None:
    assert (list(Reply().pieces), Reply().kind, Reply().sources) == ([], "declined", ())
