"""Text as the base wants it: NFC, ordinary spaces, no invisible characters; and ISO dates.

Knows nothing of files and formats.
"""

import re
import unicodedata
from datetime import date

# Control characters (white space excepted), lone surrogates, which SQLite refuses, and
# characters that show nothing: soft hyphen, zero-width space, word joiner, byte order mark.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\xad\u200b\u2060\ufeff\ufffe\uffff\ud800-\udfff]"
)
# Combining marks are sorted in quadratic time by NFC (40 000 marks: 5 s); no language stacks 100.
_STACKED_MARKS = re.compile(r"([^\w\s\x00-\x7f]{100})[^\w\s\x00-\x7f]+")
_LIGATURES = str.maketrans(
    {"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"}
)
_ISO_DATE = re.compile(r"(?<!\d)(\d{4})-(\d{2})-(\d{2})(?!\d)")
_FRENCH_DATE = re.compile(r"(?<!\d)(\d{1,2})[/.](\d{1,2})[/.](\d{4})(?!\d)")


def clean(text: str) -> str:
    """Return text on one line: NFC, every run of white space one space, nothing invisible."""
    return " ".join(_normalise(text).split())


def clean_code(text: str) -> str:
    """Return preformatted text: lines and their inner spaces stay, blank ends go."""
    lines = (line.replace("\xa0", " ").rstrip() for line in _normalise(text).splitlines())
    return "\n".join(lines).strip("\n")


def iso_date(text: str) -> str:
    """Return the first date of a text (2024-03-01, 01/03/2024, 1.3.2024) as YYYY-MM-DD, else ""."""
    if found := _ISO_DATE.search(text):
        year, month, day = found.groups()
    elif found := _FRENCH_DATE.search(text):
        day, month, year = found.groups()
    else:
        return ""
    try:
        return date(int(year), int(month), int(day)).isoformat()
    except ValueError:
        return ""


def _normalise(text: str) -> str:
    if text.isascii() and text.isprintable():
        return text
    visible = _INVISIBLE.sub("", text).translate(_LIGATURES)
    return unicodedata.normalize("NFC", _STACKED_MARKS.sub(r"\1", visible))
