"""edge-slm bench: time and memory on this machine."""

import click

from edge_slm.cli import output
from edge_slm.cli.options import AS_JSON
from edge_slm.i18n import t
from edge_slm.machine import summary

NAMES = ("start", "ask", "memory")


@click.command(
    "bench",
    help=t(
        "Measure time and memory here: start (the command itself), ask (a question, cold and "
        "warm), memory (the demo's peak, for each profile installed). All by default.",
        "Mesurer ici le temps et la mémoire : start (la commande elle-même), ask (une question, à "
        "froid et à chaud), memory (le maximum de la démo, par profil installé). Tout par défaut.",
    ),
)
@click.argument("suites", nargs=-1, type=click.Choice(NAMES))
@click.option(
    "--repeat",
    default=5,
    show_default=True,
    type=click.IntRange(1, 1000),
    help=t("Runs of each; the median is shown.", "Essais de chacun ; la médiane est montrée."),
)
@AS_JSON
def command(suites: tuple[str, ...], repeat: int, as_json: bool) -> None:
    """Measure."""
    from edge_slm.evaluation.speed import SUITES

    rows = {name: SUITES[name](repeat) for name in suites or NAMES}
    if as_json:
        output.show_json({**rows, **summary()})
        return
    for name, values in rows.items():
        for key, value in values.items():
            click.echo(f"{name}.{key}: {value}")
    for key, text in summary().items():
        click.echo(f"{key}: {text}")
