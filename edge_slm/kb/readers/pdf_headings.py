"""Headings of a PDF by the size of their letters, when it has no bookmarks.

Knows nothing of pypdf: it works on lines of text with a size.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from edge_slm.kb.readers.cleaning import clean

_LARGER = 1.1  # times the body's size; 12 over 11 points is often a mere setting
_MAX_CHARACTERS = 120
_MAX_LEVELS = 4
_MAX_SHARE = 0.5  # of the lines; more is a poster or slides, where size tells little


class SizedLine(NamedTuple):
    """A line and the size of its largest letters, in points."""

    text: str
    size: float


def sized_lines(pieces: Iterable[tuple[str, float]]) -> list[SizedLine]:
    """Return the lines that pieces of text, each with a size, make together."""
    lines: list[SizedLine] = []
    text, largest = "", 0.0
    for piece, size in pieces:
        for number, part in enumerate(piece.split("\n")):
            if number:
                lines.append(SizedLine(clean(text), largest))
                text, largest = "", 0.0
            text += part
            if part.strip():
                largest = max(largest, round(size, 1))
    lines.append(SizedLine(clean(text), largest))
    return [line for line in lines if line.text]


def headings_by_size(pages: Sequence[Sequence[SizedLine]]) -> tuple[str, dict[str, int]]:
    """Return the title that the pages show, "" if none, and the levels of headings.

    The size of most letters is the body's. Lines of clearly larger letters are headings, the
    largest of level 1; a first line larger than all others is the title. Levels are given by
    casefolded text.
    """
    lines = [line for page in pages for line in page]
    letters: Counter[float] = Counter()
    for line in lines:
        letters[line.size] += len(line.text)
    if not letters:
        return "", {}
    body = letters.most_common(1)[0][0]
    large = [line for line in lines if _is_large(line, body)]
    if not large or len(large) > _MAX_SHARE * len(lines):
        return "", {}
    sizes = sorted({line.size for line in large}, reverse=True)
    top = {line.text for line in large if line.size == sizes[0]}
    title = large[0].text if top == {large[0].text} else ""
    levels = {size: min(level, _MAX_LEVELS) for level, size in enumerate(sizes, start=1)}
    return title, {line.text.casefold(): levels[line.size] for line in large}


def _is_large(line: SizedLine, body: float) -> bool:
    letters = any(character.isalpha() for character in line.text)
    return line.size > body * _LARGER and letters and len(line.text) <= _MAX_CHARACTERS
