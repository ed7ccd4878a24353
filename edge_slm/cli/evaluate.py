"""edge-slm eval: quality on a data file."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from edge_slm.cli import output
from edge_slm.cli.options import AS_JSON, CHAT_MODEL
from edge_slm.i18n import t
from edge_slm.machine import summary
from edge_slm.progress import progress

if TYPE_CHECKING:
    from edge_slm.engines import Embedder

FILE = click.Path(path_type=Path)
QUESTIONS = click.option(
    "--questions",
    type=FILE,
    required=True,
    help=t("JSON lines of questions.", "Questions en JSON lines."),
)


@click.group(
    "eval", help=t("Measure quality on a data file.", "Mesurer la qualité sur un fichier.")
)
def command() -> None:
    """Group of the suites."""


@command.command(
    "retrieval",
    help=t(
        "Rank of the right document. Corpus rows: id, title, text or text_court; question rows: "
        "question, gold_doc. The index is kept, by the hash of the corpus.",
        "Rang du bon document. Lignes du corpus : id, title, text ou text_court ; des questions : "
        "question, gold_doc. L'index est gardé, selon l'empreinte du corpus.",
    ),
)
@click.option(
    "--corpus",
    "corpora",
    type=FILE,
    multiple=True,
    required=True,
    help=t("JSON lines of documents; repeat to mix.", "Documents en JSON lines ; à répéter."),
)
@QUESTIONS
@click.option(
    "--hide-titles",
    is_flag=True,
    help=t("Leave titles out of the index.", "Laisser les titres hors de l'index."),
)
@AS_JSON
def retrieval(corpora: tuple[Path, ...], questions: Path, hide_titles: bool, as_json: bool) -> None:
    """Score retrieval."""
    from edge_slm.engines.loaded import Engines
    from edge_slm.evaluation.corpus import indexed
    from edge_slm.evaluation.retrieval import Question, evaluate
    from edge_slm.evaluation.rows import read_rows

    asked = read_rows(questions, Question)
    embedder = Engines().embedder()
    with indexed(corpora, embedder, hide_titles) as base:
        score = evaluate(base, embedder, asked)
    _show(score, as_json)


@command.command(
    "answers",
    help=t(
        "Right answers, citations, refusals. Rows: question, answerable, document (or gold_doc), "
        "page, must_appear (or key_facts).",
        "Bonnes réponses, citations et refus. Lignes : question, answerable, document (ou "
        "gold_doc), page, must_appear (ou key_facts).",
    ),
)
@QUESTIONS
@click.option(
    "--kb", help=t("Base to ask; or give --corpus.", "Base à interroger ; ou bien --corpus.")
)
@click.option(
    "--corpus",
    "corpora",
    type=FILE,
    multiple=True,
    help=t("JSON lines of documents; repeat to mix.", "Documents en JSON lines ; à répéter."),
)
@CHAT_MODEL
@AS_JSON
def answers(
    questions: Path, kb: str | None, corpora: tuple[Path, ...], model: str | None, as_json: bool
) -> None:
    """Score answers."""
    from edge_slm.assistant import Assistant
    from edge_slm.engines.loaded import Engines
    from edge_slm.evaluation.answers import Question, evaluate
    from edge_slm.evaluation.rows import read_rows

    asked = read_rows(questions, Question)
    base = kb
    if corpora:
        engines = Engines()  # closed before the assistant loads its own
        base = str(_indexed_path(corpora, engines.embedder()))
        engines.close()
    with (
        Assistant.open(model=model, kb=[base] if base else None) as assistant,
        progress(t("Asking", "Questions"), len(asked)) as advance,
    ):
        score = evaluate(assistant, asked, advance)
    _show(score, as_json)


@command.command(
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
def calibrate_command(sets: tuple[tuple[Path, Path], ...], as_json: bool) -> None:
    """Fit the confidence."""
    from edge_slm.engines.loaded import Engines
    from edge_slm.evaluation.calibrate import calibrate
    from edge_slm.evaluation.rows import read_rows
    from edge_slm.kb.base import KnowledgeBase
    from edge_slm.kb.search import search

    embedder = Engines().embedder()
    signals, answerable = [], []
    for corpus, questions in sets:
        path = corpus if corpus.suffix == ".db" else _indexed_path([corpus], embedder)
        with KnowledgeBase.open(path) as base:
            for row in read_rows(questions, Labelled):
                signals.append(search(base, embedder, row.question).signals)
                answerable.append(row.is_answerable)
    _show(calibrate(signals, answerable), as_json)


class Labelled(msgspec.Struct, frozen=True):
    """A question that is answerable, or says why it is not."""

    question: str
    answerable: bool | None = None
    reason: str | None = None

    @property
    def is_answerable(self) -> bool:
        """What the row says; a row with a reason against is not answerable."""
        return self.reason is None if self.answerable is None else self.answerable


def _indexed_path(corpora: Sequence[Path], embedder: "Embedder") -> Path:
    from edge_slm.evaluation.corpus import indexed

    with indexed(corpora, embedder) as base:
        return base.path


def _show(score: msgspec.Struct, as_json: bool) -> None:
    row: dict[str, Any] = msgspec.to_builtins(score)
    if as_json:
        output.show_json({**row, **summary()})
        return
    for key, value in row.items():
        if isinstance(value, list):
            click.echo(f"{key}: {len(value)}")
            for line in value:
                click.echo(f"  {line}")
        else:
            click.echo(f"{key}: {value}")
