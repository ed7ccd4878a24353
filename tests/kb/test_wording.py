"""How questions are read and compared: conditions, figures, mistakes, what is asked for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_slm.kb.concepts import concepts
from edge_slm.kb.likeness import differ, likeness
from edge_slm.kb.mending import Speller
from edge_slm.kb.wording import mended_words, plain_words, read

TEXTS = st.text(max_size=200) | st.lists(
    st.sampled_from(
        ["combien", "jours", "congé", "jumeaux", "80", "%", "pas", "quand", "CET", "an"]
    )
).map(" ".join)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("congé pat jumeaux", "congé de paternité, jumelles"),
        ("solde du CET", "solde du compte épargne-temps"),
        ("salaire à 80%", "salaire à temps partiel à 80 pour cent"),
        ("CDD d'un an", "cdd de 1 an"),
        ("vingt-cinq jours", "25 jours"),
        ("quatre-vingt-dix jours", "90 jours"),
        ("agent non titulaire", "agent contractuel"),
        ("je ne trouve pas mon badge", "badge"),
        ("cat. B", "catégorie B"),
    ],
)
def test_the_same_conditions(one: str, other: str) -> None:
    assert read(one).conditions == read(other).conditions


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("congé pour des jumeaux", "congé pour des triplés"),
        ("congé d'un contractuel", "congé d'un titulaire"),
        ("prime d'un agent de l'État", "prime d'un agent hospitalier"),
        ("congé de 2 ans", "congé de 2 mois"),
        ("congé de deux ans", "congé de trois ans"),
        ("j'ai droit au congé", "je n'ai pas droit au congé"),
        ("poser un RTT", "reporter un RTT"),
        ("congé catégorie A", "congé catégorie B"),
        ("premier enfant", "troisième enfant"),
        ("comment ouvrir un CET", "qui peut ouvrir un CET"),
        ("combien de jours de télétravail par semaine", "combien de jours de télétravail par mois"),
        ("une nuit d'hôtel à Paris", "une nuit d'hôtel à Lyon"),
        ("jusqu'à quel âge", "à partir de quel âge"),
    ],
)
def test_questions_that_differ(one: str, other: str) -> None:
    assert differ(read(one), read(other))
    assert likeness(read(one), read(other)) == 0


@given(TEXTS, TEXTS)
def test_any_two_texts_compare(one: str, other: str) -> None:
    mine, theirs = read(one), read(other)
    assert 0 <= likeness(mine, theirs) <= 1
    assert differ(mine, theirs) == differ(theirs, mine)
    assert not differ(mine, mine)


def test_a_word_more_is_less_alike() -> None:
    asked = "combien de jours de télétravail"
    near = likeness(read(asked), read(asked))
    assert near > likeness(read(f"{asked} en médiathèque"), read(asked)) > 0


def test_no_wording_stands_for_two_concepts() -> None:
    every = [(wording, concept) for concept, wordings in concepts() for wording in wordings]
    twice = {wording for wording, _ in every if sum(wording == w for w, _ in every) > 1}
    assert twice == set()


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("combein de jours", "combien de jours"),
        ("coment faire", "comment faire"),
        ("teletravil", "teletravail"),
        ("paternitee", "paternite"),
        ("zzzzzz", "zzzzzz"),
        ("poer", "poer"),
        ("", ""),
    ],
)
def test_mistakes_are_mended(typed: str, meant: str) -> None:
    speller = Speller(mended_words(), plain_words())
    assert speller.mended(typed, lambda _: False) == meant


def test_a_word_of_the_documents_is_no_mistake() -> None:
    speller = Speller(["mutation"])
    assert speller.mended("mutations", lambda _: False) == "mutation"
    assert speller.mended("mutations", lambda word: word == "mutations") == "mutations"


@given(st.text("abcde", max_size=8), st.sets(st.text("abcde", min_size=1, max_size=8)))
def test_mending_gives_a_known_word_or_the_word_itself(word: str, known: set[str]) -> None:
    assert Speller(known).mended(word, lambda _: False) in {word, *known}
