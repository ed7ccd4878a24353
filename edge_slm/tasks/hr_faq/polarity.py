"""Whether a sentence denies what a passage affirms, or the reverse.

Compares the words that a negation bears on, in one language. It sees “n'a pas droit” against “a
droit”; it does not see opposites (“interdit”, “autorisé”), nor who is meant.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from edge_slm.i18n import Language
from edge_slm.kb.lexical import stems
from edge_slm.text import fold, sentences

NEAR = 0.5  # share of a sentence's stems that the passage's sentence must hold to be compared
FEWEST = 2  # stems in common, likewise

_WORD = re.compile(r"[^\W\d_]+")
_REACH = 3  # words after a negation that it may bear on
_FRENCH_SECOND = {
    "pas",
    "plus",
    "jamais",
    "aucun",
    "aucune",
    "nul",
    "nulle",
    "ni",
    "point",
    "guere",
}
_FRENCH_FIRST = {"aucun", "aucune", "nul", "nulle", "rien", "personne"}
_FRENCH_ALONE = {"peut", "peuvent", "saurait", "sauraient"}  # “ne peut excéder” denies without pas
_ENGLISH = {"not", "cannot", "never", "neither", "nor", "without"}
_APART = 5  # words between “ne” and “pas”


@dataclass(frozen=True)
class Polarity:
    """The stems of a sentence, and those it denies and affirms."""

    stems: frozenset[str]
    denied: frozenset[str]
    affirmed: frozenset[str]


def contradicted(sentence: str, passages: Sequence[str], language: Language) -> str | None:
    """Return the word on which a sentence says the contrary of its nearest passage, or None.

    Args:
        sentence: a sentence of an answer.
        passages: texts of the passages that it cites.
        language: language of both.
    """
    said = _polarity(sentence, language)
    if not said.stems:
        return None
    held = [polarity for text in passages for polarity in _polarities(text, language)]
    least = max(FEWEST, NEAR * len(said.stems))
    near = [other for other in held if len(said.stems & other.stems) >= least]
    if not near:
        return None
    nearest = max(_alike(said, other) for other in near)
    words = [_contrary(said, other) for other in near if _alike(said, other) == nearest]
    if not all(words):
        return None
    word = words[0]
    if word in said.denied and any(word in other.denied for other in held):
        return None
    return word


def _alike(one: Polarity, other: Polarity) -> float:
    return len(one.stems & other.stems) / len(one.stems | other.stems)


def _contrary(one: Polarity, other: Polarity) -> str | None:
    def only_denied(polarity: Polarity) -> frozenset[str]:
        return polarity.denied - polarity.affirmed

    def only_affirmed(polarity: Polarity) -> frozenset[str]:
        return polarity.affirmed - polarity.denied

    contrary = (only_denied(one) & only_affirmed(other)) | (only_affirmed(one) & only_denied(other))
    return min(contrary) if contrary else None


@lru_cache(maxsize=64)
def _polarities(text: str, language: Language) -> tuple[Polarity, ...]:
    return tuple(_polarity(sentence, language) for sentence in sentences(text))


def _polarity(sentence: str, language: Language) -> Polarity:
    text = re.sub(r"n['’]t\b", " not", sentence)
    words = _WORD.findall(text)
    folded = [fold(word) for word in words]
    denies = _french if language == "fr" else _english
    inside = {place for first, last in denies(folded) for place in range(first, last)}
    denied: list[str] = []
    affirmed: list[str] = []
    for place, word in enumerate(words):
        # one letter (“à”) denies nothing
        found = [stem for stem in stems(word, language) if len(stem) > 1]
        (denied if place in inside else affirmed).extend(found)
    return Polarity(frozenset(denied + affirmed), frozenset(denied), frozenset(affirmed))


def _french(words: Sequence[str]) -> list[tuple[int, int]]:
    """Return the spans, from first to past the last word, that French negations bear on."""
    spans = []
    for place, word in enumerate(words):
        if word in ("ne", "n"):
            if any(before in _FRENCH_FIRST for before in words[max(0, place - _APART) : place]):
                spans.append((place, place + 1 + _REACH))
            rest = words[place + 1 : place + 1 + _APART]
            second = next((i for i, w in enumerate(rest) if w in _FRENCH_SECOND), None)
            only = next((i for i, w in enumerate(rest) if w in ("que", "qu")), _APART)
            if second is not None and second < only:
                spans.append((place, place + 2 + second + _REACH))
            elif only == _APART and rest and rest[0] in _FRENCH_ALONE:
                spans.append((place, place + 1 + _REACH))
        elif word == "sans":
            spans.append((place, place + 3))
    return spans


def _english(words: Sequence[str]) -> list[tuple[int, int]]:
    """Return the spans that English negations bear on."""
    spans = []
    for place, word in enumerate(words):
        following = words[place + 1] if place + 1 < len(words) else ""
        if (word in _ENGLISH and following != "only") or (
            word == "no" and following not in ("more", "less", "later", "")
        ):
            spans.append((place, place + 2 + _REACH))
    return spans
