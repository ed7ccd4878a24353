"""edge-slm bench peers: our engine and other people's, side by side."""

from pathlib import Path

import click

from edge_slm.bench.peers.catalogue import KINDS, Task
from edge_slm.cli.bench.common import AGAINST, AS_JSON, METER, MODEL, OUT, REPEAT, finish
from edge_slm.errors import UsageError
from edge_slm.i18n import t

REPEATS = 5


@click.command(
    "peers",
    help=t(
        "Our engine and other people's on the same model and questions: time, memory, energy; "
        "python packaging/peers/make_peer.py makes them.",
        "Notre moteur et ceux d'autrui, même modèle, mêmes questions : temps, mémoire, énergie ; "
        "python packaging/peers/make_peer.py les fait.",
    ),
)
@click.option(
    "--peer",
    "peers",
    multiple=True,
    type=click.Choice(list(KINDS)),
    help=t("This peer only; repeatable.", "Ce témoin seulement ; répétable."),
)
@click.option(
    "--speech",
    is_flag=True,
    help=t(
        "The speech engine instead: whisper.cpp, on the sample recordings.",
        "Le moteur de parole à la place : whisper.cpp, sur les enregistrements d'exemple.",
    ),
)
@MODEL
@REPEAT
@METER
@OUT
@AGAINST
@AS_JSON
def command(
    peers: tuple[str, ...],
    speech: bool,
    model: str | None,
    repeat: int | None,
    out: Path | None,
    against: Path | None,
    as_json: bool,
) -> None:
    """Measure the peers."""
    from edge_slm.bench.peers import speech as hearing
    from edge_slm.bench.peers import suite, verdict

    task: Task = "speech" if speech else "chat"
    names = _names(peers, task, model)
    repeats = repeat or REPEATS
    if speech:
        cases = hearing.speech(names, repeats, _say)
    else:
        cases = suite.chat(model, names, repeats, _say)
    finish(cases, as_json=as_json, out=out, against=against)
    for sentence in [*verdict.sentences(cases), *verdict.agreement(cases)]:
        click.echo(sentence, err=as_json)


def _names(peers: tuple[str, ...], task: Task, model: str | None) -> list[str]:
    if task == "speech" and model:
        raise UsageError(
            t(
                "--speech takes the speech model that is installed: leave --model out.",
                "--speech prend le modèle de parole installé : retirez --model.",
            )
        )
    for name in peers:
        if KINDS[name].task != task:
            raise UsageError(
                t(
                    "{name} is no peer of this part: {how}.",
                    "{name} n'est pas un témoin de cette partie : {how}.",
                    name=name,
                    how=t("add --speech", "ajoutez --speech")
                    if task == "chat"
                    else t("leave --speech out", "retirez --speech"),
                )
            )
    chosen = peers or tuple(KINDS)
    return [name for name in dict.fromkeys(chosen) if KINDS[name].task == task]


def _say(sentence: str) -> None:
    click.echo(sentence, err=True)
