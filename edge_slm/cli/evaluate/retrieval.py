"""edge-slm eval retrieval: does the right document come first?"""

from pathlib import Path

import click

from edge_slm.cli.evaluate.common import CORPORA, DETAILS, QUESTIONS, SAMPLE, show, write_details
from edge_slm.cli.options import AS_JSON
from edge_slm.i18n import t


@click.command(
    "retrieval",
    help=t(
        "Rank of the right document. Corpus rows: id, title, text or text_court; question rows: "
        "question, gold_doc. The index is kept, by the hash of the corpus.",
        "Rang du bon document. Lignes du corpus : id, title, text ou text_court ; des questions : "
        "question, gold_doc. L'index est gardé, selon l'empreinte du corpus.",
    ),
)
@CORPORA
@QUESTIONS
@click.option(
    "--hide-titles",
    is_flag=True,
    help=t("Leave titles out of the index.", "Laisser les titres hors de l'index."),
)
@SAMPLE
@DETAILS
@AS_JSON
def command(
    corpora: tuple[Path, ...],
    questions: Path,
    hide_titles: bool,
    sample: int | None,
    details: Path | None,
    as_json: bool,
) -> None:
    """Score retrieval."""
    if not corpora:
        raise click.UsageError(t("Name a corpus with --corpus.", "Nommez un corpus : --corpus."))
    from edge_slm.engines.loaded import Engines
    from edge_slm.evaluation.corpus import indexed
    from edge_slm.evaluation.retrieval import Question, evaluate
    from edge_slm.evaluation.rows import read_rows, sampled

    asked = sampled(read_rows(questions, Question), sample)
    embedder = Engines().embedder()
    with indexed(corpora, embedder, hide_titles) as base:
        score, rows = evaluate(base, embedder, asked)
    write_details(details, rows)
    show(score, as_json)
