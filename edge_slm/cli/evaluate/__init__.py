"""edge-slm eval: quality on a data file, one module a suite."""

import click

from edge_slm.cli.evaluate import (
    answers,
    approved,
    calibrate,
    follow_ups,
    injection,
    pii,
    quotes,
    retrieval,
    routing,
    triage,
)
from edge_slm.i18n import t

SUITES = {
    "retrieval": retrieval.command,
    "answers": answers.command,
    "approved": approved.command,
    "calibrate": calibrate.command,
    "follow-ups": follow_ups.command,
    "pii": pii.command,
    "quotes": quotes.command,
    "routing": routing.command,
    "injection": injection.command,
    "triage": triage.command,
}


@click.group(
    "eval",
    commands=SUITES,
    help=t("Measure quality on a data file.", "Mesurer la qualité sur un fichier."),
)
def command() -> None:
    """Group of the suites; their answers are none of the user's, and are not noted."""
    from edge_slm.energy.ledger import keep_nothing

    keep_nothing()
