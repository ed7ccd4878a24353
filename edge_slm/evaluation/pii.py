"""Is personal data found? Recall and precision by kind, and what leaks, on labelled texts."""

import time
from collections import Counter
from collections.abc import Callable, Sequence

import msgspec
import numpy as np

from edge_slm.privacy.mask import Masked, mask

Spans = list[tuple[int, int, str]]
# Masked before the clock runs: it has the libraries loaded that check keys and foreign numbers.
_FIRST = "+32 2 555 12 12, FR14 2004 1010 0505 0001 3M02 606, 2 55 08 14 168 025 38"


class Labelled(msgspec.Struct, frozen=True):
    """Personal data in a text: characters `start` to `end` (exclusive), and its kind."""

    start: int
    end: int
    label: str


class LabelledText(msgspec.Struct, frozen=True):
    """A text and all the personal data in it."""

    text: str
    entities: tuple[Labelled, ...]


class Found(msgspec.Struct, frozen=True):
    """How one kind was found. Shares from 0 to 1, 1.0 where there was nothing to find or found.

    Attributes:
        labelled: entities of the kind in the texts.
        found: entities that were masked as that kind.
        recall: share of those labelled that were masked with the very same characters and kind.
        precision: share of those masked that are labelled so.
        overlap_recall: like recall, with at least one character in common.
        overlap_precision: like precision, with at least one character in common.
    """

    labelled: int
    found: int
    recall: float
    precision: float
    overlap_recall: float
    overlap_precision: float


class PiiScore(msgspec.Struct, frozen=True):
    """The figures of all kinds together, with those of `Found`, then each kind's.

    Attributes:
        leak_rate: share of the labelled characters that were left unmasked, whatever the kind.
        clean_texts: texts without any entity.
        false_alarms: clean texts in which something was masked.
        restored: texts that came back the same from their masked text.
        p50_ms: half of the texts took less, in milliseconds.
        p95_ms: 95 in 100 texts took less, in milliseconds.
    """

    texts: int
    recall: float
    precision: float
    overlap_recall: float
    overlap_precision: float
    leak_rate: float
    clean_texts: int
    false_alarms: int
    restored: int
    p50_ms: float
    p95_ms: float
    by_label: dict[str, Found]


class Reviewed(msgspec.Struct, frozen=True):
    """What became of one text: the entities missed, and those masked that are none."""

    text: str
    masked: str
    missed: tuple[Labelled, ...]
    extra: tuple[Labelled, ...]


class _Outcome(msgspec.Struct, frozen=True):
    labelled: Spans
    found: Spans
    leaked: int
    restored: bool
    ms: float


def evaluate(
    rows: Sequence[LabelledText], masking: Callable[[str], Masked] = mask
) -> tuple[PiiScore, list[Reviewed]]:
    """Mask each text; return the score and what was missed or too much in each."""
    masking(_FIRST)
    outcomes, reviews = [], []
    for row in rows:
        start = time.perf_counter()
        masked = masking(row.text)
        ms = (time.perf_counter() - start) * 1000
        labelled = [(e.start, e.end, e.label) for e in row.entities]
        found = [(e.start, e.end, e.label) for e in masked.entities]
        restored = masked.restore(masked.text) == row.text
        outcomes.append(_Outcome(labelled, found, _leaked(labelled, found), restored, ms))
        reviews.append(
            Reviewed(
                row.text,
                masked.text,
                tuple(Labelled(*span) for span in labelled if span not in found),
                tuple(Labelled(*span) for span in found if span not in labelled),
            )
        )
    return _score(outcomes), reviews


def _score(outcomes: Sequence[_Outcome]) -> PiiScore:
    counts: dict[str, Counter[str]] = {}
    for outcome in outcomes:
        for labels, others, side in (
            (outcome.labelled, outcome.found, "labelled"),
            (outcome.found, outcome.labelled, "found"),
        ):
            for span in labels:
                count = counts.setdefault(span[2], Counter())
                count[side] += 1
                count[f"{side} exactly"] += span in others
                count[f"{side} nearly"] += any(_meet(span, other) for other in others)
    total = sum(counts.values(), Counter[str]())
    overall = _found(total)
    times = [outcome.ms for outcome in outcomes] or [0.0]
    characters = sum(end - start for o in outcomes for start, end, _ in o.labelled)
    return PiiScore(
        texts=len(outcomes),
        recall=overall.recall,
        precision=overall.precision,
        overlap_recall=overall.overlap_recall,
        overlap_precision=overall.overlap_precision,
        leak_rate=round(sum(o.leaked for o in outcomes) / max(1, characters), 4),
        clean_texts=sum(not o.labelled for o in outcomes),
        false_alarms=sum(not o.labelled and bool(o.found) for o in outcomes),
        restored=sum(o.restored for o in outcomes),
        p50_ms=round(float(np.percentile(times, 50)), 2),
        p95_ms=round(float(np.percentile(times, 95)), 2),
        by_label={label: _found(counts[label]) for label in sorted(counts)},
    )


def _found(count: Counter[str]) -> Found:
    def share(side: str, how: str) -> float:
        return round(count[f"{side} {how}"] / count[side], 4) if count[side] else 1.0

    return Found(
        labelled=count["labelled"],
        found=count["found"],
        recall=share("labelled", "exactly"),
        precision=share("found", "exactly"),
        overlap_recall=share("labelled", "nearly"),
        overlap_precision=share("found", "nearly"),
    )


def _meet(one: tuple[int, int, str], other: tuple[int, int, str]) -> bool:
    return one[2] == other[2] and one[0] < other[1] and other[0] < one[1]


def _leaked(labelled: Spans, found: Spans) -> int:
    """Return how many labelled characters no mask covers."""
    masked = {place for start, end, _ in found for place in range(start, end)}
    return sum(place not in masked for start, end, _ in labelled for place in range(start, end))
