"""Asking back: only where near-twin passages differ in their figures and nobody said which."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_slm.kb.search import Hit
from edge_slm.tasks.hr_faq.clarifying import DIMENSIONS, clarification

QUESTION = "Combien de jours puis-je garder sur mon compte ?"
STATE = "Compte de jours dans la fonction publique d'État (FPE)"
LOCAL = "Compte de jours dans la fonction publique territoriale (FPT)"
HOSPITAL = "Compte de jours dans la fonction publique hospitalière (FPH)"


def hit(title: str, text: str, score: float = 0.9, section: str = "Plafond") -> Hit:
    return Hit("rh", 1, title, title, 1, section, text, score)


def keeps(days: int) -> str:
    return f"Le compte est ouvert à tous. Un agent peut garder {days} jours sur son compte."


def test_twins_whose_figures_differ_are_told_apart() -> None:
    hits = [hit(STATE, keeps(60)), hit(LOCAL, keeps(70), 0.85), hit(HOSPITAL, keeps(60), 0.8)]
    asked = clarification(QUESTION, hits, "fr")
    assert asked
    assert asked.dimension == "branch"
    assert [choice.label for choice in asked.choices] == [
        "fonction publique d'État",
        "fonction publique territoriale",
        "fonction publique hospitalière",
    ]
    completed = asked.completed(QUESTION, asked.choices[1])
    assert completed.endswith("sur mon compte (fonction publique territoriale) ?")
    assert clarification(completed, hits, "fr") is None


def test_it_asks_in_english_and_adds_the_documents_words() -> None:
    hits = [hit(STATE, keeps(60)), hit(LOCAL, keeps(70))]
    asked = clarification("How many days may I keep on my account?", hits, "en")
    assert asked
    assert asked.text.endswith("?")
    assert asked.choices[0].label == "State civil service"
    assert asked.choices[0].added == "fonction publique d'État"


@pytest.mark.parametrize(
    ("sections", "name"),
    [
        (("Titulaire > Préavis", "Contractuel > Préavis"), "status"),
        (("Fonctionnaire > Préavis", "Agent non titulaire > Préavis"), "status"),
        (("Catégorie A > Prime", "Catégorie B > Prime"), "category"),
        (("Temps plein > Congés", "Temps partiel > Congés"), "time"),
        (("Territoriale (FPT) > Durée", "Hospitalière (FPH) > Durée"), "branch"),
    ],
)
def test_sections_of_one_document_are_twins_too(sections: tuple[str, str], name: str) -> None:
    hits = [
        hit("Une fiche", "Le délai est de 2 mois.", 0.9, sections[0]),
        hit("Une fiche", "Le délai est de 4 mois.", 0.8, sections[1]),
    ]
    asked = clarification("Quel est le délai ?", hits, "fr")
    assert asked
    assert asked.dimension == name
    assert len(asked.choices) == 2


@pytest.mark.parametrize(
    "question",
    [
        "Je suis à la mairie : combien de jours sur mon compte ?",
        "Agent hospitalier, combien de jours sur mon compte ?",
        "À l'État, combien de jours sur mon compte ?",
        "FPT : combien de jours sur mon compte ?",
        "Comment ouvrir un compte ?",
        "",
    ],
)
def test_a_question_that_says_which_or_wants_no_figure_is_not_asked_back(question: str) -> None:
    hits = [hit(STATE, keeps(60)), hit(LOCAL, keeps(70))]
    assert clarification(question, hits, "fr") is None


@pytest.mark.parametrize(
    "hits",
    [
        [],
        [hit(STATE, keeps(60))],
        [hit(STATE, keeps(60)), hit(LOCAL, keeps(60))],
        [hit(STATE, keeps(60)), hit(LOCAL, keeps(70), 0.3)],
        [hit(STATE, keeps(60)), hit(STATE, keeps(70))],
        [hit(STATE, keeps(60)), hit(LOCAL, keeps(70), section="Décès de l'agent")],
        [hit(STATE, keeps(60)), hit("Primes de nuit de la territoriale", keeps(70))],
        [hit("Compte de jours", keeps(60)), hit(LOCAL, keeps(70))],
        [hit(f"{STATE} et {LOCAL}", keeps(60)), hit(LOCAL, keeps(70))],
        [hit(STATE, keeps(60)), hit(LOCAL, "Le conseil délibère sur le compte.")],
        [hit(STATE, ""), hit(LOCAL, "")],
    ],
)
def test_passages_that_leave_nothing_to_settle(hits: list[Hit]) -> None:
    assert clarification(QUESTION, hits, "fr") is None


def test_the_nearest_twin_is_compared() -> None:
    """Another section of the twin document has other figures, the same section has not."""
    hits = [
        hit(STATE, keeps(60)),
        hit(LOCAL, "Ce compte, dit de jours, a 12 mois.", 0.89, "Plafond en congé"),
        hit(LOCAL, keeps(60), 0.8),
    ]
    assert clarification(QUESTION, hits, "fr") is None


def test_every_dimension_speaks_both_languages() -> None:
    for dimension in DIMENSIONS:
        assert dimension.fr.endswith(" ?")
        assert dimension.en.endswith("?")
        assert len({value.fr for value in dimension.values}) == len(dimension.values) > 1
        assert len({value.en for value in dimension.values}) == len(dimension.values)


TEXTS = st.sampled_from([STATE, LOCAL, "Titulaire", "Contractuel", keeps(3), "a | b\n1 | 2"])


@given(st.text(max_size=60), st.lists(st.builds(hit, TEXTS | st.text(max_size=20), TEXTS)))
def test_any_passages_are_compared(question: str, hits: list[Hit]) -> None:
    asked = clarification(f"combien {question}", hits, "fr")
    assert asked is None or len(asked.choices) > 1
