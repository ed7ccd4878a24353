"""Sentences, figures, folding, shortening."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_slm.text import figures, fold, sentences, shorten, split_complete

# Text rich in what ends, or seems to end, a sentence.
_TEXT = st.text(alphabet='Aéz1 .!?…;:«»"(-\u00a0\u202fLM', max_size=80)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        (" \n\n ", []),
        ("Une phrase", ["Une phrase"]),
        ("Une. Deux ! Trois ? Quatre…", ["Une.", "Deux !", "Trois ?", "Quatre…"]),
        ("Lead :\n- un ;\n- deux.", ["Lead :", "- un ;", "- deux."]),
        ("A | B\n1 | 2", ["A | B", "1 | 2"]),
        ("Le taux est de 2,88 €. Il change.", ["Le taux est de 2,88 €.", "Il change."]),
        ("Ouvert à 10h30. Fermé à 12 h.", ["Ouvert à 10h30.", "Fermé à 12 h."]),
        ("selon l'art. L. 631-4 du code.", ["selon l'art. L. 631-4 du code."]),
        ("L'article R. 12 et M. Martin.", ["L'article R. 12 et M. Martin."]),
        ("De catégorie A. Ils ont 25 jours.", ["De catégorie A.", "Ils ont 25 jours."]),
        ("Il dit « oui ». « Non », dit-elle.", ["Il dit « oui ».", "« Non », dit-elle."]),
        ("env. dix jours", ["env. dix jours"]),
    ],
)
def test_sentences(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


@given(_TEXT)
def test_sentences_lose_nothing_but_spaces(text: str) -> None:
    assert "".join("".join(sentences(text)).split()) == "".join(text.split())


@given(_TEXT, st.lists(st.integers(1, 9), max_size=40))
def test_a_growing_text_splits_like_the_whole(text: str, steps: list[int]) -> None:
    done: list[str] = []
    pending, place = "", 0
    for step in [*steps, len(text)]:
        pending += text[place : place + step]
        place += step
        whole, pending = split_complete(pending)
        done += whole
    expected_whole, expected_rest = split_complete(text)
    assert [*done, pending] == [*expected_whole, expected_rest]


@given(st.lists(st.sampled_from(["Il a 25 jours.", "Non !", "Art. 3 ?", "« Oui »."]), max_size=6))
def test_a_growing_line_splits_into_its_sentences(parts: list[str]) -> None:
    text = " ".join(parts)
    whole, rest = split_complete(text)
    assert [sentence for sentence in [*whole, rest] if sentence] == sentences(text)


def test_a_long_run_of_spaces_is_split() -> None:
    assert sentences("Un." + " " * 50_000 + "Deux.") == ["Un.", "Deux."]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", set()),
        ("aucun", set()),
        ("1 234,50 €", {"1234.50"}),
        ("1\u00a0234,50 €", {"1234.50"}),
        ("12\u202f345\u202f678", {"12345678"}),
        ("2,88 €", {"2.88"}),
        ("art. L. 631-4", {"631", "4"}),
        ("10h30", {"10", "30"}),
        ("25 %", {"25"}),
        ("25%, 32 jours", {"25", "32"}),
        ("le 01/09/2025", {"01", "09", "2025"}),
        ("en 2025 12 jours", {"2025", "12"}),
        ("A | 25 | 30", {"25", "30"}),
        ("catégorie A 25 30 45", {"25", "30", "45"}),
        ("06 12 34 56 78", {"06", "12", "34", "56", "78"}),
        ("2024 250 euros", {"2024", "250"}),
        ("n° 2021-1462.", {"2021", "1462"}),
        ("version 1.2.3", {"1.2.3"}),
    ],
)
def test_figures(text: str, expected: set[str]) -> None:
    assert figures(text) == expected


@given(st.integers(0, 10**12))
def test_a_number_is_the_same_with_and_without_spaces(number: int) -> None:
    spaced = f"{number:,}".replace(",", "\u202f")
    assert figures(f"soit {spaced} euros") == figures(f"soit {number} euros") == {str(number)}


@pytest.mark.parametrize(
    ("text", "expected"),
    [("Élève", "eleve"), ("CŒUR", "coeur"), ("Æ", "ae"), ("ça", "ca"), ("straße", "straße")],
)
def test_fold(text: str, expected: str) -> None:
    assert fold(text) == expected


@given(st.text(max_size=50))
def test_folding_twice_is_folding_once(text: str) -> None:
    # Some ligatures (“ϓ”, “ﬃ” in capitals) only show their letters once they are taken apart.
    once = fold(text)
    assert fold(fold(once)) == fold(once)


@given(st.text(max_size=100), st.integers(1, 80))
def test_shortened_text_fits(text: str, longest: int) -> None:
    short = shorten(text, longest)
    assert len(short) <= longest
    assert short == text or (short.endswith("…") and text.startswith(short[:-1]))
