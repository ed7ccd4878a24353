"""edge-slm bench: time and memory on this machine."""

from collections.abc import Sequence
from typing import Any

import click

from edge_slm.cli import output
from edge_slm.cli.options import AS_JSON
from edge_slm.errors import UsageError
from edge_slm.i18n import t
from edge_slm.machine import summary

NAMES = ("start", "ask", "memory")  # what runs without a name; `runtime` takes an hour
RUNTIME = "runtime"
PARTS = ("first-token", "lookup", "drafting", "roofline", "switches", "cancels", "crashes")
_RUNTIME_OPTIONS = ("quick", "parts", "model", "peer", "switches", "cancels")


@click.command(
    "bench",
    help=t(
        "Measure time and memory here: start (the command itself), ask (a question, cold and "
        "warm), memory (the demo's peak, for each profile installed), all by default; and runtime "
        "(the engines, an hour, or a minute with --quick).",
        "Mesurer ici le temps et la mémoire : start (la commande elle-même), ask (une question, à "
        "froid et à chaud), memory (le maximum de la démo, par profil installé), tout par défaut ; "
        "et runtime (les moteurs, une heure, ou une minute avec --quick).",
    ),
)
@click.argument("suites", nargs=-1, type=click.Choice((*NAMES, RUNTIME)))
@click.option(
    "--repeat",
    default=5,
    show_default=True,
    type=click.IntRange(1, 1000),
    help=t("Runs of each; the median is shown.", "Essais de chacun ; la médiane est montrée."),
)
@click.option(
    "--quick",
    is_flag=True,
    help=t("runtime: a minute, no peer.", "runtime : une minute, sans serveur témoin."),
)
@click.option(
    "--part",
    "parts",
    multiple=True,
    type=click.Choice(PARTS),
    help=t("runtime: this part only; repeatable.", "runtime : cette partie ; répétable."),
)
@click.option(
    "--model", metavar="ID", help=t("runtime: chat model.", "runtime : modèle de dialogue.")
)
@click.option(
    "--peer/--no-peer",
    default=True,
    help=t(
        "runtime: measure a llama.cpp server beside, if there is one.",
        "runtime : mesurer aussi un serveur llama.cpp, s'il y en a un.",
    ),
)
@click.option(
    "--switches",
    default=1000,
    show_default=True,
    type=click.IntRange(1, 1_000_000),
    help=t("runtime: switches between models.", "runtime : changements de modèle."),
)
@click.option(
    "--cancels",
    default=500,
    show_default=True,
    type=click.IntRange(1, 1_000_000),
    help=t("runtime: stops at random moments.", "runtime : arrêts au hasard."),
)
@AS_JSON
@click.pass_context
def command(
    context: click.Context, /, suites: tuple[str, ...], repeat: int, as_json: bool, **asked: Any
) -> None:
    """Measure."""
    _check(context, suites)
    rows: dict[str, Any] = {}
    for name in suites or NAMES:
        rows[name] = _runtime(repeat, as_json, **asked) if name == RUNTIME else _suite(name, repeat)
        if not as_json and name != RUNTIME:
            _show(name, rows[name])
    if as_json:
        # A single row for whoever asks for the engines alone.
        output.show_json({**(rows[RUNTIME] if suites == (RUNTIME,) else rows), **summary()})
        return
    for key, text in summary().items():
        click.echo(f"{key}: {text}")


def _check(context: click.Context, suites: Sequence[str]) -> None:
    given = {
        name
        for name in _RUNTIME_OPTIONS
        if context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE
    }
    if given and RUNTIME not in suites:
        raise UsageError(
            t(
                "Name the suite that the option is for: edge-slm bench runtime.",
                "Nommez la série à laquelle l'option s'applique : edge-slm bench runtime.",
            )
        )
    if "quick" in given and given - {"quick", "model"}:
        raise UsageError(
            t(
                "--quick goes with --model and --json only: leave the other options out.",
                "--quick ne va qu'avec --model et --json : retirez les autres options.",
            )
        )


def _suite(name: str, repeat: int) -> dict[str, Any]:
    from edge_slm.evaluation.speed import SUITES

    return SUITES[name](repeat)


def _runtime(
    repeat: int,
    as_json: bool,
    *,
    quick: bool,
    parts: tuple[str, ...],
    model: str | None,
    peer: bool,
    switches: int,
    cancels: int,
) -> dict[str, Any]:
    def show(row: dict[str, Any]) -> None:
        if not as_json:
            _show(RUNTIME, row)

    if quick:
        from edge_slm.evaluation.runtime.quick import STEPS
        from edge_slm.evaluation.runtime.quick import quick as measure
        from edge_slm.progress import progress

        with progress(t("Measuring", "Mesure"), STEPS) as advance:
            row = measure(model, advance)
        show(row)
        return row
    from edge_slm.evaluation.runtime.parts import Plan, run

    plan = Plan(model, repeat, peer, switches, cancels)
    chosen = [part for part in PARTS if not parts or part in parts]
    return run(chosen, plan, show, lambda sentence: click.echo(sentence, err=True))


def _show(suite: str, row: dict[str, Any]) -> None:
    for key, value in row.items():
        click.echo(f"{suite}.{key}: {value}")
