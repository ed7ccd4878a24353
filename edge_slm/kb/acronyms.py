"""Finds the abbreviations that a text explains: “compte épargne-temps (CET)”.

Letters are matched with the first letters of the words before the brackets, so that
“l'agent (Paris)” explains nothing.
"""

import re
from collections import Counter
from collections.abc import Iterable

from edge_slm.text import fold

MOST_SKIPPED = 2  # words of substance without a letter, as in “régime indemnitaire (RI)”
FUNCTION = frozenset(
    [
        "a",
        "au",
        "aux",
        "d",
        "de",
        "des",
        "du",
        "en",
        "et",
        "l",
        "la",
        "le",
        "les",
        "par",
        "pour",
        "sur",
        "of",
        "the",
        "and",
        "for",
        "in",
    ]
)
LONGEST = 160  # characters of the words spelt out
_BRACKETS = re.compile(r"\(([^()\n]{2,160})\)")
_SHORT = re.compile(r"[A-ZÀ-Ý][A-Za-zÀ-ÿ]{1,9}")
_SHORT_BEFORE = re.compile(r"\b([A-Z]{2,10}) $")
_STOP = re.compile(r"[().;:!?\n|«»]")
_WORD = re.compile(r"[^\W_]+")


def explained(texts: Iterable[str]) -> dict[str, str]:
    """Return what abbreviations stand for: folded, and its words as most texts say.

    Args:
        texts: passages or titles.
    """
    seen: dict[str, Counter[str]] = {}
    for text in texts:
        for found in _BRACKETS.finditer(text):
            before = text[max(0, found.start() - LONGEST) : found.start()]
            if _SHORT.fullmatch(found[1]):
                short, long = found[1], _spelt(fold(found[1]), _STOP.split(before)[-1], False)
            elif known := _SHORT_BEFORE.search(before):
                short, long = known[1], _spelt(fold(known[1]), found[1], True)
            else:
                continue
            if long:
                seen.setdefault(fold(short), Counter())[long] += 1
    return {short: counts.most_common(1)[0][0] for short, counts in seen.items()}


def _spelt(letters: str, words: str, whole: bool) -> str:
    """Return the end of some words that an abbreviation's letters begin, or ""."""
    found = list(_WORD.finditer(words))
    left, skipped, start = list(letters), 0, len(words)
    for word in reversed(found):
        if not left:
            break
        text = fold(word.group())
        if text.startswith(left[-1]):
            left.pop()
            start = word.start()
        elif text not in FUNCTION:
            skipped += 1
    if left or skipped > MOST_SKIPPED or (whole and found[0].start() != start):
        return ""
    long = " ".join(words[start:].split())
    spelt = _WORD.findall(long)
    return long if len(spelt) > 1 and fold(spelt[0]) not in FUNCTION else ""
