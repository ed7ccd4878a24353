"""What a written answer is held to: figures, marks, names, language, words, denial."""

import re
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_slm.i18n import Language
from edge_slm.tasks.hr_faq.checks import Failure, check, unsupported_figures
from edge_slm.tasks.hr_faq.marks import (
    marked_sentences,
    marks,
    marks_inside,
    with_marks,
    without_marks,
)
from edge_slm.tasks.hr_faq.polarity import contradicted


@dataclass(frozen=True)
class _Passage:
    title: str
    section: str
    text: str


_NOTICE = _Passage(
    "Préavis de démission",
    "Durée",
    "Le préavis est de 2 mois après deux ans de services.\n"
    "L'agent en période d'essai n'a pas droit à l'indemnité de départ.\n"
    "Ancienneté | Durée (mois) | Agents\n"
    "Moins de 6 mois | 1 | 40\n"
    "Plus de 10 ans | 4 | 12\n"
    "Délai de réponse (jours) : 8",
)
_LEAVE = _Passage(
    "Congés annuels",
    "",
    "L'agent à temps plein a droit à vingt-cinq jours ouvrés de congé annuel, selon l'article "
    "L. 621-1 et le décret n° 84-972 du 26 octobre 1984.\n"
    "La demande est adressée à Mme Claire Fontaine, au bureau RH de Nantes, avant le 1er mars.\n"
    "Les jours non pris sont versés sur un CET, dans la limite de 60 jours, à 135 € par jour.",
)
_ENGLISH = _Passage(
    "Annual leave",
    "",
    "Full-time staff get 25 working days of annual leave. Leave is not paid out on departure.",
)
_BOTH = (_NOTICE, _LEAVE)


def _failed(answer: str, question: str = "", language: Language = "fr") -> set[str]:
    return {failure.check for failure in check(answer, question, _BOTH, language, "fr")}


@pytest.mark.parametrize(
    "answer",
    [
        "Vous avez droit à 25 jours de congé annuel [2].",
        "Vous avez droit à vingt-cinq jours ouvrés de congé annuel [2].",
        "Le préavis est de deux mois après 2 ans de services [1].",
        "Le préavis est de 2 mois après 24 mois de services [1].",
        "Le préavis est de 4 mois après plus de 10 ans [1].",
        "Le délai de réponse est de 8 jours [1].",
        "La demande est adressée à Claire Fontaine avant le 1er mars [2].",
        "Les jours sont versés sur un CET à 135 euros par jour [2].",
        "L'article L.621-1 et le décret 84-972 le disent [2].",
        "Non, l'agent en période d'essai n'a pas droit à l'indemnité de départ [1].",
        "Le préavis est de 2 mois. [1] La demande est adressée au bureau RH. [2]",
        "Le préavis est de :\n- 1 mois avant 6 mois d'ancienneté [1]\n- 4 mois après 10 ans",
    ],
)
def test_what_the_passages_bear_out_passes(answer: str) -> None:
    assert _failed(answer) == set()


