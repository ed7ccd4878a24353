"""edge-slm eval routing: does the router see what a request is?"""

from pathlib import Path

import click

from edge_slm.cli.evaluate.common import DETAILS, FILE, SAMPLE, show, write_details
from edge_slm.cli.options import AS_JSON
from edge_slm.i18n import t


@click.command(
    "routing",
    help=t(
        "What a request is and in which language. Rows: text, lang, label (hr_faq, "
        "admin_hors_rh, translation, transcription, small_talk, out_of_scope, prompt_injection, "
        "pii).",
        "Ce qu'est une demande, et en quelle langue. Lignes : text, lang, label (hr_faq, "
        "admin_hors_rh, translation, transcription, small_talk, out_of_scope, prompt_injection, "
        "pii).",
    ),
)
@click.option(
    "--questions",
    "files",
    type=FILE,
    multiple=True,
    required=True,
    help=t("JSON lines of requests; repeat.", "Demandes en JSON lines ; à répéter."),
)
@SAMPLE
@DETAILS
@AS_JSON
def command(
    files: tuple[Path, ...], sample: int | None, details: Path | None, as_json: bool
) -> None:
    """Score the router."""
    from edge_slm.evaluation.routing import Question, evaluate
    from edge_slm.evaluation.rows import read_rows, sampled

    asked = [row for path in files for row in read_rows(path, Question)]
    score, rows = evaluate(sampled(asked, sample))
    write_details(details, rows)
    show(score, as_json)
