"""Abbreviations that texts explain."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_slm.kb.acronyms import explained


@pytest.mark.parametrize(
    ("text", "short", "long"),
    [
        ("Ouvrez un compte épargne-temps (CET) au service.", "cet", "compte épargne-temps"),
        (
            "la validation des acquis de l'expérience (VAE)",
            "vae",
            "validation des acquis de l'expérience",
        ),
        ("La RTT (réduction du temps de travail) compte.", "rtt", "réduction du temps de travail"),
        (
            "un Congé pour invalidité temporaire imputable au service (Citis)",
            "citis",
            "Congé pour invalidité temporaire imputable au service",
        ),
        ("the annual leave account (ALA) is open", "ala", "annual leave account"),
    ],
)
def test_an_abbreviation_is_learnt_with_its_words(text: str, short: str, long: str) -> None:
    assert explained([text]) == {short: long}


@pytest.mark.parametrize(
    "text",
    [
        "un agent en poste à l'étranger (Paris)",
        "le versement du solde (SFT)",
        "une aide au retour (AR",
        "voir la note (A)",
        "prestation versée aux adultes handicapés (AAH)",
        "",
        "(" * 5000,
        "(CET)",
    ],
)
def test_other_brackets_explain_nothing(text: str) -> None:
    assert explained([text]) == {}


def test_the_commonest_words_win() -> None:
    texts = ["comité technique (CT)", "conseil territorial (CT)", "le comité technique (CT)"]
    assert explained(texts) == {"ct": "comité technique"}


@given(st.lists(st.text("aAbBcC ()é-'.\n|", max_size=80), max_size=5))
def test_any_text_gives_words_of_its_own(texts: list[str]) -> None:
    together = " ".join("\n".join(texts).split())
    for short, long in explained(texts).items():
        assert short == short.lower()
        assert long in together
