"""edge-slm quantize: shrink a model for a device, and prove what it cost."""

import click

from edge_slm.i18n import t
from edge_slm_quantize import SUMMARY


@click.command("quantize", help=t(*SUMMARY))
@click.argument("model", metavar="MODEL")
def command(model: str) -> None:
    """Shrink a model."""
    raise NotImplementedError(model)
