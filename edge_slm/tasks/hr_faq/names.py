"""Proper names and acronyms of a text, by their capitals alone.

Knows no list of names: “Martin” at the start of a sentence is taken for a common word.
"""

import re

from edge_slm.i18n import Language
from edge_slm.stop_words import STOP_WORDS
from edge_slm.text import fold

_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*\d*")
# What stands between the words of one name.
_LINKS = {
    "de",
    "du",
    "des",
    "la",
    "le",
    "les",
    "d",
    "l",
    "et",
    "of",
    "the",
    "and",
    "for",
    "van",
    "von",
}
# English writes these with a capital; they name nobody.
_ENGLISH_WORDS = """
    i january february march april may june july august september october november december
    monday tuesday wednesday thursday friday saturday sunday french english european france state
    government ministry minister department code act law decree article section civil service
    public president council court"""
_ENGLISH = frozenset(_ENGLISH_WORDS.split())
_STARTS = re.compile(r"(?:^|[.!?…:;|«»“”\"(\[•]|[-–—]\s)\s*$")
_LOOKED_BACK = 3


def names(text: str, language: Language) -> frozenset[str]:
    """Return the names of a text, folded: “Jean Dupont” gives "jean dupont", “la CPAM” "cpam".

    A single capitalised word counts inside a sentence; at its start only an acronym or the first
    of several capitalised words does.
    """
    found: set[str] = set()
    words = list(_WORD.finditer(text))
    place = 0
    while place < len(words):
        last = _extent(words, place, text)
        if last >= place and (name := _name(words, place, last, text, language)):
            found.add(name)
        place = max(last, place) + 1
    return frozenset(found)


def _extent(words: list[re.Match[str]], place: int, text: str) -> int:
    """Return where the run of capitalised words that begins at a word ends; before it if none."""
    if not words[place].group()[0].isupper():
        return place - 1
    last = place
    for following in range(place + 1, min(place + 8, len(words))):
        between = text[words[following - 1].end() : words[following].start()]
        if between not in (" ", "-", "'", "’", "\u00a0", "."):
            break
        if words[following].group()[0].isupper():
            last = following
        elif words[following].group() not in _LINKS:
            break
    return last


def _name(
    words: list[re.Match[str]], first: int, last: int, text: str, language: Language
) -> str | None:
    before = text[max(0, words[first].start() - _LOOKED_BACK) : words[first].start()]
    if _STARTS.search(before) or not words[first].start():
        opening = words[first].group()
        if not _is_acronym(opening) and (fold(opening) in _FOLDED_STOP[language] or first == last):
            first += 1
    kept = [words[i].group() for i in range(first, last + 1)]
    kept = [
        fold(word)
        for word in kept
        if word[0].isupper() and (len(word) > 1 or len(kept) == 1) and not _common(word, language)
    ]
    return " ".join(kept) or None


def _common(word: str, language: Language) -> bool:
    if len(word) == 1:
        return True  # “catégorie A”: a fact, not a name
    if language == "en" and fold(word) in _ENGLISH:
        return True
    return fold(word) in _FOLDED_STOP[language] and not _is_acronym(word)


def _is_acronym(word: str) -> bool:
    return len(word) > 1 and word.isupper()


_FOLDED_STOP = {
    language: frozenset(fold(word) for word in words) for language, words in STOP_WORDS.items()
}
