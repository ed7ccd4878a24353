"""Facts of a text: two wordings of one fact are equal, two facts are not."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_slm.i18n import Language
from edge_slm.tasks.hr_faq.facts import Fact, bears, facts
from edge_slm.tasks.hr_faq.names import names
from edge_slm.tasks.hr_faq.numerals import to_digits


def _plain(text: str, language: Language = "fr") -> set[tuple[str, str, str]]:
    return {(fact.kind, fact.value, fact.unit) for fact in facts(text, language)}


@pytest.mark.parametrize(
    ("text", "kind", "value", "unit"),
    [
        ("vingt-cinq jours", "duration", "25", "day"),
        ("25j", "duration", "25", "day"),
        ("25 jours ouvrés", "duration", "25", "day worked"),
        ("30 jours ouvrables", "duration", "30", "day workable"),
        ("2,5 jours", "duration", "2.5", "day"),
        ("2½ jours", "duration", "2.5", "day"),
        ("une demi-journée", "duration", "0.5", "day"),
        ("une quinzaine de jours", "duration", "15", "day"),
        ("7 jours calendaires", "duration", "7", "day calendar"),
        ("une semaine", "duration", "7", "day calendar"),
        ("un an", "duration", "12", "month"),
        ("douze mois", "duration", "12", "month"),
        ("un an et demi", "duration", "18", "month"),
        ("2 ans et demi", "duration", "30", "month"),
        ("trois premiers mois", "duration", "3", "month"),
        ("un semestre", "duration", "6", "month"),
        ("172 trimestres", "duration", "172", "quarter"),
        ("35 heures", "duration", "2100", "minute"),
        ("1 h 30", "duration", "90", "minute"),
        ("une heure et demie", "duration", "90", "minute"),
        ("17h30", "duration", "1050", "minute"),
        ("17 h 30", "duration", "1050", "minute"),
        ("1 234,50 €", "amount", "1234.5", "EUR"),
        ("1\u202f234,50\u00a0euros", "amount", "1234.5", "EUR"),
        ("1.234,50 EUR", "amount", "1234.5", "EUR"),
        ("trois mille deux cent cinquante euros", "amount", "3250", "EUR"),
        ("3 k€", "amount", "3000", "EUR"),
        ("2 millions d'euros", "amount", "2000000", "EUR"),
        ("deux millions d’euros", "amount", "2000000", "EUR"),
        ("50 centimes", "amount", "0.5", "EUR"),
        ("50 %", "share", "50", "%"),
        ("cinquante pour cent", "share", "50", "%"),
        ("la moitié du traitement", "share", "50", "%"),
        ("à demi-traitement", "share", "50", "%"),
        ("à 1/2 traitement", "share", "50", "%"),
        ("un mi-temps", "share", "50", "%"),
        ("un quart de la somme", "share", "25", "%"),
        ("les deux tiers", "share", "200/3", "%"),
        ("le tiers du traitement", "share", "100/3", "%"),
        ("soixante et onze agents", "number", "71", "thing"),
        ("septante et un agents", "number", "71", "thing"),
        ("quatre-vingt-dix-sept agents", "number", "97", "thing"),
        ("neuf agents", "number", "9", "thing"),
        ("le volet n° 2", "number", "2", "thing"),
        ("il en a 25.", "number", "25", ""),
        ("la formule F488", "number", "f488", "thing"),
        ("le 1er jour", "ordinal", "1", ""),
        ("le premier jour", "ordinal", "1", ""),
        ("la troisième année", "ordinal", "3", ""),
        ("la 3ème année", "ordinal", "3", ""),
        ("la 3e année", "ordinal", "3", ""),
        ("1er janvier 2021", "date", "2021-01-01", ""),
        ("premier janvier 2021", "date", "2021-01-01", ""),
        ("01/01/2021", "date", "2021-01-01", ""),
        ("01.01.2021", "date", "2021-01-01", ""),
        ("2021-01-01", "date", "2021-01-01", ""),
        ("janvier 2021", "date", "2021-01-..", ""),
        ("le 15 août", "date", "....-08-15", ""),
        ("en février", "date", "....-02-..", ""),
        ("en 2021", "date", "2021-..-..", ""),
        ("l'article L. 631-4", "article", "L631-4", ""),
        ("art. L631-4", "article", "L631-4", ""),
        ("l’article R.* 12", "article", "R12", ""),
        ("article 34", "article", "34", ""),
        ("décret n° 85-986", "article", "85-986", "decree"),
        ("loi n°84-16", "article", "84-16", "law"),
        ("la circulaire n° 12-45", "article", "12-45", "circular"),
        ("catégorie A", "grade", "A", "category"),
        ("échelon 3", "grade", "3", "step"),
        ("3e échelon", "grade", "3", "step"),
        ("indice majoré 388", "grade", "388", "index"),
    ],
)
def test_a_french_fact(text: str, kind: str, value: str, unit: str) -> None:
    assert _plain(text) == {(kind, value, unit)}


@pytest.mark.parametrize(
    ("text", "kind", "value", "unit"),
    [
        ("twenty-five days", "duration", "25", "day"),
        ("25 working days a year", "duration", "25", "day working"),
        ("half a day", "duration", "0.5", "day"),
        ("for a year", "duration", "12", "month"),
        ("a year and a half", "duration", "18", "month"),
        ("two and a half years", "duration", "30", "month"),
        ("three full months", "duration", "3", "month"),
        ("a six-month leave", "duration", "6", "month"),
        ("5:30 pm", "duration", "1050", "minute"),
        ("5 p.m.", "duration", "1020", "minute"),
        ("€1,234.50", "amount", "1234.5", "EUR"),
        ("1,500 euros", "amount", "1500", "EUR"),
        ("50 percent", "share", "50", "%"),
        ("fifty per cent", "share", "50", "%"),
        ("half pay", "share", "50", "%"),
        ("two thirds of it", "share", "200/3", "%"),
        ("a third of the pay", "share", "100/3", "%"),
        ("the third child", "ordinal", "3", ""),
        ("the 21st day", "ordinal", "21", ""),
        ("the first day", "ordinal", "1", ""),
        ("January 1, 2021", "date", "2021-01-01", ""),
        ("1st of January 2021", "date", "2021-01-01", ""),
        ("1 January 2021", "date", "2021-01-01", ""),
        ("May 3rd, 2020", "date", "2020-05-03", ""),
        ("Decree No. 85-986", "article", "85-986", "decree"),
        ("category B", "grade", "B", "category"),
        ("step 3", "grade", "3", "step"),
    ],
)
def test_an_english_fact(text: str, kind: str, value: str, unit: str) -> None:
    assert _plain(text, "en") == {(kind, value, unit)}


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("", "fr"),
        ("Un agent a une question.", "fr"),
        ("Une personne ou un tiers.", "fr"),
        ("En premier lieu, adressez-vous au service.", "fr"),
        ("Un véhicule neuf.", "fr"),
        ("La catégorie a changé.", "fr"),
        ("Chaque mois et chaque année", "fr"),
        ("One of the agents, no one, a third party", "en"),
        ("First of all, you may march.", "en"),
        ("every day of the year", "en"),
    ],
)
def test_words_that_look_like_numbers_hold_no_fact(text: str, language: Language) -> None:
    assert _plain(text, language) == set()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("de 3 à 5 ans", {("duration", "36", "month"), ("duration", "60", "month")}),
        ("entre deux et quatre mois", {("duration", "2", "month"), ("duration", "4", "month")}),
        ("8 à 10 %", {("share", "8", "%"), ("share", "10", "%")}),
        ("12, 24 ou 36 mois", {("duration", str(n), "month") for n in (12, 24, 36)}),
        ("catégories A, B et C", {("grade", letter, "category") for letter in "ABC"}),
        ("articles 34 et 35", {("article", "34", ""), ("article", "35", "")}),
        ("articles L. 1 à L. 3", {("article", "L1", ""), ("article", "L3", "")}),
        ("article 3 ou 2 jours", {("article", "3", ""), ("duration", "2", "day")}),
        ("loi du 11 janvier 1984", {("date", "1984-01-11", "")}),
        ("30 jours à 90 %", {("duration", "30", "day"), ("share", "90", "%")}),
        ("de 2000 à 3000 euros", {("amount", "2000", "EUR"), ("amount", "3000", "EUR")}),
        ("24/7", {("number", "24", "thing"), ("number", "7", "thing")}),
        ("0 avril 2021", {("number", "0", "thing"), ("number", "2021", "thing")}),
        ("45/13/2020", {("number", n, "thing") for n in ("45", "13", "2020")}),
    ],
)
def test_several_facts(text: str, expected: set[tuple[str, str, str]]) -> None:
    assert _plain(text) == expected


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("3 mois", "3 ans"),
        ("25 jours", "25 jours ouvrés"),
        ("25 jours ouvrés", "25 jours ouvrables"),
        ("50 €", "50 %"),
        ("1er janvier 2021", "1er janvier 2022"),
        ("loi n° 84-16", "décret n° 84-16"),
        ("L. 631-4", "R. 631-4"),
        ("1 500 €", "1,5 €"),
        ("catégorie A", "catégorie B"),
        ("3e échelon", "3e groupe"),
    ],
)
def test_different_facts_differ(one: str, other: str) -> None:
    assert not facts(one, "fr") & facts(other, "fr")


@pytest.mark.parametrize(
    ("passage", "said", "borne"),
    [
        ("1er janvier 2021", "en 2021", True),
        ("en 2021", "1er janvier 2021", False),
        ("25 jours ouvrés", "25 jours", True),
        ("25 jours", "25 jours ouvrés", False),
        ("loi n° 84-16", "n° 84-16", True),
        ("n° 84-16", "loi n° 84-16", False),
        ("25 agents", "il y en a 25", True),
        ("25 agents", "25 mois", False),
    ],
)
def test_a_fact_that_says_more_bears_out_one_that_says_less(
    passage: str, said: str, borne: bool
) -> None:
    known = facts(passage, "fr")
    assert all(bears(known, fact) for fact in facts(said, "fr")) == borne


def test_a_bare_number_takes_the_unit_named_around_it() -> None:
    assert Fact("duration", "3", "month") in facts("3", "fr", named="Durée (mois)")
    assert Fact("duration", "3", "month") not in facts("3 agents", "fr", named="Durée (mois)")
    assert Fact("duration", "36", "month") not in facts("3", "fr", named="Durée (mois)")


def test_facts_are_the_same_in_both_languages() -> None:
    french = "Vingt-cinq jours, la moitié, 1er janvier 2021, 1 500 €, 17 h 30, deux ans"
    english = "Twenty-five days, half of it, January 1, 2021, €1,500, 5:30 pm, two years"
    assert facts(french, "fr") == facts(english, "en")


_UNITS = ["", "un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf"]
_TEENS = ["dix", "onze", "douze", "treize", "quatorze", "quinze", "seize"]
_TENS = ["", "", "vingt", "trente", "quarante", "cinquante", "soixante"]


def _spelled(number: int) -> str:
    """Spell a number below a million in French, as in France."""
    if number >= 1000:
        thousands, rest = divmod(number, 1000)
        head = "mille" if thousands == 1 else f"{_spelled(thousands).removesuffix('s')} mille"
        head = re.sub(r"troi mille$", "trois mille", head)
        return f"{head} {_spelled(rest)}" if rest else head
    if number >= 100:
        hundreds, rest = divmod(number, 100)
        head = "cent" if hundreds == 1 else f"{_UNITS[hundreds]} cent"
        if not rest:
            return head if hundreds == 1 else f"{head}s"
        return f"{head} {_spelled(rest)}"
    return _below_a_hundred(number)


def _below_a_hundred(number: int) -> str:
    if number < 10:
        return _UNITS[number] if number else "zéro"
    if number < 20:
        return _TEENS[number - 10] if number < 17 else f"dix-{_UNITS[number - 10]}"
    if number >= 80:
        return f"quatre-vingt-{_below_a_hundred(number - 80)}" if number > 80 else "quatre-vingts"
    tens = 60 if number >= 60 else number // 10 * 10
    rest = number - tens
    head = _TENS[tens // 10]
    if not rest:
        return head
    joint = " et " if rest in (1, 11) else "-"
    return f"{head}{joint}{_below_a_hundred(rest)}"


@given(st.integers(0, 999_999))
@settings(max_examples=400)
def test_a_number_spelled_in_french_is_read_back(number: int) -> None:
    assert to_digits(f"{_spelled(number)} agents", "fr").split()[0] == str(number) or number == 1
    assert ("duration", str(number), "month") in _plain(f"pendant {_spelled(number)} mois")


@given(st.text(max_size=200), st.sampled_from(["fr", "en"]))
def test_any_text_has_facts_and_names(text: str, language: Language) -> None:
    facts(text, language, named=text)
    names(text, language)


_PIECES = """
    de à et ou 3 25 1 000 1234,5 ans mois jours € % un une vingt cinq deux article L. 12-3 1er
    janvier 2021 n° décret - / , . : h 30 catégorie A demi tiers premier ½ ² million pour cent am
