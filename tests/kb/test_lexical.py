"""Stems and full-text expressions of any text, and the words added to questions."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from edge_slm.i18n import Language
from edge_slm.kb.lexical import match_expression, stems
from edge_slm.kb.vocabulary import expanded
from edge_slm.text import fold

ANY_TEXT = st.text(st.characters())  # surrogates too: they come from arguments that are not UTF-8
HOSTILE = [
    '"',
    '""" OR "',
    "a AND b OR NOT c",
    "NEAR(congé paie, 5)",
    "title_stems:congé",
    "congé*",
    "^congé",
    "{title_stems text_stems}: x",
    "- (congé",
    "))((",
    "a + b",
    "\0",
    "con\0gé",
    "'; DROP TABLE passages; --",
    "\N{GRINNING FACE} \N{MAN}\N{ZERO WIDTH JOINER}\N{WOMAN}",
    "½ ⅔ ﷺ ㎏ ﬁn ⑴ ǅ İ ß",
    "\ud800 \udfff",
    "e\u0301te\u0301",
    "x" * 5000,
]
LANGUAGES: list[Language] = ["fr", "en"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("congés annuels", "congé annuel"),
        ("CONGÉS", "conges"),
        ("rémunérations", "rémunération"),
        ("l'agent", "agents"),
        ("cœur", "coeur"),
        ("e\u0301le\u0300ve", "élève"),
    ],
)
def test_wordings_of_the_same_word_share_their_stem(one: str, other: str) -> None:
    assert stems(one) == stems(other) != []


def test_function_words_say_nothing() -> None:
    assert stems("Qu'est-ce que c'est, et pourquoi donc ?") == []
    assert stems("what is it and why", "en") == []
    assert stems("Combien de jours ?") == stems("jours")


def test_figures_are_words() -> None:
    assert "822" in stems("article L. 822-1")


def test_english_has_its_own_stems() -> None:
    assert stems("holidays", "en") == stems("holiday", "en")


@pytest.mark.parametrize("language", LANGUAGES)
@given(text=ANY_TEXT)
def test_stems_of_any_text_are_folded_and_repeatable(language: Language, text: str) -> None:
    found = stems(text, language)
    assert found == stems(text, language)
    assert all(word and word == fold(word) and '"' not in word for word in found)


@given(ANY_TEXT)
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@pytest.fixture(scope="module")
def index() -> Iterator[sqlite3.Connection]:
    """A full-text table like that of a base, with one row that holds many words."""
    with closing(sqlite3.connect(":memory:")) as db:
        db.execute(
            "CREATE VIRTUAL TABLE fts USING fts5(title_stems, section_stems, text_stems, "
            "tokenize = 'unicode61 remove_diacritics 2')"
        )
        text = " ".join(stems("Le congé annuel est de vingt-cinq jours. " + " ".join(HOSTILE)))
        db.execute("INSERT INTO fts VALUES ('', '', ?)", (text,))
        yield db


def matches(index: sqlite3.Connection, text: str) -> int:
    expression = match_expression(stems(text))
    return len(index.execute("SELECT 1 FROM fts WHERE fts MATCH ?", (expression,)).fetchall())


@given(text=ANY_TEXT | st.lists(st.sampled_from(HOSTILE) | ANY_TEXT, max_size=5).map(" ".join))
def test_any_question_is_a_valid_expression(index: sqlite3.Connection, text: str) -> None:
    assert matches(index, text) in (0, 1)


@pytest.mark.parametrize("text", HOSTILE)
def test_operators_are_words_like_others(index: sqlite3.Connection, text: str) -> None:
    assert matches(index, text) in (0, 1)
    assert matches(index, f"{text} congé") == 1


def test_no_word_matches_nothing(index: sqlite3.Connection) -> None:
    assert match_expression([])
    assert matches(index, "et le la les") == 0


def test_a_question_of_ten_thousand_words(index: sqlite3.Connection) -> None:
    assert matches(index, " ".join(f"mot{n}" for n in range(10_000))) == 0
    assert matches(index, " ".join(f"mot{n}" for n in range(10_000)) + " annuel") == 1


@given(ANY_TEXT)
@example("")
def test_an_expanded_question_begins_with_the_question(question: str) -> None:
    assert expanded(question).startswith(question)


def test_a_spoken_word_adds_the_documents_word() -> None:
    question = "Combien de RTT si je suis en télétravail ?"
    assert expanded("Puis-je poser mes vacances ?") != "Puis-je poser mes vacances ?"
    assert set(stems("congés")) <= set(stems(expanded("Puis-je poser mes vacances ?")))
    assert expanded("xyz") == "xyz"
    assert expanded(question).startswith(question)


def test_only_whole_words_are_spoken_words() -> None:
    assert expanded("evacances") == "evacances"
    assert expanded("VACANCES")[len("VACANCES") :] == expanded("vacances")[len("vacances") :] != ""
