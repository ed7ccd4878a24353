"""edge-slm bench commands: time and memory of the command itself."""

import click

from edge_slm.cli import output
from edge_slm.cli.bench.common import AS_JSON, REPEAT
from edge_slm.i18n import t
from edge_slm.machine import summary

PARTS = ("start", "ask", "memory")
REPEATS = 5


@click.command(
    "commands",
    help=t(
        "Time and memory of the command: start (--help), ask (a question, cold and warm), memory "
        "(the demo's peak, for each profile installed).",
        "Temps et mémoire de la commande : start (--help), ask (une question, à froid et à chaud), "
        "memory (le maximum de la démo, par profil installé).",
    ),
)
@click.option(
    "--part",
    "parts",
    multiple=True,
    type=click.Choice(PARTS),
    help=t("This part only; repeatable.", "Cette partie seulement ; répétable."),
)
@REPEAT
@AS_JSON
def command(parts: tuple[str, ...], repeat: int | None, as_json: bool) -> None:
    """Measure the command."""
    from edge_slm.bench.commands import SUITES

    rows = {}
    for part in parts or PARTS:
        rows[part] = SUITES[part](repeat or REPEATS)
        if not as_json:
            for key, value in rows[part].items():
                click.echo(f"{part}.{key}: {value}")
    if as_json:
        output.show_json({**rows, **summary()})
        return
    for key, text in summary().items():
        click.echo(f"{key}: {text}")
