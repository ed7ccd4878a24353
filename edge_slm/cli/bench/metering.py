"""edge-slm bench metering: how good the energy accounting is, against a known truth."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge_slm.cli.bench.common import AGAINST, AS_JSON, MODEL, OUT, QUICK, finish
from edge_slm.i18n import decimal, t
from edge_slm.progress import progress

if TYPE_CHECKING:
    from edge_slm.bench.record import Case


@click.command(
    "metering",
    help=t(
        "The energy accounting itself: loads of known processor time on a simulated meter, alone "
        "and beside another program, and what metering takes from a model's speed.",
        "La mesure d'énergie elle-même : des charges de temps processeur connu sur un compteur "
        "simulé, seules et à côté d'un autre programme, et ce que mesurer prend à la vitesse d'un "
        "modèle.",
    ),
)
@QUICK
@MODEL
@OUT
@AGAINST
@AS_JSON
def command(
    quick: bool, model: str | None, out: Path | None, against: Path | None, as_json: bool
) -> None:
    """Check the accounting."""
    from dataclasses import replace

    from edge_slm.bench import metering

    plan = replace(metering.QUICK if quick else metering.Plan(), model=model)
    cases = []
    with progress(t("Checking the accounts", "Vérification des comptes"), metering.STEPS) as step:
        for case in metering.metering(plan, step):
            cases.append(case)
            if not as_json:
                click.echo(verdict(case))
    finish(cases, as_json=as_json, out=out, against=against)


def verdict(case: "Case") -> str:
    """Return what a line comes to, with its goal, as one sentence."""
    told = case.more
    met = t("met", "atteint") if told["met"] else t("missed", "manqué")
    if "speed_ratio" in told:
        return t(
            "{case}: {speed} of the speed without, {price} % of the processor time; an account "
            "takes {us} µs to open and close, {held} % of a processor while open; goal at most "
            "{goal} %: {met}",
            "{case} : {speed} de la vitesse sans mesure, {price} % du temps processeur ; un compte "
            "prend {us} µs à ouvrir et fermer, {held} % d'un processeur tant qu'il est ouvert ; "
            "but au plus {goal} % : {met}",
            case=case.case,
            speed=_between(told, "speed_ratio"),
            price=decimal(100 * told["price"], 2),
            us=decimal(told["open_close_us"], 0),
            held=decimal(100 * told["held_share"], 2),
            goal=decimal(100 * told["goal"], 0),
            met=met,
        )
    return t(
        "{case}: billed over known joules {joules}, CPU-seconds {cpu}; the truth is within {held} "
        "of {n} bills' intervals; goal within {goal} %: {met}",
        "{case} : joules comptés sur joules connus {joules}, secondes processeur {cpu} ; la vérité "
        "est dans l'intervalle de {held} comptes sur {n} ; but à {goal} % près : {met}",
        case=case.case,
        joules=_between(told, "joules_ratio"),
        cpu=_between(told, "cpu_ratio"),
        held=told["held"],
        n=case.repeats,
        goal=decimal(100 * told["goal"], 0),
        met=met,
    )


def _between(told: dict[str, float | None], name: str) -> str:
    middle, low, high = (told.get(name + end) for end in ("", "_low", "_high"))
    if middle is None:
        return t("not measured", "non mesurés")
    if low is None or high is None:
        return decimal(middle, 3)
    return t(
        "{m} ({low} to {high})",
        "{m} ({low} à {high})",
        m=decimal(middle, 3),
        low=decimal(low, 3),
        high=decimal(high, 3),
    )