@pytest.mark.parametrize(
    ("answer", "failed"),
    [
        ("Vous avez droit à 26 jours de congé annuel [2].", "duration"),
        ("Vous avez droit à 25 mois de congé annuel [2].", "duration"),
        ("Vous avez droit à 25 jours ouvrables de congé annuel [2].", "duration"),
        ("Le préavis est de 3 mois après 2 ans de services [1].", "duration"),
        ("Le préavis est de 4 ans après 10 ans [1].", "duration"),
        ("Le préavis est de 40 mois après 6 mois [1].", "duration"),
        ("Vous avez droit à 25 jours de congé annuel [1].", "duration"),
        ("Les jours sont versés à 136 € par jour [2].", "amount"),
        ("Les jours sont versés à 135 % par jour [2].", "figure"),
        ("La demande est adressée avant le 1er avril [2].", "date"),
        ("Le décret du 26 octobre 1985 le dit [2].", "date"),
        ("L'article L. 622-1 le dit [2].", "article"),
        ("La loi n° 84-972 le dit [2].", "article"),
        ("La demande est adressée à Paul Martin [2].", "name"),
        ("La demande est adressée à la CPAM [2].", "name"),
        ("L'agent à temps plein a droit à 25 jours.", "citation"),
        ("L'agent à temps plein a droit à 25 jours [3].", "citation"),
        ("L'agent à temps plein a droit à 25 jours [0].", "citation"),
        ("You are entitled to 25 days of annual leave [2].", "language"),
        ("Вы имеете право на отпуск [2].", "language"),
        ("Oui [1].", "words"),
        ("Non [1].", "words"),
        ("Le passeport biométrique coûte cher aux voyageurs étrangers [2].", "words"),
        ("L'agent en période d'essai a droit à l'indemnité de départ [1].", "negation"),
        ("L'agent à temps plein n'a pas droit à un congé annuel [2].", "negation"),
        ("mot " * 300 + "[1]", "length"),
        ("", "length"),
        ("[1]", "length"),
    ],
)
def test_what_the_passages_do_not_bear_out_fails(answer: str, failed: str) -> None:
    assert failed in _failed(answer)


def test_a_failure_names_the_sentence_and_the_figure() -> None:
    (failure,) = check("Le préavis est de 3 mois [1].", "", _BOTH, "fr", "fr")
    assert failure == Failure("duration", "Le préavis est de 3 mois.", "3 mois")


@pytest.mark.parametrize(
    ("question", "answer", "failed"),
    [
        ("J'ai 3 ans, quel préavis ?", "Avec 3 ans, le préavis est de 2 mois [1].", {"duration"}),
        (
            "J'ai 3 ans, quel préavis ?",
            "Le préavis est de 2 mois si vous avez 3 ans [1].",
            {"duration"},
        ),
        ("J'ai 3 ans, quel préavis ?", "Avec 5 ans, le préavis est de 2 mois [1].", {"duration"}),
        ("Ai-je 30 jours de congé ?", "Vous avez droit à 30 jours de congé [2].", {"duration"}),
        ("Combien de congé sur 3 ans ?", "Pour 3 ans, le congé est un droit [2].", {"duration"}),
        ("Ai-je un congé sur 3 ans ?", "Pour 3 ans, le congé est un droit [2].", {"duration"}),
        ("Le congé de Zoé ?", "La demande de congé de Zoé est adressée au bureau RH [2].", set()),
    ],
)
def test_a_figure_of_the_question_is_held_to_the_passages_like_any_other(
    question: str, answer: str, failed: set[str]
) -> None:
    assert _failed(answer, question) == failed


@pytest.mark.parametrize(
    ("answer", "failed"),
    [
        ("You are entitled to twenty-five days of annual leave [2].", set()),
        ("Send it to Claire Fontaine before March 1st [2].", set()),
        ("You are entitled to twenty-six days of annual leave [2].", {"duration"}),
        ("Send it to Paul Martin [2].", {"name"}),
        ("L'agent à temps plein a droit à 25 jours [2].", {"language"}),
    ],
)
def test_an_english_answer_over_french_passages(answer: str, failed: set[str]) -> None:
    assert _failed(answer, "How many days?", "en") == failed


@pytest.mark.parametrize(
    ("answer", "failed"),
    [
        ("You get twenty-five working days of annual leave [1].", set()),
        ("Annual leave is paid out on departure [1].", {"negation"}),
        ("Full-time staff get 25 calendar days of annual leave [1].", {"duration"}),
    ],
)
def test_an_english_answer_over_english_passages(answer: str, failed: set[str]) -> None:
    assert {one.check for one in check(answer, "", [_ENGLISH], "en", "en")} == failed


def test_without_passages_nothing_is_borne_out() -> None:
    failed = {one.check for one in check("Le préavis est de 2 mois [1].", "", [], "fr", "fr")}
    assert {"citation", "duration", "words"} <= failed


@pytest.mark.parametrize("sentence", [line for p in _BOTH for line in p.text.splitlines()])
def test_a_line_of_a_passage_passes_with_its_mark(sentence: str) -> None:
    number = 1 if sentence in _NOTICE.text else 2
    assert check(f"{sentence} [{number}]", "", _BOTH, "fr", "fr") == ()


