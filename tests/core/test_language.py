"""Languages of texts and their names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_slm.language import NAMES, code_of, detect


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Combien de jours de congé de paternité pour des jumeaux ?", "fr"),
        ("Le bureau est fermé le lundi matin.", "fr"),
        ("How many days of paternity leave are there for twins?", "en"),
        ("The office is closed on Monday morning.", "en"),
        ("THE OFFICE IS CLOSED ON MONDAY", "en"),
    ],
)
def test_french_and_english_are_told_apart(text: str, code: str) -> None:
    assert detect(text) == code
    assert detect(text, fallback="en") == code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Die Verwaltung ist am Montagmorgen geschlossen.", "de"),
        ("La oficina está cerrada los lunes por la mañana.", "es"),
        ("L'ufficio è chiuso il lunedì mattina, torni domani.", "it"),
    ],
)
def test_other_languages_are_told_where_they_may_be_chosen(text: str, code: str) -> None:
    assert detect(text, tuple(NAMES)) == code
    assert detect(text) in ("fr", "en")


@pytest.mark.parametrize("text", ["", "  \n ", "RTT ?", "1" * 20, "🙂" * 30, "…" * 99])
def test_what_tells_nothing_is_the_fallback(text: str) -> None:
    assert detect(text) == "fr"
    assert detect(text, fallback="en") == "en"


def test_one_choice_is_the_answer() -> None:
    assert detect("The office is closed on Monday morning.", ("fr",)) == "fr"


def test_no_choice_is_the_fallback() -> None:
    assert detect("The office is closed on Monday morning.", (), fallback="it") == "it"


@given(st.text(max_size=200))
def test_any_text_has_a_language(text: str) -> None:
    assert detect(text) in ("fr", "en")


@pytest.mark.parametrize(
    ("name", "code"),
    [("fr", "fr"), ("FR", "fr"), (" French ", "fr"), ("Français", "fr"), ("anglais", "en")],
)
def test_a_language_has_a_code_and_two_names(name: str, code: str) -> None:
    assert code_of(name) == code


@pytest.mark.parametrize("name", ["", "klingon", "franc", "fr-FR", "français anglais"])
def test_an_unknown_language_has_no_code(name: str) -> None:
    assert code_of(name) is None


def test_each_name_names_one_language() -> None:
    names = [name.lower() for pair in NAMES.values() for name in pair]
    assert len(names) == len(set(names))
