"""Quotations: which sentence, and how it is shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_slm.kb.lexical import stems
from edge_slm.kb.search import Hit
from edge_slm.tasks.hr_faq.quoting import Quote, best_quote, wants_figure


def hit(text: str, title: str = "Les congés", section: str = "", score: float = 1.0) -> Hit:
    """Return a passage as a search gives it."""
    return Hit("rh", 1, "conges.md", title, 1, section, text, score)


def quote(question: str, *hits: Hit) -> Quote | None:
    """Return the best quotation, all words being equally rare."""
    return best_quote(question, hits, dict.fromkeys(stems(question), 1.0), "fr")


@pytest.mark.parametrize(
    "question",
    [
        "Combien de jours ?",
        "À partir de quand ?",
        "Jusqu'à quelle date ?",
        "Quelle est la durée du congé ?",
        "Quel est le montant de la prime ?",
        "Quels sont les délais ?",
        "How many days?",
        "When is it due?",
        "What is the amount?",
    ],
)
def test_a_question_for_a_figure(question: str) -> None:
    assert wants_figure(question)


@pytest.mark.parametrize("question", ["", "Qui signe ?", "Comment faire ?", "Who signs?"])
def test_another_question(question: str) -> None:
    assert not wants_figure(question)


def test_a_question_for_a_figure_is_answered_by_a_sentence_with_one() -> None:
    text = "Les jours de congés se demandent au chef. Un agent a 25 jours de congés."
    found = quote("Combien de jours de congés ?", hit(text))
    assert found
    assert found.text == "Un agent a 25 jours de congés."


def test_the_figure_of_the_question_is_no_answer() -> None:
    text = "Le congé de 3 jours se demande. Le congé dure 10 jours."
    found = quote("Combien de jours dure le congé de 3 jours ?", hit(text))
    assert found
    assert "10" in found.text


def test_a_row_of_a_table_comes_with_its_header() -> None:
    text = "Mois | Titres | Valeur\nJanvier | 20 | 9 €\nFévrier | 18 | 8 €"
    found = quote("Combien de titres en février ?", hit(text))
    assert found
    assert found.text == "Mois | Titres | Valeur\nFévrier | 18 | 8 €"
    assert found.shown == "Février — Titres : 18 ; Valeur : 8 €"


def test_a_row_with_other_columns_is_shown_as_it_is() -> None:
    found = quote("février", hit("Mois | Titres\nFévrier | 18 | note"))
    assert found
    assert found.shown == found.text == "Mois | Titres\nFévrier | 18 | note"


def test_the_header_alone_answers_nothing() -> None:
    assert quote("mois titres", hit("Mois | Titres\nJanvier | 20")) is None


def test_an_item_of_a_list_comes_with_its_lead_in() -> None:
    text = "Pièces à fournir :\n- la demande ;\n- le certificat médical."
    found = quote("certificat médical", hit(text))
    assert found
    assert found.text == "Pièces à fournir :\n- le certificat médical."


def test_a_lead_in_comes_with_its_items() -> None:
    text = "Pièces à fournir :\n- la demande ;\n- le certificat.\nLe reste est libre."
    found = quote("pièces fournir", hit(text))
    assert found
    assert found.text == "Pièces à fournir :\n- la demande ;\n- le certificat."


def test_a_long_list_is_cut() -> None:
    text = "Pièces à fournir :\n" + "\n".join(f"- document numéro {n}" for n in range(500))
    found = quote("pièces fournir", hit(text))
    assert found
    assert len(found.text) < 1000


@pytest.mark.parametrize("question", ["", "???", "de la du", "🙂"])
def test_a_question_without_a_word_has_no_quotation(question: str) -> None:
    assert quote(question, hit("Un agent a 25 jours.")) is None


def test_no_passage_has_no_quotation() -> None:
    assert quote("congés") is None


def test_the_nearer_passage_is_quoted() -> None:
    far = hit("Les congés sont dus.", score=0.2)
    near = hit("Les congés sont accordés.", score=0.9)
    found = quote("congés", far, near)
    assert found
    assert found.hit is near


_LINE = st.sampled_from(
    [
        "Un agent a 25 jours de congés.",
        "Pièces à fournir :",
        "- la demande ;",
        "- le congé.",
        "Mois | Congés",
        "Mai | 3",
        "Juin | 2 | x",
        "Sans rapport.",
        "",
        " | ",
        "-",
        ":",
    ]
)


@given(
    st.lists(st.lists(_LINE, max_size=8).map("\n".join), max_size=3),
    st.sampled_from(["Combien de congés ?", "pièces", "mai", "la demande de congé", "zzz"]),
)
def test_what_is_quoted_stands_in_the_passage(texts: list[str], question: str) -> None:
    hits = [hit(text, title="") for text in texts]
    found = quote(question, *hits)
    if found is None:
        return
    lines = [line.strip() for line in found.hit.text.splitlines()]
    assert found.text
    assert all(any(quoted in line for line in lines) for quoted in found.text.split("\n"))
    assert set(stems(found.shown)) <= set(stems(found.hit.text))
    assert found.score >= 0
