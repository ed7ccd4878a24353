"""edge-slm bench quant: chat models side by side, by size, speed, memory and energy."""

from pathlib import Path

import click

from edge_slm.cli.bench.common import AGAINST, AS_JSON, METER, OUT, QUICK, REPEAT
from edge_slm.cli.bench.partly import finish_partly, ready
from edge_slm.i18n import t

REPEATS = 3


@click.command(
    "quant",
    help=t(
        "Chat models side by side: bytes, bits per weight, reading and writing speed, CPU-seconds "
        "and joules per 100 tokens, memory. All that are installed, or those named.",
        "Des modèles de dialogue côte à côte : octets, bits par poids, vitesse de lecture et "
        "d'écriture, secondes de processeur et joules pour 100 jetons, mémoire. Tous ceux qui "
        "sont installés, ou ceux que l'on nomme.",
    ),
)
@click.option(
    "--model",
    "models",
    metavar="ID|FILE",
    multiple=True,
    help=t(
        "Chat model, or a GGUF file; repeatable.",
        "Modèle de dialogue, ou fichier GGUF ; répétable.",
    ),
)
@QUICK
@REPEAT
@METER
@OUT
@AGAINST
@AS_JSON
def command(
    models: tuple[str, ...],
    quick: bool,
    repeat: int | None,
    out: Path | None,
    against: Path | None,
    as_json: bool,
) -> None:
    """Measure chat models."""
    from edge_slm.bench.quant import run, specs
    from edge_slm.progress import progress

    ready()
    chosen = specs(models)
    repeats = repeat or (1 if quick else REPEATS)
    label = t("Measuring models", "Mesure des modèles")
    with progress(label, len(chosen) * (repeats + 1)) as advance:
        cases, stopped = run(chosen, repeats, advance)
    finish_partly(cases, stopped, as_json=as_json, out=out, against=against)
