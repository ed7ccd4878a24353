"""edge-slm eval quotes: is the right sentence quoted?"""

from pathlib import Path

import click

from edge_slm.cli.evaluate.common import CORPORA, FILE, SAMPLE, show
from edge_slm.cli.options import AS_JSON
from edge_slm.i18n import t
from edge_slm.progress import progress


@click.command(
    "quotes",
    help=t(
        "How often the right sentence is quoted, and the weights that choose it, fitted anew. "
        "Rows: question, gold_doc, evidence, key_facts.",
        "Combien de fois la bonne phrase est citée, et les poids qui la choisissent, ajustés à "
        "nouveau. Lignes : question, gold_doc, evidence, key_facts.",
    ),
)
@CORPORA
@click.option(
    "--questions",
    type=FILE,
    multiple=True,
    required=True,
    help=t("JSON lines of questions; repeat.", "Questions en JSON lines ; à répéter."),
)
@SAMPLE
@AS_JSON
def command(
    corpora: tuple[Path, ...], questions: tuple[Path, ...], sample: int | None, as_json: bool
) -> None:
    """Score quotations."""
    from edge_slm.engines.loaded import Engines
    from edge_slm.evaluation.answers import Question
    from edge_slm.evaluation.corpus import indexed
    from edge_slm.evaluation.quotes import evaluate
    from edge_slm.evaluation.rows import read_rows, sampled

    if not corpora:
        raise click.UsageError(t("Name a corpus with --corpus.", "Nommez un corpus : --corpus."))
    asked = sampled([row for path in questions for row in read_rows(path, Question)], sample)
    embedder = Engines().embedder()
    with (
        indexed(corpora, embedder) as base,
        progress(t("Searching", "Recherche"), len(asked)) as advance,
    ):
        score = evaluate(base, embedder, asked, advance)
    show(score, as_json)
