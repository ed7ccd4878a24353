"""Where personal data lies in a text, and the view of the text that the rules read.

The view is the text with composed letters, plain spaces, straight apostrophes and ASCII digits.
What a rule finds is covered with private characters, one for each kind of data, so that the rules
that come after neither find it twice nor join words across it, and can tell what stood there.
"""

import unicodedata
from collections.abc import Callable, Iterable
from typing import NamedTuple

LABELS = (
    *("EMAIL", "IBAN", "NIR", "NUMEN", "SIRET", "SIREN", "PLAQUE", "CNI", "PASSEPORT", "TEL"),
    *("ADRESSE", "NOM", "DATE_NAISSANCE"),
)
# For each label a character that no rule takes for a letter, a digit, a space or a mark.
_PRIVATE = range(0xE000, 0xF900)
COVER = {label: chr(_PRIVATE[place]) for place, label in enumerate(LABELS)}

_PLAIN = {
    **dict.fromkeys((0xA0, 0x2007, 0x2009, 0x200A, 0x202F, 0x205F, 0x3000, 0x09), " "),
    **dict.fromkeys((0x2018, 0x2019, 0x02BC, 0xFF07), "'"),
    **dict.fromkeys((0x2010, 0x2011, 0x2012, 0x2013, 0x2212, 0xFF0D), "-"),
    **dict.fromkeys((0x0B, 0x0C, 0x0D, 0x85, 0x2028, 0x2029), "\n"),
    **dict.fromkeys(_PRIVATE, "\ufffd"),
    **{0xFF10 + digit: str(digit) for digit in range(10)},
    0xFF0B: "+",
    0xFF20: "@",
}


class Span(NamedTuple):
    """Characters `start` to `end` (exclusive) of a view or a text, and what they are."""

    start: int
    end: int
    label: str


Rule = Callable[[str], Iterable[Span]]


def view_of(text: str) -> tuple[str, list[int] | None]:
    """Return the view of a text, and where each of its characters starts in the text.

    The places are None where both have the same length; else there is one more than characters.
    """
    if unicodedata.is_normalized("NFC", text):
        return text.translate(_PLAIN), None
    parts: list[str] = []
    places: list[int] = []
    start = 0
    for end in range(1, len(text) + 1):
        if end < len(text) and unicodedata.combining(text[end]):
            continue
        composed = unicodedata.normalize("NFC", text[start:end])
        parts.append(composed)
        # A cluster that stays several characters is never cut: all start where it starts.
        places += [start] * len(composed)
        start = end
    return "".join(parts).translate(_PLAIN), [*places, len(text)]


def lowered(view: str) -> str:
    """Return a view in lower case, of the same length: patterns run faster on it than with re.I."""
    small = view.lower()
    if len(small) == len(view):
        return small
    return "".join(char.lower() if len(char.lower()) == 1 else char for char in view)


def covered(view: str, spans: Iterable[Span]) -> str:
    """Return a view with some spans covered, of the same length."""
    parts, done = [], 0
    for start, end, label in spans:
        parts += [view[done:start], COVER[label] * (end - start)]
        done = end
    return "".join((*parts, view[done:]))


def apart(spans: Iterable[Span]) -> list[Span]:
    """Return spans in their order, without the empty ones and those that overlap an earlier one."""
    kept: list[Span] = []
    for span in sorted(spans, key=lambda span: (span.start, -span.end)):
        if span.start < span.end and (not kept or kept[-1].end <= span.start):
            kept.append(span)
    return kept
