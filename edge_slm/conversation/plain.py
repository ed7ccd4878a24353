"""A text as the rules of conversation read it, letter for letter as long as what it stands for."""

import re
import unicodedata

_APOSTROPHES = str.maketrans({"’": "'", "ʼ": "'", "\u00a0": " ", "\u202f": " "})
_ENDING = re.compile(r"[\s?!.;:,…]*$")


def tidy(text: str) -> str:
    """Return a text on one line, with single spaces and straight apostrophes."""
    return " ".join(unicodedata.normalize("NFC", text).translate(_APOSTROPHES).split())


def flat(text: str) -> str:
    """Return a text in lower case and without accents, of the same length; “où” is not “ou”."""
    return "".join(map(_bare, text))


def open_ended(text: str) -> str:
    """Return a text without the marks that end it."""
    return _ENDING.sub("", text)


def capital(text: str) -> str:
    """Return a text with a capital first letter."""
    return text[:1].upper() + text[1:]


def _bare(char: str) -> str:
    if char in "ùÙ":
        return "ù"
    lower = unicodedata.normalize("NFKD", char)[:1].lower()
    return lower if len(lower) == 1 else char
