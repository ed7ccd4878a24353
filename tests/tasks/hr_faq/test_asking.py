"""What a question asks for: a figure, a yes or no, a unit; and what a sentence denies."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_slm.tasks.hr_faq.asking import denies, units, wants_figure, wants_verdict

FIGURE = [
    "Combien de jours ?",
    "À partir de quand ?",
    "Jusqu'à quelle date ?",
    "jusqu’à quand puis-je poser mes congés",
    "Quelle est la durée du congé ?",
    "Quel est le montant de la prime ?",
    "Quels sont les délais ?",
    "Quels montants et quelles dates ?",
    "QUEL PRÉAVIS POUR UNE DÉMISSION ?",
    "c'est quoi le plafond du CET",
    "À quel âge part-on ?",
    "How many days?",
    "How long is the notice?",
    "When is it due?",
    "What is the amount?",
]
NO_FIGURE = ["", "?", "Qui signe ?", "Comment faire ?", "Who signs?", "Où déposer ma demande ?"]
VERDICT = [
    "Ai-je droit à un congé ?",
    "Est-ce que je peux télétravailler ?",
    "Est-ce qu'un stagiaire peut démissionner ?",
    "Un contractuel peut-il cumuler deux emplois ?",
    "Faut-il que mon chef signe ?",
    "Le congé est-il payé lorsque je suis malade ?",
    "Peut-on refuser parce que le service est fermé ?",
    "Can I work from home?",
    "Is the leave paid?",
]
NO_VERDICT = [
    "",
    "Ai-je droit à un congé",  # nothing asks
    "Combien de jours ?",
    "Quelle pièce fournir ?",
    "Qui décide ?",
    "Où dois-je envoyer la demande ?",
    "Que faire en cas de refus ?",
    "Pourquoi mon congé est-il refusé ?",
    "Le délai est-il dépassé ?",  # a figure comes first
    "How do I apply?",
    "Who decides?",
]
DENIES = [
    "Un stagiaire n'a pas droit à ce congé.",
    "Ce congé n’est jamais payé.",
    "Le service ne peut plus le refuser.",
    "Il n'existe aucun recours.",
    "Aucune pièce n'est demandée.",
    "Le cumul est interdit.",
    "Les vacataires sont exclus.",
    "Le report est impossible.",
    "Ce congé ne s'applique pas aux vacataires.",
    "Il ne l’obtient que rarement et n'y a pas droit.",
    "Ce délai ne peut en aucun cas s'y ajouter.",
    "Il n'en est pas tenu compte.",
    "The leave is not paid.",
    "You cannot carry it over.",
]
AFFIRMS = [
    "",
    "Un stagiaire a droit à ce congé.",
    "Le service peut le refuser.",
    "Au plus tard le 31 décembre.",
    "Il note chaque pas.",
    "Le service ne retient que cinq jours.",
    "The notice is paid.",
]


@pytest.mark.parametrize("question", FIGURE)
def test_a_question_for_a_figure(question: str) -> None:
    assert wants_figure(question)
    assert not wants_verdict(question)


@pytest.mark.parametrize("question", NO_FIGURE)
def test_a_question_for_something_else(question: str) -> None:
    assert not wants_figure(question)


@pytest.mark.parametrize("question", VERDICT)
def test_a_question_for_a_yes_or_a_no(question: str) -> None:
    assert wants_verdict(question)
    assert not wants_figure(question)


@pytest.mark.parametrize("question", NO_VERDICT)
def test_a_question_that_a_yes_does_not_answer(question: str) -> None:
    assert not wants_verdict(question)


@pytest.mark.parametrize("sentence", DENIES)
def test_a_sentence_that_denies(sentence: str) -> None:
    assert denies(sentence)


@pytest.mark.parametrize("sentence", AFFIRMS)
def test_a_sentence_that_does_not_deny(sentence: str) -> None:
    assert not denies(sentence)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", set()),
        ("25 jours ouvrés", {"jour"}),
        ("deux ans, soit une année", {"an"}),
        ("six mois ou 3 semaines", {"mois", "semaine"}),
        ("9,50 €", {"euro"}),
        ("cent euros par mois", {"euro", "mois"}),
        ("7 HEURES PAR JOUR", {"heure", "jour"}),
        ("les agents d'Angers", set()),
        ("l'âge des agents", {"age"}),
        ("two weeks, three months, one hour", {"week", "month", "hour"}),
    ],
)
def test_units(text: str, expected: set[str]) -> None:
    assert units(text) == expected


HOSTILE = [
    "ne " * 33_000,
    "n'" * 50_000,
    "ne " + "a" * 100_000,
    "ne a a a a " * 9_000,
    "quel est le " * 8_000,
    "quel a a " * 11_000,
    "a partir de " * 8_000,
    "est-ce qu" * 11_000 + "?",
    "?" * 100_000,
    "’" * 100_000,
    "œ" * 100_000,
    "\0" * 100_000,
    "🙂" * 25_000,
    "é\u0301" * 50_000,
    " " * 100_000,
    "\ud800" * 100_000,
]


@pytest.mark.parametrize("text", HOSTILE, ids=[ascii(text[:12]) for text in HOSTILE])
def test_a_hundred_kilobytes_are_read(text: str) -> None:
    # What is repeated asks for no figure and denies nothing; what comes after it still does.
    assert not wants_figure(text)
    assert not denies(text)
    assert wants_verdict(text) == ("?" in text)
    assert denies(f"{text} Ce congé n'est pas payé.")
    assert wants_figure(f"{text} Combien ?")
    assert units(text) == set()


@given(st.text(st.characters(exclude_categories=())))
def test_no_text_is_an_error(text: str) -> None:
    assert {type(wants_figure(text)), type(wants_verdict(text)), type(denies(text))} == {bool}
    assert not (wants_figure(text) and wants_verdict(text))
    assert len(units(text)) <= len(text)
