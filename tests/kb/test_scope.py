"""Whom a question is about, whether only one office can answer it, and the years it names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_slm.kb.scope import is_outside, is_personal, years
from edge_slm.kb.vocabulary import CIVIL_SERVICE

OUTSIDE = [
    "Un salarié peut-il démissionner ?",
    "Une SALARIÉE enceinte a-t-elle droit à un congé ?",
    "Mon patron refuse mes vacances.",
    "Que dit le code du travail ?",
    "Dans le secteur privé, quel préavis ?",
    "Comment saisir les prud’hommes ?",
    "Quelle convention collective s'applique ?",
    "Quel contrat pour un intérimaire ?",
    "Comment les professionnels déclarent-ils ?",
    "Does the labour code apply?",
    "How do companies pay?",
    "I am self-employed",
]
INSIDE = [
    "",
    "?",
    "Un agent peut-il démissionner ?",
    "Combien de jours de congés annuels ?",
    "Un salarié peut-il entrer dans la fonction publique ?",
    "Does a company's employee keep seniority in the civil service?",
    "Puis-je avoir un accompagnement ?",
    "L'entretien professionnel est-il annuel ?",
    "How many days of leave?",
]
PERSONAL = [
    "Combien de jours me reste-t-il ?",
    "Il me reste combien de RTT ?",
    "Où en est mon dossier ?",
    "Quel est mon solde de congés ?",
    "Ma demande a été acceptée ?",
    "Qui est le chef de mon service ?",
    "J'ai perdu mon mot de passe.",
    "How many days do I have left?",
    "Is my request approved?",
    "Who is our head of department?",
]
GENERAL = [
    "",
    "Combien de jours reste-t-il à un agent qui part en cours d'année ?",
    "Qui est le supérieur hiérarchique ?",
    "Comment faire une demande de congé ?",
    "How do I request leave?",
]
FR, EN = CIVIL_SERVICE["fr"], CIVIL_SERVICE["en"]


@pytest.mark.parametrize("question", OUTSIDE)
def test_a_question_about_the_private_sector_is_outside(question: str) -> None:
    assert is_outside(question, "fr", FR)
    assert is_outside(question, "en", EN)


@pytest.mark.parametrize("question", INSIDE)
def test_another_question_is_not(question: str) -> None:
    assert not is_outside(question, "fr", FR)
    assert not is_outside(question, "en", EN)


@pytest.mark.parametrize("audience", ["", "entreprises", "fonction publique territoriale", EN])
def test_a_base_for_others_shuts_nobody_out(audience: str) -> None:
    assert not any(is_outside(question, "fr", audience) for question in OUTSIDE)


@pytest.mark.parametrize("question", PERSONAL)
def test_what_only_ones_own_file_tells_is_personal(question: str) -> None:
    assert is_personal(question)


@pytest.mark.parametrize("question", GENERAL)
def test_what_a_rule_tells_is_not(question: str) -> None:
    assert not is_personal(question)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", set()),
        ("en 2024 et en 2026", {"2024", "2026"}),
        ("l'année 2024-2025.", {"2024", "2025"}),
        ("le 01/09/2023,", {"2023"}),
        ("le décret n° 85-1250 de 1985", {"1985"}),
        ("1980 2099", {"1980", "2099"}),
        ("1979, 2100, 1789", set()),
        ("12024 20245 2024,50 1.2024", set()),
        ("2024 € 2 024", {"2024"}),
    ],
)
def test_years(text: str, expected: set[str]) -> None:
    assert years(text) == expected


@given(st.text(st.characters(exclude_categories=())))
def test_no_text_is_an_error(text: str) -> None:
    assert is_outside(text, "fr", FR) in (True, False)
    assert is_personal(text) in (True, False)
    assert all(len(year) == 4 and year in text for year in years(text))


HOSTILE = ["qui est a a a ", "quel est le ", "ou en ", "micro-", "2024,", "20", "me reste", "\0"]


@pytest.mark.parametrize("unit", HOSTILE)
def test_a_hundred_kilobytes_are_read(unit: str) -> None:
    text = unit * (100_000 // len(unit))
    assert not is_outside(text, "fr", FR)
    assert not is_personal(text)
    assert is_outside(f"{text} salarié", "fr", FR)
    assert is_personal(f"{text} mot de passe")
    assert years(f"{text} en 2031") >= {"2031"}
