"""edge-slm eval calibrate: when is a base sure enough to answer?"""

from pathlib import Path

import click
import msgspec

from edge_slm.cli.evaluate.common import FILE, indexed_path, show
from edge_slm.cli.options import AS_JSON
from edge_slm.i18n import t


@click.command(
    "calibrate",
    help=t(
        "Fit the confidence under which a question is declined. Rows: question, answerable; a row "
        "with a “reason” has no answer.",
        "Ajuster la confiance sous laquelle une question est déclinée. Lignes : question, "
        "answerable ; une ligne avec « reason » est sans réponse.",
    ),
)
@click.option(
    "--set",
    "sets",
    type=(FILE, FILE),
    multiple=True,
    required=True,
    metavar="CORPUS QUESTIONS",
    help=t(
        "A base (.db) or JSON lines of documents, and its questions; repeat.",
        "Une base (.db) ou des documents en JSON lines, et ses questions ; à répéter.",
    ),
)
@AS_JSON
def command(sets: tuple[tuple[Path, Path], ...], as_json: bool) -> None:
    """Fit the confidence."""
    from edge_slm.engines.loaded import Engines
    from edge_slm.evaluation.calibrate import calibrate
    from edge_slm.evaluation.rows import read_rows
    from edge_slm.kb.base import KnowledgeBase
    from edge_slm.kb.search import search

    embedder = Engines().embedder()
    signals, answerable = [], []
    for corpus, questions in sets:
        path = corpus if corpus.suffix == ".db" else indexed_path([corpus], embedder)
        with KnowledgeBase.open(path) as base:
            for row in read_rows(questions, Labelled):
                signals.append(search(base, embedder, row.question).signals)
                answerable.append(row.is_answerable)
    show(calibrate(signals, answerable), as_json)


class Labelled(msgspec.Struct, frozen=True):
    """A question that is answerable, or says why it is not."""

    question: str
    answerable: bool | None = None
    reason: str | None = None

    @property
    def is_answerable(self) -> bool:
        """What the row says; a row with a reason against is not answerable."""
        return self.reason is None if self.answerable is None else self.answerable
