"""Dates of birth: dates that a text calls so, or that stand in brackets after a name.

Every other date stays: it belongs to a meeting, a decree, a leave. So does a year alone, which
tells nobody from the others born in it and on which questions about pensions turn.
"""

import re
from collections.abc import Iterator
from datetime import date

from edge_slm.privacy.keyed import said
from edge_slm.privacy.spans import COVER, Span, lowered

_MONTH = (
    r"(?:janv(?:ier|\.)?|f[ée]v(?:rier|r?\.)?|mars|avr(?:il|\.)|mai|juin|juil(?:let|\.)|ao[ûu]t"
    r"|sept(?:embre|\.)?|oct(?:obre|\.)?|nov(?:embre|\.)?|d[ée]c(?:embre|\.)?)"
)
_YEAR = r"(?:19|20)[0-9]{2}"
_DATE = re.compile(
    rf"(?:[0-9]{{1,2}}(?:er)? {_MONTH}(?: {_YEAR})?|{_MONTH} {_YEAR}"
    rf"|[0-9]{{1,2}}([ ./-])[0-9]{{1,2}}\1(?:{_YEAR}|[0-9]{{2}})|{_YEAR}-[0-9]{{2}}-[0-9]{{2}})"
    r"(?![0-9])",
    re.I,
)
_BORN = re.compile(
    r"(?:(?<!\w)n[ée](?:\(e\)s?|\(es\)|[·.]?e[·.]?s?|e?s|\(s\))?(?!\w)(?!')"
    r"|(?<!congé )(?<!congé de )\bnaissance\b|\bddn\b|\bborn\b)"
)
# Between the word and the date: “le”, a place, a colon, a name that is already covered.
_UNTIL = re.compile(
    rf"(?:[ \n:,(=]|\b(?:le|les|en|on|du|de|est|au|c'est|à|mon|ma)\b|{COVER['NOM']}+){{0,9}}"
    r"(?:[A-ZÀ-Ý][\w-]{1,30},? (?:le|en) )?"
)
_NEXT = re.compile(
    rf"(?:,|;|/| et| ou)(?: {COVER['NOM']}+,?)?(?: n[ée]e?s?)?(?: (?:le|du|en))? ?", re.I
)
_AFTER_NAME = re.compile(rf"{COVER['NOM']} ?[(,] ?(?=[0-9])")
_CHILDREN = re.compile(r"enfant|fils|fille|b[ée]b[ée]|jumeaux|jumelles", re.I)
_YOUNGEST = 14  # years: a date beside a name that is more recent is that of something else


def births(view: str) -> Iterator[Span]:
    """Yield dates of birth."""
    for born in _BORN.finditer(lowered(view)):
        until = _UNTIL.match(view, born.end())
        found = _DATE.match(view, until.end()) if until else None
        while found:
            yield Span(found.start(), found.end(), "DATE_NAISSANCE")
            further = _NEXT.match(view, found.end())
            found = _DATE.match(view, further.end()) if further else None
    for beside in _AFTER_NAME.finditer(view):
        found = _DATE.match(view, beside.end())
        if not found or view[found.end() : found.end() + 1] not in (")", ","):
            continue
        if _is_old(found[0]) or said(_CHILDREN, view, beside.start()):
            yield Span(found.start(), found.end(), "DATE_NAISSANCE")


def _is_old(text: str) -> bool:
    year = re.search(_YEAR, text)
    return year is not None and int(year[0]) <= date.today().year - _YOUNGEST
