"""Asks one short question when near-twin passages answer differently.

Rules differ by branch of the civil service, by status, by category: fiches come in twos and threes
that differ in one word of their title or section. When the best passage has such a twin, their
figures differ, and the question does not say which is meant, an answer from either is a guess.
"""

import re
from collections.abc import Sequence, Set
from dataclasses import dataclass
from functools import cache

from edge_slm.i18n import Language
from edge_slm.kb.lexical import stems
from edge_slm.kb.search import Hit
from edge_slm.kb.vocabulary import flat
from edge_slm.tasks.hr_faq.asking import wants_figure
from edge_slm.text import figures, sentences

NEAR = 0.75  # of the best passage's score: under it, a twin is not what was asked about
ALIKE = 0.75  # share of the words of two places that are the same, but for the dimension's
PARALLEL = 0.5  # share of the words of two sentences that say the same thing
LOOKED_AT = 8  # passages
# Everybody in the civil service is an agent: these tell no place from another.
_GENERAL = frozenset(stems("agent public publique fonction civil service servant fp", "fr"))


@dataclass(frozen=True)
class Value:
    """One side of a dimension.

    Attributes:
        fr, en: what it is called in each language.
        marks: pattern of the titles and sections that are about it, folded, both languages.
        cues: pattern of what people say who mean it, besides the marks.
    """

    fr: str
    en: str
    marks: str
    cues: str


@dataclass(frozen=True)
class Dimension:
    """In what rules differ, and the question that settles it, in each language."""

    name: str
    fr: str
    en: str
    values: tuple[Value, ...]


DIMENSIONS = (
    Dimension(
        "branch",
        "De quelle fonction publique relevez-vous ?",
        "Which branch of the civil service do you work in?",
        (
            Value(
                "fonction publique d'État",
                "State civil service",
                r"\bfpe\b|\bd'etat\b|^etat\b|\bde l'etat\b|\bstate\b",
                r"\betat\b|\bministere\b|\bprefecture\b|\bmagistrat\w*|\benseignant\w*|"
                r"\bprofesseur\w*|\bmilitaire\w*|\bministry\b",
            ),
            Value(
                "fonction publique territoriale",
                "local civil service",
                r"\bfpt\b|\bterritorial\w*|\blocal civil\b|\blocal government\b",
                r"\bcollectivites?\b|\bmairie\b|\bcommunes?\b|\bdepartemental\w*|\bregional\w*|"
                r"\batsem\b|\bepci\b|\btown hall\b|\bcouncil\b",
            ),
            Value(
                "fonction publique hospitalière",
                "hospital civil service",
                r"\bfph\b|\bhospitali\w+|\bhospital\b",
                r"\bhopita\w+|\behpad\b|\binfirmi\w+|\baide-soignant\w*|\bchu\b|\bnurse\w*",
            ),
        ),
    ),
    Dimension(
        "status",
        "Êtes-vous fonctionnaire ou contractuel ?",
        "Are you a permanent civil servant or on contract?",
        (
            Value(
                "fonctionnaire titulaire",
                "permanent civil servant",
                r"\bfonctionnaires?\b(?! stagiaire)|(?<!non )(?<!non-)\btitulaires?\b|"
                r"\bpermanent\b",
                r"\btitularise\w*",
            ),
            Value(
                "agent contractuel",
                "contract agent",
                r"\bcontractuel\w*|\bnon[ -]titulaires?\b|\bcontract (?:agent|staff|employee)s?\b",
                r"\bcdd\b|\bcdi\b|\bvacataires?\b|\bmon contrat\b|\bmy contract\b",
            ),
            Value(
                "fonctionnaire stagiaire",
                "probationary civil servant",
                r"\bstagiaires?\b|\bprobation\w*",
                r"\bmon stage\b",
            ),
        ),
    ),
    Dimension(
        "category",
        "De quelle catégorie êtes-vous : A, B ou C ?",
        "Which category are you in: A, B or C?",
        tuple(
            Value(
                f"catégorie {letter.upper()}",
                f"category {letter.upper()}",
                rf"\b(?:categorie|category) {letter}\b",
                rf"\bcat\.? ?{letter}\b",
            )
            for letter in "abc"
        ),
    ),
    Dimension(
        "time",
        "Travaillez-vous à temps plein ou à temps partiel ?",
        "Do you work full time or part time?",
        (
            Value(
                "temps plein",
                "full time",
                r"\btemps (?:plein|complet)\b|\bfull[ -]time\b",
                r"\b100 ?%",
            ),
            Value(
                "temps partiel",
                "part time",
                r"\btemps (?:partiel|non complet|incomplet)\b|\bpart[ -]time\b",
                r"\bmi-temps\b|\b[5-9]\d ?%|\bhalf[ -]time\b",
            ),
        ),
    ),
)


