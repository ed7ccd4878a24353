"""What a number may count: units of time and money, percent, and how they are written.

For plain text as `facts.plain` makes it: no accents, any case. Canonical units are English; a unit
that is an exact multiple of another is turned into it (a year is twelve months, an hour sixty
minutes). A week is seven calendar days; worked days (“ouvrés”, “ouvrables”) are units of their
own that nothing else equals.
"""

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

NUMBER = r"(?:\d{1,3}(?:[ ]\d{3})+(?!\d)(?:[.,]\d+)?|\d+(?:[.,]\d+)*)"
LONGEST_NUMBER = 15  # digits


@dataclass(frozen=True)
class Unit:
    """A unit: kind of its facts, canonical name, how many of the canonical unit one makes."""

    kind: Literal["duration", "share", "amount"]
    name: str
    times: Fraction = Fraction(1)


@dataclass(frozen=True)
class Counted:
    """A number's value with “millions” and “et demi”, its unit, and where its words end."""

    value: Fraction
    unit: Unit | None
    end: int


_DAY = Unit("duration", "day")
_EURO = Unit("amount", "EUR")
_MINUTE = Unit("duration", "minute")
_MONTH = Unit("duration", "month")
_WRITTEN = {
    "jour jours journee journees day days jr jrs j": _DAY,
    "semaine semaines week weeks": Unit("duration", "day calendar", Fraction(7)),
    "mois month months": _MONTH,
    "trimestre trimestres quarter quarters": Unit("duration", "quarter"),
    "semestre semestres": Unit("duration", "month", Fraction(6)),
    "an ans annee annees year years yr yrs": Unit("duration", "month", Fraction(12)),
    "heure heures hour hours hr hrs h": Unit("duration", "minute", Fraction(60)),
    "minute minutes min mins mn": _MINUTE,
    "% pourcent pourcents pct": Unit("share", "%"),
    "k€ keuro keuros keur": Unit("amount", "EUR", Fraction(1000)),
    "€ euro euros eur": _EURO,
    "centime centimes cent cents": Unit("amount", "EUR", Fraction(1, 100)),
    "$ dollar dollars usd": Unit("amount", "USD"),
    "£ gbp": Unit("amount", "GBP"),
    "chf": Unit("amount", "CHF"),
}
_UNITS = {word: unit for words, unit in _WRITTEN.items() for word in words.split()}
# What is said of days makes another unit of them; in French after them, in English before.
_OF_DAYS = {
    "ouvre": "day worked",
    "ouvres": "day worked",
    "ouvree": "day worked",
    "ouvrees": "day worked",
    "ouvrable": "day workable",
    "ouvrables": "day workable",
    "franc": "day clear",
    "francs": "day clear",
    "clear": "day clear",
    "calendaire": "day calendar",
    "calendaires": "day calendar",
    "calendar": "day calendar",
    "working": "day working",
    "business": "day working",
}
_ADJECTIVE_WORDS = """
    premier premiers premiere premieres dernier derniers derniere dernieres prochain prochains
    prochaine prochaines autre autres plein pleins pleine pleines entier entiers entiere entieres
    consecutif consecutifs first last next full paid extra additional further more consecutive
    whole long"""
_ADJECTIVES = frozenset(_ADJECTIVE_WORDS.split())
_LONGEST_CHAIN = 3  # adjectives looked through
_WORD = re.compile(r"[ -]?(?:de[ ]|d')?(k[ ]?€|k[ ]?euros?\b|[^\W\d_]+|[%€$£])", re.IGNORECASE)
_TIMES = re.compile(
    r"[ ]?(millions?|milliards?|billions?|thousand|M(?=[ ]?(?:€|euros|EUR)))(?!\w)", re.IGNORECASE
)
_HALF = re.compile(r"[ ](?:et[ ]demie?|and[ ]a[ ]half)(?!\w)", re.IGNORECASE)
_DECIMAL = re.compile(r"\d+(?:\.\d+)?")
_THOUSANDS = re.compile(r"\d{1,3}(?:[.,]\d{3})+")
_ALONE = re.compile(r"[^\W\d_]+|[%€$£]")


def counted(value: Fraction, text: str, end: int) -> Counted:
    """Return a number with what the words after it make of it.

    Args:
        value: the number.
        text: the plain text around it.
        end: where the number ends.
    """
    if times := _TIMES.match(text, end):
        value, end = value * _multiple(times[1].lower()), times.end()
    half = _HALF.match(text, end)
    place = half.end() if half else end
    days = ""
    for _ in range(_LONGEST_CHAIN):
        word = _WORD.match(text, place)
        if not word:
            break
        place, said = word.end(), word[1].lower().replace(" ", "")
        if unit := _UNITS.get(said):
            return _with_what_follows(value, half is not None, unit, days, text, place)
        days = _OF_DAYS.get(said, days)
        if said not in _ADJECTIVES and said not in _OF_DAYS:
            break
    return Counted(value, None, end)


def _with_what_follows(
    value: Fraction, half: bool, unit: Unit, days: str, text: str, end: int
) -> Counted:
    while word := _WORD.match(text, end):
        said = word[1].lower()
        if unit != _DAY or (said not in _OF_DAYS and said not in _ADJECTIVES):
            break
        days, end = _OF_DAYS.get(said, days), word.end()
    if days and unit == _DAY:
        unit = Unit("duration", days)
    if after := _HALF.match(text, end):
        half, end = True, after.end()
    return Counted(value + Fraction(1, 2) if half else value, unit, end)


def named(text: str, language: str) -> set[Unit]:
    """Return the units that a plain text names, with or without a number."""
    words = {word.lower() for word in _ALONE.findall(text)}
    # “j'ai” names no day, “an agent” no year
    words -= {"j", "h", "an"} if language == "en" else {"j", "h"}
    days = {Unit("duration", _OF_DAYS[word]) for word in words & _OF_DAYS.keys()}
    return {_UNITS[word] for word in words & _UNITS.keys()} | days


def sign(mark: str) -> Unit:
    """Return the unit of a currency sign."""
    return _UNITS[mark]


def quantity(written: str, language: str) -> Fraction | None:
    """Return the value of a number, or None where it is none (“01.01.20”, forty digits).

    “1 234,50” in French and “1,234.50” in English are the same.
    """
    digits = written.replace(" ", "")
    if len(digits) > LONGEST_NUMBER:
        return None
    mark = _decimal_mark(digits, language)
    kept = ("." if char == mark else char for char in digits if char.isdigit() or char == mark)
    decimal = "".join(kept)
    return Fraction(decimal) if _DECIMAL.fullmatch(decimal) else None


def _decimal_mark(digits: str, language: str) -> str:
    """Return the decimal mark of a number, "" where it has none."""
    points, commas = digits.count("."), digits.count(",")
    if points and commas:
        return max(".,", key=digits.rindex)
    mark = "." if points else ","
    thousands = _THOUSANDS.fullmatch(digits)
    # a lone group of three after the other language's mark: “1,500” is a thousand in English
    if thousands and (points + commas > 1 or mark == ("." if language == "fr" else ",")):
        return ""
    return mark


def _multiple(word: str) -> int:
    if word.startswith("thousand"):
        return 10**3
    return 10**9 if word.startswith(("milliard", "billion")) else 10**6
