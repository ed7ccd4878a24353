"""Dates, times, legal references and grades: how they are written, and their one form.

All patterns are for plain text as `facts.plain` makes it: no accents, numbers in digits. A reader
gives (kind, value, unit) for what a pattern matched; nothing where it is none after all.
"""

import re
from collections.abc import Iterator
from typing import Literal

Kind = Literal["number", "ordinal", "amount", "share", "duration", "date", "article", "grade"]
Found = tuple[Kind, str, str]

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "janvier january janv jan",
            "fevrier february fevr feb",
            "mars march",
            "avril april apr",
            "mai may",
            "juin june",
            "juillet july juil",
            "aout august aug",
            "septembre september sept",
            "octobre october oct",
            "novembre november nov",
            "decembre december dec",
        ),
        1,
    )
    for name in names.split()
}
_LAWS = {
    "loi": "law",
    "law": "law",
    "act": "law",
    "decret": "decree",
    "decree": "decree",
    "ordonnance": "ordinance",
    "ordinance": "ordinance",
    "arrete": "order",
    "order": "order",
    "circulaire": "circular",
    "circular": "circular",
    "directive": "directive",
}
_GRADES = {
    "echelon": "step",
    "step": "step",
    "indice": "index",
    "index": "index",
    "groupe": "group",
    "group": "group",
    "niveau": "level",
    "level": "level",
    "classe": "class",
    "class": "class",
}
_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))
# Alone, “may” and “march” are verbs, “Mars” is a planet.
_MONTH_ALONE = (
    r"janvier|january|fevrier|february|(?-i:mars)|avril|april|(?-i:mai)|juin|june|juillet|july|"
    r"aout|august|septembre|september|octobre|october|novembre|november|decembre|december"
)
YEAR = r"(?:1[6-9]|20|21)\d\d"
_DAY = r"\d{1,2}(?:er|st|nd|rd|th|e)?"
_NO = r"(?:n[°o]s?\.?|num(?:ero|ber)s?|no\.)"
_AND = r"(?:[ ]?,[ ]?|[ ]?[/-][ ]?|[ ](?:et|ou|a|au|and|or|to)[ ])"
_ARTICLE = r"(?:[LRDA]O?\.?\*?[ ]?)?\d+(?:er)?(?:-\d+)*(?:[ ](?:bis|ter|quater)(?!\w))?"
_LETTERS = r"(?-i:[ABC]\+?)(?!\w)"
_GRADE = rf"(?:{'|'.join(_GRADES)})s?"

PATTERNS = {
    "law": rf"(?:{'|'.join(_LAWS)})s?[ ](?:{_NO}[ ]?)?\d{{2,4}}-\d+|{_NO}[ ]?\d{{2,4}}-\d+",
    "article": rf"art(?:icle)?s?\.?[ ]{_ARTICLE}(?:{_AND}{_ARTICLE}(?![ ]?[\w%€])){{0,8}}"
    r"|(?-i:[LRDA])O?(?:\.\*?|\*\.)[ ]?\d+(?:-\d+)*|(?-i:[LRD])\d+(?:-\d+)+",
    "iso": rf"{YEAR}-\d\d-\d\d(?![\d-])",
    "slashed": rf"\d{{1,2}}(?:/\d{{1,2}}/|\.\d{{1,2}}\.)(?:{YEAR}|\d\d)(?![\d/.]\d|\d)",
    "day_first": rf"{_DAY}[ ](?:of[ ])?(?:{_MONTH})\.?(?:,?[ ]{YEAR})?(?!\w)",
    "month_first": rf"(?:{_MONTH})\.?[ ](?:{_DAY}(?!\w)(?:,?[ ]{YEAR}(?!\w))?|{YEAR}(?!\w))",
    "month": rf"(?:{_MONTH_ALONE})(?!\w)",
    "clock": r"\d{1,2}[ ]?(?:h|:|heures?)[ ]?[0-5]\d(?!\d)(?:[ ]?[ap]\.?m(?!\w))?"
    r"|\d{1,2}[ ]?[ap]\.?m(?!\w)",
    "category": rf"categor(?:ies|ie|y)[ ]{_LETTERS}"
    rf"(?:(?:,[ ]?|[ ](?:et|ou|and|or)[ ]){_LETTERS}){{0,2}}",
    "grade": rf"{_GRADE}(?:[ ](?:brut|majore))?[ ](?:{_NO}[ ]?)?\d+(?!\w|[ ]?[%€])"
    r"|\d{1,2}(?:er|eme|ere|e|nd|rd|st|th)[ ](?:echelon|step)",
    "ordinal": r"\d+(?:ers?|eres?|res?|emes?|iemes?|mes?|es?|nde?|st|nd|rd|th)(?!\w)",
    "labelled": rf"{_NO}[ ]?\d+(?!\w)",
}


def read(name: str, words: str) -> Iterator[Found]:
    """Yield what the pattern `name` of PATTERNS matched, as kind, value and unit.

    Dates are ISO with dots for what is not said; an impossible date gives its numbers.
    """
    words = words.lower()
    if name == "law":
        kind = next((unit for word, unit in _LAWS.items() if words.startswith(word)), "")
        yield "article", re.findall(r"\d+-\d+", words)[0], kind
    elif name == "article":
        for letters, number in re.findall(r"(?:(?<![a-z])([lrda]o?)[.*]*[ ]?)?(\d[\d-]*)", words):
            yield "article", f"{letters}{number}".upper(), ""
    elif name == "category":
        for letter in re.findall(r"(?<!\w)[abc]\+?(?!\w)", words):
            yield "grade", letter.upper(), "category"
    elif name == "grade":
        unit = next(unit for word, unit in _GRADES.items() if word in words)
        yield "grade", _digits(words), unit
    elif name in ("ordinal", "labelled"):
        yield (
            ("ordinal", _digits(words), "")
            if name == "ordinal"
            else ("number", _digits(words), "thing")
        )
    elif name == "clock":
        yield "duration", str(_minutes(words)), "minute"
    else:
        yield from _date(name, words)


def _digits(words: str) -> str:
    return re.findall(r"\d+", words)[0].lstrip("0") or "0"


def _minutes(words: str) -> int:
    """Return the minutes since midnight of a time, or of a duration in hours and minutes."""
    hours, *rest = (int(part) for part in re.findall(r"\d+", words))
    half = re.search(r"([ap])\.?m", words)
    if half and hours <= 12:
        hours = hours % 12 + (12 if half[1] == "p" else 0)
    return 60 * hours + sum(rest)


def _date(name: str, words: str) -> Iterator[Found]:
    numbers = re.findall(r"\d+", words)
    year = month = day = 0
    if name == "iso":
        year, month, day = map(int, numbers)
    elif name == "slashed":
        day, month, year = map(int, numbers)
        year += 2000 if len(numbers[2]) == 2 else 0
    else:
        month = _MONTHS[re.findall(r"[a-z]{3,}", words)[0 if name != "day_first" else -1]]
        for number in numbers:
            if len(number) == 4:
                year = int(number)
            else:
                day = int(number)
    if month > 12 or day > 31 or any(not int(number) for number in numbers):
        yield from (("number", number, "thing") for number in numbers)
    else:
        yield "date", "-".join((_part(year, 4), _part(month, 2), _part(day, 2))), ""


def _part(number: int, width: int) -> str:
    return f"{number:0{width}}" if number else "." * width
