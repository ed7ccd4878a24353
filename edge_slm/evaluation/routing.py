"""Does the router see what a request is, and in which language?

It scores what a request looks like; which of those a base answers is for the suite `answers`.
"""

import time
from collections import Counter
from collections.abc import Sequence

import msgspec
import numpy as np

from edge_slm.errors import UsageError
from edge_slm.i18n import t
from edge_slm.language import of_request
from edge_slm.routing.request import LABELS
from edge_slm.routing.router import route

# Other files call the same thing otherwise.
ALIASES = {"injection": "prompt_injection"}


class Question(msgspec.Struct, frozen=True):
    """A request, and what it is; a row of a file of personal data has entities for a label."""

    text: str
    lang: str
    label: str | None = None
    entities: tuple[dict[str, object], ...] = ()

    @property
    def expected(self) -> str | None:
        """The label, or None where the row has none."""
        if self.label is None:
            return "pii" if self.entities else None
        return ALIASES.get(self.label, self.label)


class RoutingScore(msgspec.Struct, frozen=True):
    """Shares of the requests (0 to 1), and times of the router in milliseconds.

    accuracy: of labels. language_accuracy: of languages. both: right in both.
    precision, recall: by label. confusion: what each label was taken for, right ones too.
    """

    questions: int
    accuracy: float
    language_accuracy: float
    both: float
    p50_ms: float
    p95_ms: float
    precision: dict[str, float]
    recall: dict[str, float]
    confusion: dict[str, dict[str, int]]


class Routed(msgspec.Struct, frozen=True):
    """What the router made of a request, and how likely it held that to be."""

    text: str
    lang: str
    label: str
    found_lang: str
    found: str
    probability: float
    ms: float


def evaluate(questions: Sequence[Question]) -> tuple[RoutingScore, list[Routed]]:
    """Route each request that has a label; return the score and what became of each.

    Raises:
        UsageError: a label that the router does not know, or none at all.
    """
    asked = [question for question in questions if question.expected and question.text.strip()]
    unknown = {str(question.expected) for question in asked} - {*LABELS}
    if unknown or not asked:
        raise UsageError(
            t(
                "The labels of requests are {known}; these are not: {unknown}.",
                "Les étiquettes des demandes sont {known} ; pas celles-ci : {unknown}.",
                known=", ".join(LABELS),
                unknown=", ".join(sorted(unknown)) or "-",
            )
        )
    route("?")  # the weights are read once a process
    rows = [_routed(question) for question in asked]
    right = [row.found == row.label for row in rows]
    spoken = [row.found_lang in row.lang.split("/") for row in rows]  # “fr/en” is either
    times = [row.ms for row in rows]
    confusion: dict[str, Counter[str]] = {}
    for row in rows:
        confusion.setdefault(row.label, Counter())[row.found] += 1
    taken = Counter(row.found for row in rows)
    hits = {label: confusion[label][label] for label in confusion}
    score = RoutingScore(
        questions=len(rows),
        accuracy=_share(sum(right), len(rows)),
        language_accuracy=_share(sum(spoken), len(rows)),
        both=_share(sum(a and b for a, b in zip(right, spoken, strict=True)), len(rows)),
        p50_ms=round(float(np.percentile(times, 50)), 2),
        p95_ms=round(float(np.percentile(times, 95)), 2),
        precision={k: _share(hits.get(k, 0), taken[k]) for k in LABELS if taken[k]},
        recall={k: _share(hits[k], confusion[k].total()) for k in LABELS if k in confusion},
        confusion={k: dict(confusion[k].most_common()) for k in LABELS if k in confusion},
    )
    return score, rows


def _routed(question: Question) -> Routed:
    text = question.text.strip()
    start = time.perf_counter()
    request = route(text)
    language = of_request(text)
    ms = (time.perf_counter() - start) * 1000
    return Routed(
        text=question.text,
        lang=question.lang,
        label=str(question.expected),
        found_lang=language,
        found=request.label,
        probability=round(request.probabilities.get(request.label, 0.0), 4),
        ms=round(ms, 3),
    )


def _share(part: int, whole: int) -> float:
    return round(part / whole, 4)
