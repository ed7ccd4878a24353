"""Which language a text is in, and what languages are called."""

import re
from functools import cache
from typing import Any

from edge_slm.stop_words import STOP_WORDS

# code -> (English, French): the languages that can be named in a request.
NAMES: dict[str, tuple[str, str]] = {
    "fr": ("French", "français"),
    "en": ("English", "anglais"),
    "es": ("Spanish", "espagnol"),
    "de": ("German", "allemand"),
    "it": ("Italian", "italien"),
    "pt": ("Portuguese", "portugais"),
    "nl": ("Dutch", "néerlandais"),
}
# A word or two may be of any language: below this, the caller's fallback decides.
SHORTEST = 12

_WORD = re.compile(r"[^\W\d_]+")


def detect(text: str, among: tuple[str, ...] = ("fr", "en"), fallback: str = "fr") -> str:
    """Return the code of the language of a text.

    Args:
        text: any text; only its first 2,000 characters are looked at.
        among: codes to choose from.
        fallback: what a text too short to tell is taken for.
    """
    if len(text.strip()) < SHORTEST or not any(char.isalpha() for char in text):
        return fallback
    if set(among) == STOP_WORDS.keys() and (voted := _vote(text[:2000])):
        return voted
    identifier = _identifier()
    identifier.set_languages(list(NAMES))
    ranked = [code for code, _ in identifier.rank(text[:2000]) if code in among]
    return str(ranked[0]) if ranked else fallback


def code_of(name: str) -> str | None:
    """Return the code of a language by its code or its French or English name, or None."""
    wanted = name.strip().lower()
    for code, names in NAMES.items():
        if wanted in (code, *(n.lower() for n in names)):
            return code
    return None


def _vote(text: str) -> str | None:
    """Return French or English by the function words of a text, or None where they do not tell."""
    words = set(_WORD.findall(text.lower()))
    french, english = (len(words & STOP_WORDS[code]) for code in ("fr", "en"))
    if french == english:
        return None
    return "fr" if french > english else "en"


@cache
def _identifier() -> Any:
    import py3langid

    return py3langid
