"""Small facts about text: where its sentences end, which figures it holds."""

import re
import unicodedata

# “art. L. 631-4”, “M. Martin”: these dots end no sentence.
_SENTENCE_END = re.compile(r"(?<=[.!?…;])(?<!\b[LRDM]\.)(?<!\b[Aa]rt\.)\s+(?=[A-ZÀ-ÝŒ0-9«\"(-])")
# A space only joins groups of three digits: “2025 12 jours” holds two numbers.
_FIGURE = re.compile(r"\d{1,3}(?:[\u00a0\u202f ]\d{3})+(?!\d)(?:[.,]\d+)?|\d+(?:[.,]\d+)*")


def sentences(text: str) -> list[str]:
    """Return the sentences, list items and table rows of a text."""
    lines = (line.strip() for line in text.splitlines())
    return [sentence for line in lines if line for sentence in _SENTENCE_END.split(line)]


def split_complete(text: str) -> tuple[list[str], str]:
    """Return the sentences of a growing text that are whole, and the rest that may go on."""
    *whole, rest = _SENTENCE_END.split(text)
    return whole, rest


def figures(text: str) -> set[str]:
    """Return the numbers of a text as bare digits and decimal mark: “1 234,50” gives "1234.50"."""
    found = (re.sub(r"[\u00a0\u202f ]", "", figure) for figure in _FIGURE.findall(text))
    return {figure.replace(",", ".") for figure in found}


def fold(text: str) -> str:
    """Return a text without accents or ligatures, in lower case."""
    decomposed = unicodedata.normalize("NFKD", text)
    bare = "".join(char for char in decomposed if not unicodedata.combining(char))
    return bare.lower().replace("œ", "oe").replace("æ", "ae")


def shorten(text: str, longest: int = 60) -> str:
    """Return a text cut at `longest` characters."""
    return text if len(text) <= longest else text[: longest - 1] + "…"
