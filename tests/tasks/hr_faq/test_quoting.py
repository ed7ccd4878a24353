"""Quotations: which sentence, how sure, and how it is shown."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_slm.kb.lexical import stems
from edge_slm.kb.search import Hit
from edge_slm.tasks.hr_faq.quoting import (
    LONGEST,
    WEIGHTS,
    Features,
    Quote,
    best_quote,
    candidates,
    linear,
    whole,
)
from edge_slm.text import sentences
from tests.tasks.hr_faq.conftest import hit


def rarity(question: str) -> dict[str, float]:
    """Return the weights of a question's stems, all words being equally rare."""
    return dict.fromkeys(stems(question), 1.0)


def quote(question: str, *hits: Hit, synonyms: frozenset[str] = frozenset()) -> Quote | None:
    """Return the best quotation, all words being equally rare."""
    return best_quote(candidates(question, hits, rarity(question), "fr", synonyms))


def features(question: str, text: str, synonyms: frozenset[str] = frozenset()) -> list[Features]:
    """Return what is looked at in each sentence of one passage without a title."""
    found = candidates(question, [hit(text, title="")], rarity(question), "fr", synonyms)
    return [candidate.features for candidate in found]


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


LIST = "Pièces à fournir :\n- la demande ;\n- le certificat médical."


@pytest.mark.parametrize("question", ["certificat médical", "pièces fournir"])
def test_a_list_is_quoted_whole_from_its_lead_in_or_an_item(question: str) -> None:
    found = quote(question, hit(f"{LIST}\nLe reste est libre."))
    assert found
    assert found.text == LIST


def test_an_item_without_a_lead_in_stands_alone() -> None:
    found = quote("certificat médical", hit("Sans rapport.\n- la demande ;\n- le certificat."))
    assert found
    assert found.text == "- le certificat."


def test_a_long_list_is_cut() -> None:
    text = "Pièces à fournir :\n" + "\n".join(f"- document numéro {n}" for n in range(500))
    found = quote("pièces fournir", hit(text))
    assert found
    assert len(found.text) <= LONGEST


def test_an_item_beyond_the_cut_comes_with_its_lead_in() -> None:
    items = [f"- document numéro {n}" for n in range(500)]
    lines = ["Pièces à fournir :", *items, "- document numéro"]
    assert whole(lines, 400) == f"Pièces à fournir :\n{lines[400]}"
    assert whole(lines, len(lines) - 1) == "Pièces à fournir :\n- document numéro"
    assert whole(lines, 3) == whole(lines, 0)


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


def test_the_score_is_how_much_likelier_than_any_other() -> None:
    alone = quote("congés", hit("Les congés sont dus."))
    twice = quote("congés", hit("Les congés sont dus."), hit("Les congés sont dus."))
    assert alone and twice
    assert alone.score == 1.0
    assert 0.5 < twice.score < 1.0  # the first of two passages is likelier
    assert twice.strength == alone.strength


def test_the_score_is_linear_in_the_features() -> None:
    weights = Features(own=2.0, rank=-3.0)
    assert linear(Features(), weights) == 0
    assert linear(Features(own=0.5, rank=0.2, title=9.0), weights) == pytest.approx(0.4)
    assert linear(Features(own=1.0)) == WEIGHTS.own


def test_each_word_of_the_question_counts_where_it_is_said_most_plainly() -> None:
    passage = hit("La durée du congé.", "Le congé de maternité", "Durée et report")
    (found,) = candidates(
        "durée report maternité", [passage], rarity("durée report maternité"), "fr"
    )
    third = pytest.approx(1 / 3)
    assert [found.features.own, found.features.section, found.features.title] == [third] * 3


@pytest.mark.parametrize(
    ("question", "text", "name", "value"),
    [
        ("Combien de jours ?", "25 jours.", "figure", 1.0),
        ("Combien de jours ?", "Des jours.", "figure", 0.0),
        ("Combien de jours pour 25 ans ?", "25 jours.", "figure", 0.0),
        ("Qui signe les jours ?", "25 jours.", "other_figure", 1.0),
        ("Combien de jours ?", "25 jours.", "other_figure", 0.0),
        ("Combien de jours ?", "25 jours.", "unit", 1.0),
        ("Combien de jours ?", "25 heures.", "unit", 0.0),
        ("Ai-je droit aux congés ?", "Il n'y a pas de congés.", "denial", 1.0),
        ("Ai-je droit aux congés ?", "Il y a des congés.", "denial", 0.0),
        ("Qui a droit aux congés ?", "Il n'y a pas de congés.", "denial", 0.0),
        ("congés", "Les congés.", "best_document", 1.0),
        ("congés", "Les congés.", "rank", 0.0),
        ("congés", "Les congés.", "passage", 1.0),
        ("congés", "Les congés. " * 300, "length", pytest.approx(12 / 400, rel=0.2)),
        ("congés", "congés " * 300, "length", 1.0),
    ],
)
def test_a_feature_of_a_sentence(question: str, text: str, name: str, value: float) -> None:
    assert getattr(features(question, text)[0], name) == value


def test_the_words_that_documents_use_count_apart() -> None:
    (found,) = features("boulot", "Le travail.", frozenset(stems("travail")))
    assert found.own == 0.0
    assert found.synonym == pytest.approx(1 / 3)
    assert quote("boulot", hit("Le travail.", title="")) is None
    assert quote("boulot", hit("Le travail.", title=""), synonyms=frozenset(stems("travail")))


@pytest.mark.parametrize(("place", "header"), [(0, 0.0), (1, 1.0), (2, 0.0), (3, 0.0), (4, 0.0)])
def test_the_first_row_of_a_table_is_its_header(place: int, header: float) -> None:
    text = "Les titres.\nMois | Titres\nMai | 3\nJuin | 4\nSeul | 1 en note."
    assert features("titres", text)[place].header == header


_LINE = st.sampled_from(
    [
        "Un agent a 25 jours de congés.",
        "Un congé. Un autre congé ; Puis la demande.",
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
def test_what_is_quoted_are_sentences_of_the_passage(texts: list[str], question: str) -> None:
    hits = [hit(text, title="") for text in texts]
    found = quote(question, *hits)
    if found is None:
        return
    assert found.text
    assert set(found.text.split("\n")) <= set(sentences(found.hit.text))
    assert set(stems(found.shown)) <= set(stems(found.hit.text))
    assert 0 < found.score <= 1


@given(
    st.text(st.characters(exclude_categories=())),
    st.lists(st.text(st.characters(exclude_categories=())), max_size=3),
)
def test_no_question_and_no_passage_is_an_error(question: str, texts: list[str]) -> None:
    hits = [hit(text) for text in texts]
    found = list(candidates(question, hits, rarity(question), "fr", frozenset({"jour"})))
    assert all(0 <= value <= 1 for c in found for value in msgspec.structs.astuple(c.features))
    best = best_quote(found)
    assert best is None or set(best.text.split("\n")) <= set(sentences(best.hit.text))


@pytest.mark.parametrize("unit", ["a", " ", "| ", "- a\n", "a | b\n", "ne ", "25 ", "😀", "\0"])
def test_a_huge_passage_and_a_huge_question_are_read(unit: str) -> None:
    huge = unit * (100_000 // len(unit))
    question = f"Combien de congés ? {unit * 200}"
    found = quote(question, hit(f"Un agent a 25 jours de congés.\n{huge}"))
    assert found is None or found.score > 0
    assert features(huge, "") == []
