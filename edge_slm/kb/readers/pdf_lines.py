"""The lines of PDF pages: running headers dropped, gaps between paragraphs, hyphens at line ends.

Knows nothing of pypdf: it works on text.
"""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise

_EDGE_LINES = 3
_MIN_PAGES = 3
_SHORT_LINE = 0.75  # of the page's longest line: the paragraph ended before the margin
_ENDS = (".", ":", "!", "?", "»")
_LINE_HYPHEN = re.compile(r"(?<=\w)[-‐\xad]$")
_LAST_PART = re.compile(r"[\w-]+$")
_FIRST_PART = re.compile(r"\w+(?:-\w+)*")
_PAGE_NUMBER = re.compile(
    r"[-–—\s]*(?:page\s*)?\d{1,4}(?:\s*(?:/|sur|of)\s*\d{1,4})?[-–—\s]*$", re.IGNORECASE
)
_WORD = re.compile(r"\w+(?:[-‐]\w+)+|\w+")
# French words whose hyphen is part of them, by what stands before it and after it.
_BEFORE = frozenset((
    "peut", "celui", "celle", "ceux", "celles", "lui", "elle", "eux", "elles", "soi", "moi",
    "toi", "nous", "vous", "est", "vis", "rendez", "ex", "vice", "non", "demi", "mi", "avant",
    "après", "arrière", "sous", "quasi", "co", "dix", "vingt", "trente", "quarante",
    "cinquante", "soixante", "quatre", "cent", "grand", "grande", "chef", "plus", "moins",
    "bien", "c'est", "aujourd", "cela",
))  # fmt: skip
_AFTER = frozenset((
    "il", "elle", "on", "ils", "elles", "je", "tu", "nous", "vous", "ce", "ci", "là", "même",
    "mêmes", "dire", "être", "delà", "dessous", "dessus", "dix", "vingt", "deux", "trois",
    "quatre", "cinq", "six", "sept", "huit", "neuf", "t-il", "t-elle", "t-on",
))  # fmt: skip


def without_recurring(pages: Sequence[Sequence[str]]) -> list[list[str]]:
    """Return pages without the headers and footers that stand on most of them.

    A header or footer is one of the first or last three lines of a page that, its digits apart,
    stands there on more than half of the pages, three pages at least; a bare page number goes
    too. When nothing else would be left of the document, all stays.
    """
    seen = Counter(key for page in pages for key in {_key(page[n]) for n in _edges(page)})
    least = max(_MIN_PAGES, len(pages) // 2 + 1)
    kept = []
    for page in pages:
        dropped = {
            number
            for number in _edges(page)
            if seen[_key(page[number])] >= least or _PAGE_NUMBER.match(page[number])
        }
        kept.append([line for number, line in enumerate(page) if number not in dropped])
    if any(line.strip() for page in kept for line in page):
        return kept
    return [list(page) for page in pages]


def with_gaps(lines: Sequence[str], layout: Sequence[str]) -> list[str]:
    """Return the lines of a page with a blank one between paragraphs.

    A paragraph ends where the layout shows a gap, or where a sentence ends well before the
    margin.

    Args:
        lines: the page's text, line by line, in reading order.
        layout: the same page laid out with spaces and blank lines; lines that differ count for
            nothing.
    """
    before_gap = {_squeeze(line) for line, below in pairwise(layout) if line and not below.strip()}
    margin = max(map(len, lines), default=0) * _SHORT_LINE
    parted: list[str] = []
    for line in lines:
        parted.append(line)
        text = line.rstrip()
        short_end = text.endswith(_ENDS) and len(text) < margin
        if text and (_squeeze(text) in before_gap or short_end):
            parted.append("")
    return parted


def hyphen_joiner(text: str) -> Callable[[Sequence[str]], str]:
    """Return the function that makes one text of a paragraph's lines.

    A hyphen at a line's end goes when it parts a word ("con-" "gé") and stays when it belongs to
    it ("peut-" "être"): what the rest of the document writes decides, then French words that
    have one, then it goes. Before a capital or a figure it stays.

    Args:
        text: the whole document, lines parted by line ends.
    """
    words = {word.replace("‐", "-") for word in _WORD.findall(text.lower())}

    def join(lines: Sequence[str]) -> str:
        joined = ""
        for line in lines:
            line = line.strip()
            if not joined or not line:
                joined += line
            elif not _LINE_HYPHEN.search(joined):
                joined += " " + line
            elif _keeps_hyphen(joined, line, words):
                joined = joined[:-1] + "-" + line
            else:
                joined = joined[:-1] + line
        return joined

    return join


def _keeps_hyphen(left: str, right: str, words: set[str]) -> bool:
    if left.endswith("\xad"):
        return False
    if not right[0].islower():
        return True
    before = _LAST_PART.search(left[:-1].lower()[-60:])
    after = _FIRST_PART.match(right.lower())
    head, tail = before[0] if before else "", after[0] if after else ""
    if f"{head}-{tail}" in words:
        return True
    if head + tail in words:
        return False
    return "-" in head or head in _BEFORE or tail in _AFTER


def _edges(page: Sequence[str]) -> set[int]:
    filled = [number for number, line in enumerate(page) if line.strip()]
    return {*filled[:_EDGE_LINES], *filled[-_EDGE_LINES:]}


def _key(line: str) -> str:
    return re.sub(r"\d+", "#", _squeeze(line)).casefold()


def _squeeze(line: str) -> str:
    return "".join(line.split())