_NUMBERS = st.lists(st.integers(10, 99), min_size=1, max_size=3, unique=True)
_SHAPES = st.sampled_from(
    [
        "Le délai est de {} jours",
        "la prime atteint {} €",
        "le taux est fixé à {} %",
        "l'article L. {} s'applique",
        "elle est versée pendant {} mois",
        "le service compte {} agents",
        "il est au {}e rang",
    ]
)


@given(st.data(), _NUMBERS)
def test_a_copied_sentence_passes_and_one_with_another_digit_fails(
    data: st.DataObject, numbers: list[int]
) -> None:
    parts = [data.draw(_SHAPES).format(number) for number in numbers]
    sentence = " et ".join(parts)
    passage = _Passage("Règles", "", f"{sentence}.")
    assert check(f"{sentence} [1].", "", [passage], "fr", "fr") == ()
    assert unsupported_figures(f"{sentence} [1].", [passage]) == []
    places = [place for place, char in enumerate(sentence) if char.isdigit()]
    place = data.draw(st.sampled_from(places))
    digit = data.draw(st.sampled_from("0123456789"))
    changed = sentence[:place] + digit + sentence[place + 1 :]
    if set(re.findall(r"\d+", changed)) <= set(re.findall(r"\d+", sentence)):
        return
    assert check(f"{changed} [1].", "", [passage], "fr", "fr")
    assert unsupported_figures(f"{changed} [1].", [passage])


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("Le préavis est de 2 mois [1].", []),
        ("Le préavis est de 3 mois [1].", ["3 mois"]),
        ("Le préavis est de 2 mois.", ["2 mois"]),
        ("Le préavis est de 2 mois [2].", ["2 mois"]),
        ("Avec 3 ans, le préavis est de 2 mois [1].", ["3 ans"]),
        ("Le congé est un droit.", []),
        ("", []),
    ],
)
def test_the_audit_counts_every_figure_that_the_cited_passages_lack(
    answer: str, expected: list[str]
) -> None:
    assert unsupported_figures(answer, _BOTH) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Oui [1].", [1]),
        ("Oui [1, 2] et [3].", [1, 2, 3]),
        ("Oui [2][1].", [1, 2]),
        ("Oui [1-3].", [1, 2, 3]),
        ("Oui [1 et 2].", [1, 2]),
        ("Oui [ 1 ].", [1]),
        ("Oui [sic], [1a], [], [1234], 12.", []),
        ("[900-901] [1-900]", [1, 900, 901]),
    ],
)
def test_marks(text: str, expected: list[int]) -> None:
    assert marks(text) == expected


def test_marks_are_taken_out_with_the_space_before_them() -> None:
    assert without_marks("Oui [1], non\u00a0[2][3].") == "Oui, non."
    assert without_marks("Oui [sic].") == "Oui [sic]."


@pytest.mark.parametrize(
    ("sentence", "numbers", "expected"),
    [
        ("Oui.", [1, 2], "Oui [1][2]."),
        ("Oui !", [1], "Oui [1] !"),
        ("Oui", [3], "Oui [3]"),
        ("Oui.", [], "Oui."),
        ("", [1], " [1]"),
    ],
)
def test_marks_are_put_before_the_full_stop(
    sentence: str, numbers: list[int], expected: str
) -> None:
    assert with_marks(sentence, numbers) == expected


def test_marks_after_a_full_stop_belong_to_the_sentence_before() -> None:
    assert marks_inside("Il a 2 mois. [1] Puis non. [2][3]") == "Il a 2 mois [1]. Puis non [2][3]."
    found = marked_sentences("Il a 2 mois. [1] Puis non ! [2]")
    assert [(one.text, one.marks) for one in found] == [
        ("Il a 2 mois.", (1,)),
        ("Puis non !", (2,)),
    ]


