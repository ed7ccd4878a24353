"""edge-slm eval approved: do approved answers serve the paraphrases of their questions?"""

from contextlib import nullcontext
from pathlib import Path

import click

from edge_slm.cli.evaluate.common import DETAILS, SAMPLE, rows_of, show, write_details
from edge_slm.cli.options import AS_JSON
from edge_slm.i18n import t


@click.command(
    "approved",
    help=t(
        "Share of paraphrases that get their approved answer, and of questions that get a wrong "
        "one. Rows: question, paraphrases (a list), near (a list of questions that must not "
        "match); a row without a question holds near ones only. No model is needed.",
        "Part des reformulations qui reçoivent leur réponse approuvée, et des questions qui en "
        "reçoivent une fausse. Lignes : question, paraphrases (une liste), near (une liste de "
        "questions qui ne doivent pas répondre) ; une ligne sans question n'a que des near. "
        "Aucun modèle n'est nécessaire.",
    ),
)
@rows_of("questions", "JSON lines of questions.", "Questions en JSON lines.")
@click.option(
    "--kb",
    metavar="NAME",
    help=t(
        "Try it in a copy of this base, with its documents and calibration.",
        "Essayer dans une copie de cette base, avec ses documents et son calibrage.",
    ),
)
@click.option(
    "--among",
    type=click.IntRange(min=0),
    default=0,
    metavar="N",
    help=t(
        "Fill up to N approved answers with made-up ones.",
        "Compléter jusqu'à N réponses approuvées par des réponses inventées.",
    ),
)
@SAMPLE
@DETAILS
@AS_JSON
def command(
    questions: Path,
    kb: str | None,
    among: int,
    sample: int | None,
    details: Path | None,
    as_json: bool,
) -> None:
    """Score approved answers."""
    from edge_slm.evaluation.approved import Row, evaluate
    from edge_slm.evaluation.rows import read_rows, sampled
    from edge_slm.kb.base import KnowledgeBase, base_path

    rows = sampled(read_rows(questions, Row), sample)
    with KnowledgeBase.open(base_path(kb)) if kb else nullcontext() as base:
        score, asked = evaluate(rows, base, among)
    write_details(details, asked)
    show(score, as_json)
