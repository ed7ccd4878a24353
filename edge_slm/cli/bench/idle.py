"""edge-slm bench idle: the machine at rest, and what this program costs while it waits."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge_slm.cli.bench.common import AGAINST, AS_JSON, METER, MODEL, OUT, QUICK, finish
from edge_slm.i18n import decimal, size, t
from edge_slm.progress import progress

if TYPE_CHECKING:
    from edge_slm.bench.record import Case


@click.command(
    "idle",
    help=t(
        "The machine at rest: its watts, which are kept and counted off later answers, and what an "
        "open assistant and a server cost while they wait. Close other programs first.",
        "La machine au repos : sa puissance, gardée et déduite des réponses suivantes, et ce que "
        "coûtent un assistant ouvert et un serveur qui attendent. Fermez d'abord les autres "
        "programmes.",
    ),
)
@click.option(
    "--seconds",
    type=click.IntRange(1, 86_400),
    help=t(
        "For how long the machine is measured; 180, or 10 with --quick.",
        "Durée de la mesure de la machine ; 180, ou 10 avec --quick.",
    ),
)
@click.option(
    "--forget",
    is_flag=True,
    help=t(
        "Forget the watts that are kept, and measure nothing.",
        "Oublier la puissance gardée, et ne rien mesurer.",
    ),
)
@QUICK
@MODEL
@METER
@OUT
@AGAINST
@AS_JSON
def command(
    seconds: int | None,
    forget: bool,
    quick: bool,
    model: str | None,
    out: Path | None,
    against: Path | None,
    as_json: bool,
) -> None:
    """Measure the idle machine."""
    from edge_slm.bench import idle

    if forget:
        from edge_slm.energy.idle import forget as forget_baselines

        forget_baselines()
        click.echo(
            t("No idle watts are kept.", "Aucune puissance au repos n'est gardée."), err=True
        )
        return
    lasts = seconds or (idle.QUICK_SECONDS if quick else idle.SECONDS)
    cases = []
    with progress(t("Measuring at rest", "Mesure au repos"), idle.STEPS) as advance:
        for case in idle.idling(lasts, model, advance):
            cases.append(case)
            if not as_json:
                click.echo(sentence(case))
    finish(cases, as_json=as_json, out=out, against=against)


def sentence(case: "Case") -> str:
    """Return what a line says, as one sentence."""
    if case.case != "machine":
        return t(
            "{name}, waiting: {cpu} CPU-seconds an hour, {memory}, processes: {n}",
            "{name}, en attente : {cpu} secondes processeur par heure, {memory}, processus : {n}",
            name=case.case,
            cpu=decimal(case.more["cpu_s_per_hour"]),
            memory=size(case.peak_bytes or 0),
            n=case.more["processes"],
        )
    share = case.more["busy_share"]
    busy = "?" if share is None else decimal(100 * share)
    if case.watts is None:
        said = t("machine: processors {p} % busy.", "machine : processeurs à {p} %.", p=busy)
    else:
        said = t(
            "machine: {w} W, give or take {spread} W, processors {p} % busy.",
            "machine : {w} W, à {spread} W près, processeurs à {p} %.",
            w=decimal(case.watts, 2),
            spread=decimal(case.more["spread_w"], 2),
            p=busy,
        )
    return f"{said} {case.more['why']}".rstrip()
