"""Translations of the sample segments, one case a direction, scored by chrF against references.

A small model is judged on twelve short sentences a direction: enough to see a setting that ruins
it, not to rank two models that are near.
"""

import csv
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from edge_slm import paths
from edge_slm.answer import Answer
from edge_slm.assistant import Assistant
from edge_slm.bench.measure import Runs, case_of
from edge_slm.bench.record import Case
from edge_slm.bench.tasks_runs import SUITE, Plan, model_of, started_anew, total, writing
from edge_slm.errors import UsageError
from edge_slm.evaluation.text_scores import chrf
from edge_slm.i18n import t

COLUMNS = ("id", "source", "target", "text", "reference")
QUICK = 2  # segments a direction


class Segment(NamedTuple):
    """A text in one language, and what a translator made of it in another."""

    id: str
    source: str
    target: str
    text: str
    reference: str


def cases(plan: Plan) -> Iterator[Case]:
    """Yield a case for each direction.

    Raises:
        MissingError: no chat model is installed.
    """
    directions = _directions(plan)
    runs = started_anew(
        partial(Assistant.open, model=plan.model, kb=()),
        lambda assistant: assistant.translate("Merci.", "fr", "en"),  # loads the model
        [partial(_translate_all, segments=group, plan=plan) for group in directions.values()],
        plan.repeats,
    )
    for (pair, group), each in zip(directions.items(), runs, strict=True):
        yield _case(f"translation.{pair}", each, group)


def steps(plan: Plan) -> int:
    """Return how many segments are translated, for a progress bar."""
    return plan.repeats * sum(len(group) for group in _directions(plan).values())


def read_segments(path: Path) -> list[Segment]:
    """Return the segments of a file of tab-separated columns, the first line naming them.

    Raises:
        UsageError: the file cannot be read, or a line is not such a segment; it names the line.
    """
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(path, error) from None
    try:
        rows = list(csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
    except csv.Error as error:  # a cell of over 128 KiB
        raise _unreadable(path, error) from None
    if not rows or tuple(rows[0]) != COLUMNS:
        raise _unreadable(path, ValueError("id, source, target, text, reference"))
    for number, row in enumerate(rows[1:], 2):
        if len(row) != len(COLUMNS) or not all(cell.strip() for cell in row):
            raise UsageError(
                t(
                    "Line {number} of {path} is no segment: it needs five columns with tabs "
                    "between ({columns}).",
                    "La ligne {number} de {path} n'est pas un segment : il faut cinq colonnes "
                    "séparées par des tabulations ({columns}).",
                    number=number,
                    path=path,
                    columns=", ".join(COLUMNS),
                )
            )
    return [Segment(*row) for row in rows[1:]]


def _unreadable(path: Path, error: Exception) -> UsageError:
    return UsageError(
        t(
            "{path} is no file of segments: {error}.",
            "{path} n'est pas un fichier de segments : {error}.",
            path=path,
            error=error,
        )
    )


def _directions(plan: Plan) -> dict[str, list[Segment]]:
    groups: dict[str, list[Segment]] = {}
    for segment in read_segments(paths.examples_dir() / "translation" / "segments.tsv"):
        groups.setdefault(f"{segment.source}-{segment.target}", []).append(segment)
    return {pair: group[:QUICK] if plan.quick else group for pair, group in groups.items()}


def _translate_all(assistant: Assistant, segments: Sequence[Segment], plan: Plan) -> list[Answer]:
    answers = []
    for segment in segments:
        answers.append(assistant.translate(segment.text, segment.source, segment.target))
        plan.advance(1)
    return answers


def _case(name: str, runs: Runs[list[Answer]], segments: Sequence[Segment]) -> Case:
    answers = runs.outcomes[0]
    texts = [answer.text for answer in answers]
    return case_of(
        SUITE,
        name,
        runs,
        model=model_of(answers),
        usage=total(answers),
        answers=len(answers),
        quality=round(chrf(texts, [segment.reference for segment in segments]), 2),
        quality_name="chrf",
        **writing(answers),
        more={
            "warnings": sum(len(answer.warnings) for answer in answers),
            "same_texts": all([one.text for one in run] == texts for run in runs.outcomes),
        },
    )
