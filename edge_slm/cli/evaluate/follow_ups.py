"""edge-slm eval follow-ups: are questions that lean on earlier ones understood?"""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge_slm.cli.evaluate.common import (
    CORPORA,
    DETAILS,
    QUESTIONS,
    SAMPLE,
    indexed_path,
    show,
    write_details,
)
from edge_slm.cli.options import AS_JSON
from edge_slm.i18n import t

if TYPE_CHECKING:
    from edge_slm.engines.loaded import Engines
    from edge_slm.evaluation.follow_ups import Dialogue, FollowUpScore, Rewrite, Understood


@click.command(
    "follow-ups",
    help=t(
        "Follow-up questions made self-contained. Rows: earlier (questions), question, follow_up, "
        "expected (a list), gold_doc. With a base, also what retrieval gains by it.",
        "Questions de suite rendues autonomes. Lignes : earlier (questions), question, follow_up, "
        "expected (une liste), gold_doc. Avec une base, aussi ce que la recherche y gagne.",
    ),
)
@QUESTIONS
@click.option(
    "--kb", help=t("Base to search; or give --corpus.", "Base où chercher ; ou --corpus.")
)
@CORPORA
@click.option(
    "--split",
    metavar="NAME",
    help=t("Only the rows of this split.", "Seulement les lignes de cette partie."),
)
@click.option(
    "--model",
    metavar="ID",
    help=t(
        "Have this chat model rewrite, instead of the rules.",
        "Faire réécrire ce modèle de langage, au lieu des règles.",
    ),
)
@SAMPLE
@DETAILS
@AS_JSON
def command(
    questions: Path,
    kb: str | None,
    corpora: tuple[Path, ...],
    split: str | None,
    model: str | None,
    sample: int | None,
    details: Path | None,
    as_json: bool,
) -> None:
    """Score follow-up questions."""
    from edge_slm.engines.loaded import Engines
    from edge_slm.errors import UsageError
    from edge_slm.evaluation.follow_ups import Dialogue, by_rules
    from edge_slm.evaluation.rewriting import by_model
    from edge_slm.evaluation.rows import read_rows, sampled

    rows = [row for row in read_rows(questions, Dialogue) if split in (None, row.split)]
    if not rows:
        raise UsageError(
            t("No row is of the split {split}.", "Aucune ligne de la partie {split}.", split=split)
        )
    engines = Engines(model)
    try:
        rewrite = by_model(engines.chat()[0]) if model else by_rules
        base = str(indexed_path(corpora, engines.embedder())) if corpora else kb
        score, done = _scored(sampled(rows, sample), rewrite, base, engines)
    finally:
        engines.close()
    write_details(details, done)
    show(score, as_json)


def _scored(
    rows: "list[Dialogue]", rewrite: "Rewrite", base: str | None, engines: "Engines"
) -> "tuple[FollowUpScore, list[Understood]]":
    from edge_slm.evaluation.follow_ups import evaluate
    from edge_slm.kb.base import KnowledgeBase, base_path

    if base is None:
        return evaluate(rows, rewrite)
    with KnowledgeBase.open(base_path(base)) as opened:
        return evaluate(rows, rewrite, opened, engines.embedder(opened.meta["embedder"]))
