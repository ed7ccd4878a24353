"""Paragraphs, lists and numbered headings out of the bare lines of plain text and PDF pages.

A blank line parts paragraphs. Knows nothing of files.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

from edge_slm.kb.readers.cleaning import clean
from edge_slm.kb.readers.gather import Gatherer

TITLE_CHARACTERS = 120
HEADING_CHARACTERS = 80

_BULLET = re.compile(r"\s*([-*•◦▪▫■●○–—➢➤✓])\s+(?=\S)")
_NUMBERED = re.compile(r"(\d{1,2}(?:\.\d{1,2})*|[IVX]+)[.)]?\s+(?=[A-ZÀ-Ý])")
_NAMED = re.compile(
    r"(partie|titre|chapitre|section|article|annexe|part|title|chapter|appendix)\s+"
    r"(?:\d{1,3}|[IVXLC]+|[A-Z]|premi[eè]re?|1er|1re)(?:\s*[-–—:.]\s*\S.*)?$",
    re.IGNORECASE,
)
_NAMED_LEVELS = {
    "partie": 1, "part": 1, "titre": 1, "title": 1, "annexe": 1, "appendix": 1,
    "chapitre": 2, "chapter": 2, "section": 3, "article": 4,
}  # fmt: skip
_SENTENCE_ENDS = (".", ";", ",", ":", "!", "?", "…")


def short_title(line: str) -> str:
    """Return a first line that can serve as title, else ""."""
    return line if len(line) <= TITLE_CHARACTERS else ""


def gather_lines(
    lines: Sequence[str],
    gatherer: Gatherer,
    join: Callable[[Sequence[str]], str] = " ".join,
    known: Mapping[str, int] | None = None,
) -> None:
    """Give the paragraphs, lists and headings of a page to `gatherer`.

    Args:
        lines: the lines of a page; a blank one parts paragraphs.
        gatherer: receives them.
        join: makes one text of the lines of a paragraph.
        known: levels of headings known from elsewhere (a PDF's bookmarks), by casefolded text;
            when there are any, there are no others.
    """
    known = known or {}
    groups = _split_headings(_groups(lines), known)
    levels = [heading_level(group[0], known) if len(group) == 1 else 0 for group in groups]
    previous = 0
    for group, level, following in zip(groups, levels, [*levels[1:], -1], strict=False):
        # Numbered items in a row are a list, and a heading with nothing below it is text.
        opens = level and following >= 0 and (following == 0 or following > level)
        if clean(group[0]).casefold() in known or (opens and previous != level):
            gatherer.heading(level, group[0])
            previous = 0
        else:
            _gather_group(group, gatherer, join)
            previous = level


def heading_level(line: str, known: Mapping[str, int]) -> int:
    """Return the level of a heading-like line ("2.1 Durée", "Article 3 : Congés"), else 0."""
    line = clean(line)
    if known:
        return known.get(line.casefold(), 0)
    if len(line) > HEADING_CHARACTERS or line.endswith(_SENTENCE_ENDS):
        return 0
    if found := _NAMED.match(line):
        return _NAMED_LEVELS[found[1].lower()]
    if found := _NUMBERED.match(line):
        # "2 Durée" may be a table's cell; a lone number needs its point.
        return found[1].count(".") + 1 if set(found[0]) & set(".)") else 0
    return 0


def _groups(lines: Sequence[str]) -> list[list[str]]:
    groups: list[list[str]] = [[]]
    for line in lines:
        if clean(line):
            groups[-1].append(line)
        elif groups[-1]:
            groups.append([])
    merged: list[list[str]] = []
    for group in filter(None, groups):
        # A list with gaps between its items is one list.
        if merged and _BULLET.match(group[0]) and _BULLET.match(merged[-1][0]):
            merged[-1] += group
        else:
            merged.append(group)
    return merged


def _split_headings(groups: list[list[str]], known: Mapping[str, int]) -> list[list[str]]:
    """Part the heading that stands right above its paragraph, without a blank line."""
    parted: list[list[str]] = []
    for group in groups:
        current: list[str] = []
        for line, following in pairwise([*group, ""]):
            level = heading_level(line, known)
            bookmark = clean(line).casefold() in known
            first = not current and following and heading_level(following, known) != level
            if level and (bookmark or first):
                parted += [current] if current else []
                parted.append([line])
                current = []
            else:
                current.append(line)
        parted += [current] if current else []
    return parted


def _gather_group(
    lines: Sequence[str], gatherer: Gatherer, join: Callable[[Sequence[str]], str]
) -> None:
    """Add a paragraph, or the paragraph and the list that it introduces."""
    starts = [number for number, line in enumerate(lines) if _BULLET.match(line)]
    # One dash alone may be a dialogue or a minus sign.
    marks = {found[1] for line in lines if (found := _BULLET.match(line))}
    if len(starts) < 2 and marks <= set("-*–—"):
        gatherer.paragraph(join(lines))
        return
    if starts[0]:
        gatherer.paragraph(join(lines[: starts[0]]))
    items = [lines[start:end] for start, end in pairwise([*starts, len(lines)])]
    gatherer.listing(join([_BULLET.sub("", item[0], count=1), *item[1:]]) for item in items)
