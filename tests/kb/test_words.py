"""A question in the words of a base: typing mended, synonyms and abbreviations added."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge_slm.kb import synonyms
from edge_slm.kb.base import KnowledgeBase
from edge_slm.kb.search import search
from edge_slm.kb.vocabulary import Synonym
from edge_slm.kb.words import is_slip, mend, understood, words_of
from tests.fakes import FakeEmbedder
from tests.kb.samples import document

RULES = (
    "La démission du fonctionnaire est écrite.",
    "Le congé de maternité dure seize semaines, une indemnité est versée au fonctionnaire.",
    "Le supplément de paie est un droit du fonctionnaire après une démission.",
    "La démission ouvre droit à une indemnité, l'administration répond.",
    "L'administration verse le congé de maternité et l'indemnité.",
    "L'administration tient un registre de maternité.",
)


@pytest.fixture
def filled(base: KnowledgeBase, embedder: FakeEmbedder) -> KnowledgeBase:
    for number, text in enumerate(RULES):
        base.add(document(f"{number}.md", text), embedder)
    return base


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("ma demision", "ma démission"),
        ("un fonctionaire", "un fonctionnaire"),
        ("conge maternite", "conge maternité"),
        ("ladministration répond", "l'administration répond"),
        ("jai droit a cb", "j'ai droit a combien"),
        ("l’indemnité", "l'indemnité"),
    ],
)
def test_typing_is_mended(filled: KnowledgeBase, typed: str, meant: str) -> None:
    assert mend(typed, filled) == meant


@pytest.mark.parametrize(
    "question",
    [
        "Comment renouveler mon passeport ?",
        "Algérie",
        "DEMISION",
        "un match de football",
        "décision",
        "",
        "???",
        "12 345",
        "démission",
    ],
)
def test_other_words_stay_as_they_are(filled: KnowledgeBase, question: str) -> None:
    assert mend(question, filled) == question


@pytest.mark.parametrize(
    ("typed", "meant", "slip"),
    [
        ("demision", "demission", True),
        ("maternti", "materniti", True),
        ("mtaernel", "maternel", True),
        ("paternel", "maternel", False),
        ("match", "march", False),
        ("port", "part", False),
        ("cong", "conge", False),
        ("administation", "administration", True),
        ("same", "same", False),
    ],
)
def test_slips_of_the_fingers(typed: str, meant: str, slip: bool) -> None:
    assert is_slip(typed, meant) is slip


@given(st.text("abcd", max_size=9), st.text("abcd", max_size=9))
def test_a_slip_works_both_ways_and_never_changes_two_letters(one: str, other: str) -> None:
    if is_slip(one, other):
        assert one != other
        assert abs(len(one) - len(other)) <= 1
        assert is_slip(one, other) == is_slip(other, one) or min(len(one), len(other)) < 8


def test_a_mistyped_question_finds_what_the_right_one_finds(
    filled: KnowledgeBase, embedder: FakeEmbedder
) -> None:
    found = search(filled, embedder, "demision du fonctionaire")
    right = search(filled, embedder, "démission du fonctionnaire")
    assert found.asked == "démission du fonctionnaire"
    assert [hit.passage for hit in found.hits] == [hit.passage for hit in right.hits]
    assert found.rarity == right.rarity


def test_the_base_s_abbreviations_are_added_both_ways(
    base: KnowledgeBase, embedder: FakeEmbedder
) -> None:
    base.add(document("a.md", "La prime d'attrait régional (PAR) est versée."), embedder)
    assert understood(base, "montant de la PAR").expanded.endswith("prime d'attrait régional")
    assert "PAR" in understood(base, "la prime d’attrait régional est à combien").expanded


def test_an_abbreviation_that_is_a_word_too_needs_capitals(
    base: KnowledgeBase, embedder: FakeEmbedder
) -> None:
    text = "La mission d'aide internationale (MAI) part en mai avec un guide."
    base.add(document("a.md", text), embedder)
    assert understood(base, "je pars le 3 mai").expanded == "je pars le 3 mai"
    assert "mission d'aide" in understood(base, "contacter la MAI").expanded


def test_the_base_s_own_synonyms_win_over_the_built_in_ones(
    base: KnowledgeBase, embedder: FakeEmbedder
) -> None:
    base.add(document("a.md", "Le contrat d'étude tutoré (CET) engage."), embedder)
    synonyms.add(base, [Synonym("cet", "contrat d'entrée tardive")])
    expanded = understood(base, "mon CET").expanded
    assert "contrat d'entrée tardive" in expanded
    assert "compte épargne" not in expanded
    assert "étude" not in expanded


def test_words_are_gathered_anew_when_the_base_changes(
    base: KnowledgeBase, embedder: FakeEmbedder
) -> None:
    assert words_of(base).acronyms == {}
    base.add(document("a.md", "La nouvelle bonification indiciaire (NBI)."), embedder)
    assert words_of(base).acronyms == {"nbi": "nouvelle bonification indiciaire"}
    assert words_of(base) is words_of(base)


@given(question=st.text(max_size=60))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_question_is_understood(filled: KnowledgeBase, question: str) -> None:
    asked = understood(filled, question)
    assert asked.expanded.startswith(asked.question)