@dataclass(frozen=True)
class Choice:
    """A possible reply: what is shown, and what is then added to the question."""

    label: str
    added: str


@dataclass(frozen=True)
class Clarification:
    """The question to ask back, and its possible replies."""

    dimension: str
    text: str
    choices: tuple[Choice, ...]

    def completed(self, question: str, choice: Choice) -> str:
        """Return the question with what the reply adds."""
        return f"{question.rstrip(' ?')} ({choice.added}) ?"


def clarification(question: str, hits: Sequence[Hit], language: Language) -> Clarification | None:
    """Return the question to ask back, or None when the passages leave nothing to settle.

    Args:
        question: the question.
        hits: passages of one base, best first.
        language: language to ask in; passages may be in either.
    """
    if len(hits) < 2 or not wants_figure(question):
        return None
    said = flat(question)
    for dimension in DIMENSIONS:
        if any(_pattern(f"{value.marks}|{value.cues}").search(said) for value in dimension.values):
            continue
        values = _differing(question, hits[:LOOKED_AT], dimension, language)
        if len(values) > 1:
            return Clarification(
                dimension.name,
                dimension.fr if language == "fr" else dimension.en,
                tuple(
                    Choice(value.fr if language == "fr" else value.en, value.fr)
                    for value in dimension.values
                    if value in values
                ),
            )
    return None


def _differing(
    question: str, hits: Sequence[Hit], dimension: Dimension, language: Language
) -> set[Value]:
    """Return the values of the best passage and of its twins, if any twin's figures differ."""
    best = hits[0]
    value = _value(best, dimension)
    if value is None:
        return set()
    line = _answering(question, best, language)
    twins = _twins(best, hits[1:], dimension, language)
    twins.pop(value, None)
    said = figures(line)
    for twin in twins.values():
        told = figures(_parallel(line, twin, language) or _answering(question, twin, language))
        if said and told and said != told:
            return {value, *twins}
    return set()


def _twins(
    best: Hit, hits: Sequence[Hit], dimension: Dimension, language: Language
) -> dict[Value, Hit]:
    """Return, for each value, the passage whose place is most like the best one's."""
    place = _place(best, dimension, language)
    found: dict[Value, tuple[float, Hit]] = {}
    for hit in hits:
        value = _value(hit, dimension)
        likeness = _shared(place, _place(hit, dimension, language))
        if value is None or likeness < ALIKE or hit.score < NEAR * best.score:
            continue
        if value not in found or likeness > found[value][0]:
            found[value] = likeness, hit
    return {value: hit for value, (_, hit) in found.items()}


def _value(hit: Hit, dimension: Dimension) -> Value | None:
    """Return the value that a passage's section, else its title, is about; None for several."""
    for text in (flat(hit.section), flat(hit.title)):
        held = [value for value in dimension.values if _pattern(value.marks).search(text)]
        if held:
            return held[0] if len(held) == 1 else None
    return None


def _place(hit: Hit, dimension: Dimension, language: Language) -> frozenset[str]:
    """Return the stems of a passage's title and section, without the dimension's own words."""
    text = flat(f"{hit.title} {hit.section}")
    for value in dimension.values:
        text = _pattern(value.marks).sub(" ", text)
    return frozenset(stems(text, language)) - _GENERAL


def _answering(question: str, hit: Hit, language: Language) -> str:
    """Return the sentence of a passage that has most words of the question, a figure first."""
    asked = set(stems(question, language))

    def fit(line: str) -> tuple[float, int]:
        return len(asked & set(stems(line, language))) + bool(figures(line)), -len(line)

    return max(sentences(hit.text), key=fit, default="")


def _parallel(line: str, hit: Hit, language: Language) -> str:
    """Return the sentence of a passage that says the same as a line but for its figures, or ""."""
    words = _words(line, language)
    best = max(
        sentences(hit.text), key=lambda other: _shared(words, _words(other, language)), default=""
    )
    return best if _shared(words, _words(best, language)) >= PARALLEL else ""


def _words(line: str, language: Language) -> frozenset[str]:
    return frozenset(word for word in stems(line, language) if not word.isdigit())


def _shared(one: Set[str], other: Set[str]) -> float:
    return len(one & other) / len(one | other) if one | other else 1.0


@cache
def _pattern(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)
