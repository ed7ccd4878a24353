"""edge-slm bench soak: the same requests for half an hour, and what that changes."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge_slm.cli.bench.common import AGAINST, AS_JSON, METER, MODEL, OUT, QUICK, finish
from edge_slm.i18n import decimal, size, t

if TYPE_CHECKING:
    from edge_slm.bench.record import Case
    from edge_slm.bench.soak import Minute

MINUTES, QUICK_MINUTES = 30, 1


@click.command(
    "soak",
    help=t(
        "The same mix of requests again and again: memory, speed, failures and restarts over time. "
        "Fails when a request does, or when memory grows without bound. Ctrl-C ends it early.",
        "Les mêmes requêtes encore et encore : mémoire, vitesse, échecs et redémarrages dans le "
        "temps. Échoue si une requête échoue ou si la mémoire croît sans limite. Ctrl-C l'écourte.",
    ),
)
@click.option(
    "--minutes",
    type=click.IntRange(1, 10_080),
    help=t("How long; 30, or 1 with --quick.", "Durée ; 30, ou 1 avec --quick."),
)
@QUICK
@MODEL
@METER
@OUT
@AGAINST
@AS_JSON
@click.pass_context
def command(
    context: click.Context,
    minutes: int | None,
    quick: bool,
    model: str | None,
    out: Path | None,
    against: Path | None,
    as_json: bool,
) -> None:
    """Soak the assistant."""
    from edge_slm.bench import soak
    from edge_slm.bench.conditions import reading

    cases = []

    def show(minute: "Minute") -> None:
        cases.append(soak.minute_case(minute))
        click.echo(minute_line(cases[-1]), err=as_json)

    before = reading()
    lasts = minutes or (QUICK_MINUTES if quick else MINUTES)
    with soak.assistant_to_soak(model) as assistant:
        run = soak.soak(assistant, soak.mix_of_this_machine(), lasts, show)
    if not run.asked:
        raise KeyboardInterrupt  # before anything was answered
    whole = soak.whole_case(run, before, reading())
    click.echo(end_lines(whole), err=as_json)
    finish([*cases, whole], as_json=as_json, out=out, against=against)
    if run.interrupted:
        raise KeyboardInterrupt
    if not soak.sound(whole):
        context.exit(1)


def minute_line(case: "Case") -> str:
    """Return a minute as one line."""
    told = case.more
    said = t(
        "{minute}: requests {n}, failures {f}, {speed} tokens/s, {memory}, {cpu} CPU-s a request",
        "{minute} : requêtes {n}, échecs {f}, {speed} jetons/s, {memory}, {cpu} s processeur par "
        "requête",
        minute=case.case,
        n=told["requests"],
        f=told["failures"],
        speed="-" if case.tokens_per_s is None else decimal(case.tokens_per_s),
        memory=size(told["memory_bytes"]),
        cpu=decimal(told["cpu_s_per_request"], 2),
    )
    heat, speed = case.conditions.celsius[1], case.conditions.mhz[1]
    extra = [
        *([] if heat is None else [f"{decimal(heat, 0)} °C"]),
        *([] if speed is None else [f"{decimal(speed, 0)} MHz"]),
    ]
    return ", ".join([said, *extra])


def end_lines(case: "Case") -> str:
    """Return what the whole run changed, a sentence a line."""
    told = case.more
    lines = [
        t(
            "Requests {n}, failures {f}, worker restarts {r}, answers that changed {c}.",
            "Requêtes {n}, échecs {f}, redémarrages {r}, réponses qui ont changé {c}.",
            n=told["requests"],
            f=told["failures"],
            r=told["worker_restarts"],
            c=told["changed_answers"],
        )
    ]
    if told["first_failure"]:
        lines.append(
            t(
                "First failure: {why}",
                "Premier échec : {raison}",
                why=told["first_failure"],
                raison=told["first_failure"],
            )
        )
    return "\n".join([*lines, _memory(case), _speed(case)])


def _memory(case: "Case") -> str:
    growth, endless = case.more["growth_bytes_per_100"], case.more["memory_endless"]
    if growth is None:
        return t(
            "Memory: too few rounds to tell whether it grows.",
            "Mémoire : trop peu de tours pour dire si elle croît.",
        )
    sign = "-" if growth < 0 else "+"
    verdict = {
        None: t("too few rounds to judge", "trop peu de tours pour en juger"),
        True: t("it grows without bound", "elle croît sans limite"),
        False: t("it does not grow without bound", "elle ne croît pas sans limite"),
    }[endless]
    return t(
        "Memory: {growth} per 100 requests after the first quarter: {verdict}.",
        "Mémoire : {growth} par 100 requêtes après le premier quart : {verdict}.",
        growth=sign + size(abs(growth)),
        verdict=verdict,
    )


def _speed(case: "Case") -> str:
    speed, cpu = case.more["speed_last_to_first"], case.more["cpu_last_to_first"]
    if speed is None or cpu is None:
        return t(
            "Speed: too few rounds to compare the end with the beginning.",
            "Vitesse : trop peu de tours pour comparer la fin au début.",
        )
    return t(
        "Last quarter over first: speed {speed}, CPU-seconds a request {cpu}.",
        "Dernier quart sur premier : vitesse {speed}, secondes processeur par requête {cpu}.",
        speed=decimal(speed, 2),
        cpu=decimal(cpu, 2),
    )
