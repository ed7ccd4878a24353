"""edge-slm bench runtime: the engines, an hour, or a minute with --quick."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edge_slm.cli import output
from edge_slm.cli.bench.common import AGAINST, AS_JSON, METER, OUT, REPEAT, keep
from edge_slm.errors import UsageError
from edge_slm.i18n import t
from edge_slm.machine import summary

if TYPE_CHECKING:
    from edge_slm.bench.record import Case

PARTS = ("first-token", "lookup", "drafting", "roofline", "switches", "cancels", "crashes")
REPEATS = 5
_LONG_OPTIONS = ("repeat", "parts", "peer", "switches", "cancels")  # of the long run


@click.command(
    "runtime",
    help=t(
        "The engines: first word, copied answers, drafting, bandwidth, switches, stops, crashes; "
        "an hour, or a minute with --quick.",
        "Les moteurs : premier mot, réponses recopiées, ébauches, débit mémoire, changements, "
        "arrêts, pannes ; une heure, ou une minute avec --quick.",
    ),
)
@REPEAT
@click.option(
    "--quick",
    is_flag=True,
    help=t("A minute, no peer.", "Une minute, sans serveur témoin."),
)
@click.option(
    "--part",
    "parts",
    multiple=True,
    type=click.Choice(PARTS),
    help=t("this part only; repeatable.", "cette partie ; répétable."),
)
@click.option("--model", metavar="ID", help=t("chat model.", "modèle de dialogue."))
@click.option(
    "--peer/--no-peer",
    default=True,
    help=t(
        "measure a llama.cpp server beside, if there is one.",
        "mesurer aussi un serveur llama.cpp, s'il y en a un.",
    ),
)
@click.option(
    "--switches",
    default=1000,
    show_default=True,
    type=click.IntRange(1, 1_000_000),
    help=t("switches between models.", "changements de modèle."),
)
@click.option(
    "--cancels",
    default=500,
    show_default=True,
    type=click.IntRange(1, 1_000_000),
    help=t("stops at random moments.", "arrêts au hasard."),
)
@METER
@OUT
@AGAINST
@AS_JSON
@click.pass_context
def command(
    context: click.Context,
    /,
    as_json: bool,
    out: Path | None,
    against: Path | None,
    **asked: Any,
) -> None:
    """Measure the engines."""
    _check(context)
    cases: list[Case] = []
    row = _measure(as_json, cases, **asked)
    if as_json:
        output.show_json({**row, **summary()})
    else:
        for key, text in summary().items():
            click.echo(f"{key}: {text}")
    keep(cases, out=out, against=against, as_json=False, aside=as_json)


def _check(context: click.Context) -> None:
    given = {
        name
        for name in ("quick", *_LONG_OPTIONS)
        if context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE
    }
    if "quick" in given and len(given) > 1:
        raise UsageError(
            t(
                "--quick runs a few measures once: leave --repeat, --part, --peer, --switches and "
                "--cancels out.",
                "--quick fait quelques mesures une fois : retirez --repeat, --part, --peer, "
                "--switches et --cancels.",
            )
        )


def _measure(
    as_json: bool,
    cases: "list[Case]",
    *,
    repeat: int | None,
    quick: bool,
    parts: tuple[str, ...],
    model: str | None,
    peer: bool,
    switches: int,
    cancels: int,
) -> dict[str, Any]:
    def show(row: dict[str, Any], case: "Case") -> None:
        cases.append(case)
        if not as_json:
            _show(row)

    if quick:
        from edge_slm.bench.runtime.cases import billed
        from edge_slm.bench.runtime.quick import STEPS
        from edge_slm.bench.runtime.quick import quick as measure
        from edge_slm.progress import progress

        with progress(t("Measuring", "Mesure"), STEPS) as advance:
            row, case = billed("quick", lambda: measure(model, advance))
        show(row, case)
        return row
    from edge_slm.bench.runtime.parts import Plan, run

    plan = Plan(model, repeat or REPEATS, peer, switches, cancels)
    chosen = [part for part in PARTS if not parts or part in parts]
    return run(chosen, plan, show, lambda sentence: click.echo(sentence, err=True))


def _show(row: dict[str, Any]) -> None:
    for key, value in row.items():
        click.echo(f"runtime.{key}: {value}")
