"""Ratings out of a base, as rows that an evaluation reads: query, output, output_true."""

import csv
from collections.abc import Sequence
from pathlib import Path

import msgspec

from edge_slm.errors import UsageError
from edge_slm.i18n import t
from edge_slm.kb import approvals, ratings
from edge_slm.kb.base import KnowledgeBase
from edge_slm.kb.export import written_whole


class Pair(msgspec.Struct, frozen=True):
    """A rated answer: what was asked, what was answered, and what is right.

    `output_true` is the text that a person approved, else the correction, else the answer if it was
    found good; empty where nobody said what is right.
    """

    query: str
    output: str
    output_true: str
    verdict: str
    reason: str
    kind: str


def pairs(base: KnowledgeBase) -> list[Pair]:
    """Return the rated answers of a base, oldest first, but for those that were rejected."""
    approved = {row["rating"]: row["answer"] for row in approvals.all_of(base)}
    return [
        Pair(
            rating.question,
            rating.answer,
            approved.get(rating.id, ratings.proposed(rating)),
            rating.verdict,
            rating.reason,
            rating.kind,
        )
        for rating in ratings.all_of(base)
        if rating.status != "rejected"
    ]


def write(rows: Sequence[Pair], path: Path) -> None:
    """Write rated answers to a file, whole or not at all: .jsonl, or .csv with a line of names.

    Raises:
        UsageError: another suffix.
        EdgeSlmError: the file cannot be written.
    """
    writers = {".jsonl": _json_lines, ".csv": _csv}
    writer = writers.get(path.suffix.lower())
    if writer is None:
        raise UsageError(
            t(
                "Ratings are exported to a .jsonl or a .csv file, not to {name}.",
                "Les avis s'exportent vers un fichier .jsonl ou .csv, pas vers {name}.",
                name=path.name,
            )
        )
    with written_whole(path) as temporary:
        writer(rows, temporary)


def _json_lines(rows: Sequence[Pair], path: Path) -> None:
    path.write_bytes(b"".join(msgspec.json.encode(row) + b"\n" for row in rows))


def _csv(rows: Sequence[Pair], path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, Pair.__struct_fields__)
        writer.writeheader()
        writer.writerows(msgspec.to_builtins(row) for row in rows)