"""
_WORDS = st.sampled_from(_PIECES.split())


@given(st.lists(_WORDS, max_size=14), st.sampled_from(["fr", "en"]))
def test_every_digit_belongs_to_a_fact(words: list[str], language: Language) -> None:
    text = " ".join(words)
    if re.search(r"\d", text):
        assert facts(text, language)


@given(st.lists(_WORDS, max_size=14))
def test_more_or_other_spaces_change_no_fact(words: list[str]) -> None:
    expected = facts(" ".join(words), "fr")
    assert facts("\u00a0".join(words), "fr") == expected
    assert facts(" \n ".join(words), "fr") == expected
    assert facts("\u202f".join(words), "fr") == expected


@pytest.mark.parametrize(
    "text",
    [
        "9" * 100_000,
        "[" * 100_000,
        "vingt " * 10_000,
        "a" * 100_000,
        "1 et " * 20_000,
        "article 1" + " et 1" * 20_000,
        "n°" * 50_000,
        " " * 100_000,
        "1/" * 50_000,
        "categorie A, A" * 7_000,
        "\u0301" * 100_000,
        "A " * 50_000,
        "\x00\ud800 1" * 1_000,
    ],
    ids=lambda text: repr(text[:8]),
)
def test_hostile_text_is_read(text: str) -> None:
    found = facts(text, "fr", named=text)
    assert len(found) < 50
    assert len(names(text, "fr")) < 50


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("L'agent écrit à la CPAM.", "fr", {"cpam"}),
        ("Adressez-vous à Jean Dupont, à Lyon.", "fr", {"jean dupont", "lyon"}),
        ("Jean Dupont signe.", "fr", {"jean dupont"}),
        ("Le Conseil d'État décide.", "fr", {"conseil etat"}),
        ("Le congé est accordé. Votre demande suit.", "fr", set()),
        ("Congé accordé aux agents de catégorie A.", "fr", set()),
        ("CET : compte épargne-temps", "fr", {"cet"}),
        ("You and I write to Paris in January.", "en", {"paris"}),
        ("", "fr", set()),
    ],
)
def test_names(text: str, language: Language, expected: set[str]) -> None:
    assert names(text, language) == expected
