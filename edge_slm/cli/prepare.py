"""edge-slm kb prepare: have the chat model read the passages before anybody asks."""

from contextlib import closing
from typing import TYPE_CHECKING

import click

from edge_slm.cli.options import CHAT_MODEL
from edge_slm.errors import EdgeSlmError
from edge_slm.i18n import size, t
from edge_slm.progress import progress

if TYPE_CHECKING:
    from edge_slm.engines.loaded import Engines
    from edge_slm.kb.base import KnowledgeBase


@click.command(
    "prepare",
    help=t(
        "Have the chat model read every passage of a base now, and keep what it read: written "
        "answers then begin at once. Best done on mains power; stopped, it goes on from there.",
        "Faire lire dès maintenant chaque passage d'une base au modèle, et garder ce qu'il a lu : "
        "les réponses rédigées commencent alors sans attendre. Plutôt sur secteur ; interrompu, "
        "il reprend où il en était.",
    ),
)
@click.argument("name")
@CHAT_MODEL
@click.option(
    "--on-battery",
    is_flag=True,
    help=t("Even on battery.", "Même sur batterie."),
)
def command(name: str, model: str | None, on_battery: bool) -> None:
    """Prepare a base."""
    from edge_slm.engines.loaded import Engines
    from edge_slm.kb.base import KnowledgeBase, base_path

    if not on_battery and _discharging():
        raise EdgeSlmError(
            t(
                "The machine runs on battery: plug it in, or add --on-battery.",
                "La machine est sur batterie : branchez-la, ou ajoutez --on-battery.",
            )
        )
    with KnowledgeBase.open(base_path(name)) as base, closing(Engines(model)) as engines:
        run(base, engines)


def run(base: "KnowledgeBase", engines: "Engines") -> None:
    """Read the passages of a base with the chat model, and say what became of them."""
    from edge_slm.engines.llama import prefix_store
    from edge_slm.tasks.hr_faq.writing import prepare

    engine, used = engines.chat()
    label = t("Reading for {model}", "Lecture pour {model}", model=used.id)
    with progress(label, base.passage_count()) as advance:
        read, passed = prepare(base, engine, lambda _: advance(1))
    count, total = prefix_store.usage()
    cap = prefix_store.cap_bytes()
    click.echo(
        t(
            "{read} passages read, {passed} left as they were; {count} states are kept, {total} "
            "of {cap} at most.",
            "{read} passages lus, {passed} laissés tels quels ; {count} états sont gardés, {total} "
            "sur {cap} au plus.",
            read=read,
            passed=passed,
            count=count,
            total=size(total),
            cap=size(cap),
        ),
        err=True,
    )


def _discharging() -> bool:
    import psutil

    sensors = getattr(psutil, "sensors_battery", lambda: None)  # not on every system
    battery = sensors()
    return battery is not None and battery.power_plugged is False
