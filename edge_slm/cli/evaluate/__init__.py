"""edge-slm eval: quality on a data file, one module a suite."""

import click

from edge_slm.cli.evaluate import answers, calibrate, retrieval
from edge_slm.i18n import t

SUITES = {
    "retrieval": retrieval.command,
    "answers": answers.command,
    "calibrate": calibrate.command,
}


@click.group(
    "eval",
    commands=SUITES,
    help=t("Measure quality on a data file.", "Mesurer la qualité sur un fichier."),
)
def command() -> None:
    """Group of the suites."""
