"""How near a text comes to the one that was wanted: chrF for translations, WER for transcripts.

Both score a whole set at once: counts are added over all texts before anything is divided. chrF
gives the figures of sacrebleu 2.6.0 (`sacrebleu.metrics.CHRF()`, signature
nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no), WER those of jiwer 4.0.0 on the same words.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

ORDER = 6  # characters of the longest n-gram (Popović 2015, 3)
BETA = 2.0  # recall counts twice as much as precision: chrF2 (Popović 2016)

_APART = re.compile(r"[^\w%€]+|_+")


def chrf(written: Sequence[str], wanted: Sequence[str]) -> float:
    """Return the character n-gram F-score of translations, 0 to 100.

    Precision and recall are averaged over the lengths 1 to `ORDER` of which both sides have an
    n-gram; spaces do not count, case does. Source: M. Popović, “chrF: character n-gram F-score for
    automatic MT evaluation”, WMT 2015.

    Args:
        written: the translations.
        wanted: as many references.
    """
    pairs = [("".join(a.split()), "".join(b.split())) for a, b in zip(written, wanted, strict=True)]
    precisions, recalls = [], []
    for size in range(1, ORDER + 1):
        ours, theirs, shared = _counts(pairs, size)
        if ours and theirs:
            precisions.append(shared / ours)
            recalls.append(shared / theirs)
    if not precisions or not sum(precisions):
        return 0.0
    precision, recall = (sum(shares) / len(shares) for shares in (precisions, recalls))
    weight = BETA * BETA
    return 100 * (1 + weight) * precision * recall / (weight * precision + recall)


def _counts(pairs: Sequence[tuple[str, str]], size: int) -> tuple[int, int, int]:
    """Return the n-grams of one length: written, wanted, and in both."""
    ours = theirs = shared = 0
    for written, wanted in pairs:
        a, b = _grams(written, size), _grams(wanted, size)
        # A reference too short for this length says nothing of what was written.
        ours += a.total() if b else 0
        theirs += b.total()
        shared += (a & b).total()
    return ours, theirs, shared


def _grams(text: str, size: int) -> Counter[str]:
    return Counter(text[start : start + size] for start in range(len(text) - size + 1))


def word_errors(heard: str, said: str) -> tuple[int, int]:
    """Return the words to replace, remove or add to make one text of the other, and those said.

    Case, punctuation and apostrophes do not count. Numbers do: “10h” for “dix heures” is two
    errors.
    """
    ours, theirs = _words(heard), _words(said)
    row = list(range(len(ours) + 1))
    for number, word in enumerate(theirs, 1):
        before, row = row, [number]
        for place, other in enumerate(ours):
            swap = before[place] + (word != other)
            row.append(min(swap, before[place + 1] + 1, row[place] + 1))
    return row[-1], len(theirs)


def word_error_rate(heard: Sequence[str], said: Sequence[str]) -> float | None:
    """Return the word errors of transcripts per word said; above 1 where more was heard than said.

    Args:
        heard: the transcripts.
        said: as many references; None comes back where they hold no word.
    """
    counts = [word_errors(a, b) for a, b in zip(heard, said, strict=True)]
    words = sum(count for _, count in counts)
    return sum(errors for errors, _ in counts) / words if words else None


def _words(text: str) -> list[str]:
    return _APART.sub(" ", unicodedata.normalize("NFKC", text).casefold()).split()
