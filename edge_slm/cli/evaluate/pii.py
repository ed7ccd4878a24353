"""edge-slm eval pii: is personal data masked, and nothing else?"""

from pathlib import Path

import click

from edge_slm.cli.evaluate.common import DETAILS, SAMPLE, rows_of, show, write_details
from edge_slm.cli.options import AS_JSON
from edge_slm.i18n import t


@click.command(
    "pii",
    help=t(
        "Personal data found in French texts, by kind. Rows: text, entities (start, end, label).",
        "Données personnelles trouvées dans des textes français, par type. Lignes : text, entities "
        "(start, end, label).",
    ),
)
@rows_of("texts", "JSON lines of labelled texts.", "Textes annotés, en JSON lines.")
@SAMPLE
@DETAILS
@AS_JSON
def command(texts: Path, sample: int | None, details: Path | None, as_json: bool) -> None:
    """Score the masking."""
    from edge_slm.evaluation.pii import LabelledText, evaluate
    from edge_slm.evaluation.rows import read_rows, sampled

    score, rows = evaluate(sampled(read_rows(texts, LabelledText), sample))
    write_details(details, rows)
    show(score, as_json)
