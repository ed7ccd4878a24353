"""Spelled numbers of a text as digits: “vingt-cinq jours” gives “25 jours”.

French of all countries (soixante-dix, septante) and English, by the library text2num; fractions
and the words that are a number only sometimes are told apart here. “Un agent”, “one of them”
hold no number; “un an” does. “Un véhicule neuf” holds none, “neuf agents” does.
"""

import re
from collections.abc import Callable
from functools import cache
from typing import Any

from edge_slm.i18n import Language

_TOKEN = re.compile(r"[^\W\d_]+|\d+|[^\w\s]")

# What follows an article or “first” that counts: a unit of time or money.
_COUNTABLE: dict[Language, re.Pattern[str]] = {
    "fr": re.compile(
        r"[\s-]*(?:jours?|journées?|semaines?|quinzaines?|mois|trimestres?|semestres?|ans?|années?|"
        r"heures?|minutes?|euros?|centimes?|(?:jan|fév|fev)vrier|février|mars|avril|mai|juin|"
        r"juillet|a[oô]ût|aout|septembre|octobre|novembre|d[ée]cembre|janvier)(?!\w)",
        re.IGNORECASE,
    ),
    "en": re.compile(
        r"[\s-]*(?:(?:full|whole|single|calendar|working|business|additional|of)\s)?"
        r"(?:days?|weeks?|fortnights?|months?|quarters?|years?|hours?|minutes?|euros?|cents?|"
        r"january|february|march|april|may|june|july|august|september|october|november|december)"
        r"(?!\w)",
        re.IGNORECASE,
    ),
}
_ARTICLES = {"un", "une", "one", "a", "an"}
_FIRST = {"premier", "première", "first", "second"}
# “2 millions”: part of the number before it. “Premiers” is never counted.
_NEVER = {"premiers", "premières"}
_MULTIPLE = re.compile(r"(?:millions?|milliards?|billions?|thousand)$", re.IGNORECASE)
_DIGITS = re.compile(r"\d+")
_PARTY = re.compile(r"[ -]part(?:y|ies)\b", re.IGNORECASE)
_LETTER = re.compile(r"[\s]*[^\W\d_]{2}")

_Change = tuple[re.Pattern[str], str]


def _changes(*pairs: tuple[str, str]) -> tuple[_Change, ...]:
    return tuple((re.compile(pattern, re.IGNORECASE), to) for pattern, to in pairs)


# Shares are written as fractions before the numerals are read: “third” is an ordinal to them.
_SHARES: dict[Language, tuple[_Change, ...]] = {
    "fr": _changes(
        (r"\bpour[ -]cents?\b", "%"),
        (r"\bdeux[ -]tiers\b", "2/3"),
        (r"\btrois[ -]quarts\b", "3/4"),
        (r"\b(?:un|le|du|au) tiers(?= d[eu'])", "1/3"),
        (r"\b(?:un |le |au |du )?quart(?= d[eu'])", "1/4"),
        (r"\b(?:la )?moiti[ée]\b", "1/2"),
        (
            r"\bune? demie?[ -]|\bdemie?-|\bdemie? (?=traitement|solde|journ[ée]e|heure|tarif)",
            "1/2 ",
        ),
        (r"\bmi-temps\b", "1/2 temps"),
    ),
    "en": _changes(
        (r"\bper ?cent\b", "%"),
        (r"\btwo[ -]thirds\b", "2/3"),
        (r"\bthree[ -]quarters\b", "3/4"),
        (r"\b(?:one[ -]|a )third(?= of\b| the\b|s?\b(?= pay))|\bone[ -]third\b", "1/3"),
        (r"\b(?:one[ -]|a )quarter of(?= the\b| pay\b| an?\b| his\b| her\b| your\b)", "1/4 of"),
        (r"(?<!and a )(?<!and )\b(?:one[ -]|a )?half\b[ -]?(?:an? )?", "1/2 "),
    ),
}
# “For a year” counts, “25 days a year” does not.
_A_UNIT = re.compile(
    r"\b(for|within|after|of|than|is|least|most|to|lasts?|by|in) an? (?=(?:full |whole )?"
    r"(?:year|month|week|day|hour|fortnight)\b)"
    r"|()\ban? (?=(?:year|month|week|day|hour) and a half\b)",
    re.IGNORECASE,
)
_ABOUT = {"huitaine": 8, "dizaine": 10, "douzaine": 12, "quinzaine": 15, "vingtaine": 20}
_ABOUT |= {"trentaine": 30, "quarantaine": 40, "cinquantaine": 50, "soixantaine": 60}
_ABOUT |= {"centaine": 100}
_ABOUT_WORDS = re.compile(rf"\b(?:une |la )?({'|'.join(_ABOUT)})\b(?= d['e])", re.IGNORECASE)


class _Token:
    """A word as text2num wants it."""

    __slots__ = ("end", "start", "word")

    def __init__(self, match: re.Match[str]) -> None:
        self.word = match.group()
        self.start, self.end = match.span()

    def text(self) -> str:
        return self.word

    def nt_separated(self, _: "_Token") -> bool:
        return False

    def not_a_number_part(self) -> bool:
        return False


def to_digits(text: str, language: Language) -> str:
    """Return a text with its spelled numbers, ordinals and shares in digits.

    “Troisième” gives “3e”, in English too; “la moitié” gives “1/2”.
    """
    text = text.encode("utf-8", "replace").decode()  # text2num takes no lone surrogate
    for pattern, to in _SHARES[language]:
        text = pattern.sub(to, text)
    if language == "en":
        text = _A_UNIT.sub(lambda found: f"{found[1] or ''} 1 ", text)
    else:
        text = _ABOUT_WORDS.sub(lambda found: str(_ABOUT[found[1].lower()]), text)
    tokens = [_Token(m) for m in _TOKEN.finditer(text) if m.group() != "-"]
    parts: list[str] = []
    done = 0
    for number in _finder()(tokens, language, 0):
        first, last = tokens[number.start], tokens[number.end - 1]
        if number.end - number.start == 1 and not _counts(first, text, language):
            continue
        digits = _DIGITS.findall(number.text)[0] + "e" if number.is_ordinal else number.text
        parts += [text[done : first.start], digits]
        done = last.end
    return "".join((*parts, text[done:]))


def _counts(token: _Token, text: str, language: Language) -> bool:
    """Return whether a word that may be a number is one, by what stands around it."""
    word = token.word.lower()
    if word in _ARTICLES or word in _FIRST:
        return bool(_COUNTABLE[language].match(text, token.end))
    if word == "third":
        return not _PARTY.match(text, token.end)
    if word == "neuf":
        return bool(_LETTER.match(text, token.end))
    if _MULTIPLE.match(word):
        return (
            not text[max(0, token.start - 2) : token.start].rstrip().endswith(tuple("0123456789"))
        )
    return word not in _NEVER and not word.isdigit()


@cache
def _finder() -> Callable[[list[_Token], str, float], list[Any]]:
    from text_to_num import find_numbers

    return find_numbers  # type: ignore[no-any-return]
