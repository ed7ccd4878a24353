"""edge-slm eval: quality on a data file."""

from pathlib import Path
from typing import Any

import click
import msgspec

from edge_slm.i18n import t
from edge_slm.machine import summary

FILE = click.Path(path_type=Path)
JSON_HELP = t("Print JSON.", "Afficher du JSON.")


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
@click.option(
    "--questions",
    type=FILE,
    required=True,
    help=t("JSON lines of questions.", "Questions en JSON lines."),
)
@click.option(
    "--hide-titles",
    is_flag=True,
    help=t("Leave titles out of the index.", "Laisser les titres hors de l'index."),
)
@click.option("--json", "as_json", is_flag=True, help=JSON_HELP)
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


def _show(score: msgspec.Struct, as_json: bool) -> None:
    row: dict[str, Any] = msgspec.to_builtins(score)
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode({**row, **summary()})).decode())
        return
    for key, value in row.items():
        if isinstance(value, list):
            click.echo(f"{key}: {len(value)}")
            for line in value:
                click.echo(f"  {line}")
        else:
            click.echo(f"{key}: {value}")
