"""edge-slm bench tasks: HR answers, translations and transcripts, a minute with --quick."""

from pathlib import Path

import click

from edge_slm.cli.bench.common import (
    AGAINST,
    AS_JSON,
    METER,
    MODEL,
    OUT,
    QUICK,
    REPEAT,
)
from edge_slm.cli.bench.partly import finish_partly, ready
from edge_slm.i18n import t

PARTS = ("hr", "translation", "speech")
REPEATS = 3


@click.command(
    "tasks",
    help=t(
        "What users do, each with what it took and how good it was: HR answers by rung, "
        "translations (chrF), transcripts (WER); a few minutes, or one with --quick. What needs a "
        "model that is not installed is left out.",
        "Ce que font les utilisateurs, avec le coût et la qualité : réponses RH par échelon, "
        "traductions (chrF), transcriptions (WER) ; quelques minutes, ou une avec --quick. Ce qui "
        "demande un modèle absent est laissé de côté.",
    ),
)
@click.option(
    "--part",
    "parts",
    multiple=True,
    type=click.Choice(PARTS),
    help=t("This part only; repeatable.", "Cette partie seulement ; répétable."),
)
@QUICK
@REPEAT
@MODEL
@METER
@OUT
@AGAINST
@AS_JSON
def command(
    parts: tuple[str, ...],
    quick: bool,
    repeat: int | None,
    model: str | None,
    out: Path | None,
    against: Path | None,
    as_json: bool,
) -> None:
    """Measure what users do."""
    from dataclasses import replace

    from edge_slm.bench.tasks import run, settled, steps
    from edge_slm.bench.tasks_runs import Plan
    from edge_slm.progress import progress

    ready()
    plan = settled(Plan(model, repeat or (1 if quick else REPEATS), quick))
    names = [part for part in PARTS if not parts or part in parts]
    with progress(t("Measuring tasks", "Mesure des tâches"), steps(names, plan)) as advance:
        cases, stopped = run(names, replace(plan, advance=advance))
    finish_partly(cases, stopped, as_json=as_json, out=out, against=against)