def test_the_items_of_a_list_share_the_marks_of_what_leads_to_them() -> None:
    found = marked_sentences("Il faut [2] :\n- un acte ;\n- un relevé [1].\nPuis rien.")
    assert [one.marks for one in found] == [(2,), (2,), (1,), ()]


@given(st.text(alphabet="[]()0123456789,;- .!aA\n\u00a0", max_size=120))
def test_any_marks_are_read(text: str) -> None:
    assert marks(without_marks(text)) == [] or "[" in text
    assert all(number >= 0 for number in marks(marks_inside(text)))


@given(st.text(max_size=200), st.text(max_size=80), st.text(max_size=200))
def test_any_answer_is_checked(answer: str, question: str, passage: str) -> None:
    check(answer, question, [_Passage("", "", passage)], "fr", "fr")
    check(f"{answer} [1]", question, [_Passage("", "", passage)], "en", "fr")
    unsupported_figures(f"{answer} [1]", [_Passage("", "", passage)])


@pytest.mark.parametrize(
    "text",
    [
        "[1" * 30_000,
        "[1]" * 30_000,
        "si " * 30_000 + ",",
        "«" * 50_000,
        ". " * 40_000,
        "ne pas " * 15_000,
    ],
    ids=lambda text: repr(text[:8]),
)
def test_hostile_answers_and_passages_are_checked(text: str) -> None:
    assert check(text, text, [_Passage(text, "", text)], "fr", "fr") is not None
    assert check(text[:500] + " [1]", "", [_Passage("", "", text)], "fr", "fr") is not None


# (sentence of an answer, passage, whether one denies the other), by hand.
_DENIALS = [
    ("L'agent a droit à la prime.", "L'agent n'a pas droit à la prime.", True),
    ("L'agent n'a pas droit à la prime.", "L'agent a droit à la prime.", True),
    ("Le congé est rémunéré.", "Le congé n'est pas rémunéré.", True),
    ("Le congé n'est plus rémunéré.", "Le congé est rémunéré.", True),
    ("L'avis médical est obligatoire.", "L'avis médical n'est jamais obligatoire.", True),
    ("Aucun justificatif n'est demandé à l'agent.", "Un justificatif est demandé à l'agent.", True),
    ("La démission peut être refusée.", "La démission ne peut être refusée.", True),
    ("Le congé est accordé sans délai.", "Le congé est accordé sans délai.", False),
    ("L'agent n'a droit qu'à une prime.", "L'agent a droit à une prime.", False),
    ("L'agent a droit à la prime.", "L'agent n'a droit qu'à la prime annuelle.", False),
    ("Le congé n'est pas rémunéré.", "Le congé n'est pas rémunéré pour les stagiaires.", False),
    ("Le stage est payé.", "Le congé n'est pas rémunéré.", False),
    (
        "Les jours suivants sont rémunérés.",
        "Le premier jour n'est pas rémunéré. Les jours suivants sont rémunérés.",
        False,
    ),
    (
        "Le congé est rémunéré.",
        "Le congé est rémunéré, sauf s'il n'est pas rémunéré par décision.",
        False,
    ),
    ("L'agent doit prévenir son chef.", "L'agent doit prévenir son chef sans attendre.", False),
]


@pytest.mark.parametrize(("sentence", "passage", "denies"), _DENIALS)
def test_a_denial_is_told(sentence: str, passage: str, denies: bool) -> None:
    assert (contradicted(sentence, [passage], "fr") is not None) == denies


@pytest.mark.parametrize(
    ("sentence", "passage", "denies"),
    [
        ("The leave is paid.", "The leave is not paid.", True),
        ("The leave isn't paid to trainees.", "The leave is paid to trainees.", True),
        ("Trainees get no leave allowance.", "Trainees get a leave allowance.", True),
        ("The leave is not only paid but long.", "The leave is paid and long.", False),
        ("No later than the deadline, staff apply.", "Staff apply by the deadline.", False),
    ],
)
def test_an_english_denial_is_told(sentence: str, passage: str, denies: bool) -> None:
    assert (contradicted(sentence, [passage], "en") is not None) == denies
