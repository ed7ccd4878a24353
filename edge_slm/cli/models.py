"""`edge-slm models`: list, show, pull, import, verify and remove the models of this machine."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edge_slm.cli.options import AS_JSON
from edge_slm.i18n import size as human
from edge_slm.i18n import t

if TYPE_CHECKING:
    from edge_slm.errors import EdgeSlmError

_YES_HELP = t("Do not ask.", "Ne pas demander.")


@click.group(
    "models",
    short_help=t("Fetch, check and remove models.", "Récupérer, vérifier et retirer des modèles."),
    help=t(
        "The models of this machine: only `pull` opens the network.",
        "Les modèles de cette machine : seul `pull` ouvre le réseau.",
    ),
)
def command() -> None:
    """Group the commands on models."""


@command.command(
    "list", help=t("List the models and what is here.", "Lister les modèles et ce qui est là.")
)
@AS_JSON
def list_models(as_json: bool) -> None:
    """List every card."""
    from edge_slm.cards import all_cards

    rows = [_summary(model) for model in all_cards()]
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    heads = [
        t("model", "modèle"),
        t("task", "tâche"),
        t("size", "taille"),
        t("here", "là"),
        t("memory", "mémoire"),
        t("licence", "licence"),
        t("profile", "profil"),
    ]
    _table(heads, [_cells(row) for row in rows])
    if not all(row["exercised"] for row in rows):
        click.echo(
            t(
                "* not exercised here: known by its hash, never run by this project.",
                "* non éprouvé ici : connu par son empreinte, jamais exécuté par ce projet.",
            )
        )


def _summary(model: str) -> dict[str, Any]:
    from edge_slm.cards import get_card
    from edge_slm.profiles import of_model
    from edge_slm.store import Store

    card = get_card(model)
    return {
        "id": card.id,
        "task": card.task,
        "size": card.size,
        "installed": Store().installed(model),
        "min_ram": card.min_ram,
        "licence": card.licence,
        "profiles": of_model(model),
        "exercised": card.exercised,
    }


def _cells(row: dict[str, Any]) -> list[str]:
    return [
        row["id"] + ("" if row["exercised"] else " *"),
        row["task"],
        human(row["size"]),
        t("yes", "oui") if row["installed"] else t("no", "non"),
        human(row["min_ram"]),
        row["licence"],
        ", ".join(row["profiles"]),
    ]


@command.command(help=t("Show one model's card.", "Montrer la fiche d'un modèle."))
@click.argument("model", metavar="ID")
@AS_JSON
def show(model: str, as_json: bool) -> None:
    """Show one card."""
    import msgspec

    from edge_slm.cards import get_card
    from edge_slm.sources.first import kind_of
    from edge_slm.store import Store

    card = get_card(model)
    store = Store()
    here = str(store.path(model)) if store.installed(model) else None
    if as_json:
        whole = msgspec.to_builtins(card) | {"path": here, "size": card.size}
        click.echo(json.dumps(whole, ensure_ascii=False, indent=2))
        return
    lines = {
        t("model", "modèle"): card.id,
        t("task", "tâche"): card.task,
        t("family", "famille"): card.family,
        t("parameters", "paramètres"): f"{card.parameters / 1e6:.0f} M",
        t("languages", "langues"): ", ".join(card.languages),
        t("quantisation", "quantification"): card.quantisation,
        t("context", "contexte"): t("{n} tokens", "{n} jetons", n=card.context),
        t("memory", "mémoire"): human(card.min_ram),
        t("licence", "licence"): f"{card.licence} {card.licence_url}".strip(),
        t("sources", "sources"): ", ".join(kind_of(source) for source in card.sources),
        t("here", "là"): here or t("no", "non"),
    }
    for file in card.files:
        lines[file.name] = f"{file.size} sha256:{file.sha256}"
    width = max(map(len, lines))
    for name, value in lines.items():
        click.echo(f"{name:<{width}}  {value}")
    if not card.exercised:
        click.echo(t("Not exercised here.", "Non éprouvé ici."))


@command.command(
    help=t(
        "Fetch models by id or by profile; with no name, the profile that suits this machine.",
        "Récupérer des modèles par identifiant ou par profil ; sans nom, le profil qui convient à "
        "cette machine.",
    )
)
@click.argument("names", nargs=-1, metavar="[ID|lite|standard]...")
@click.option("--yes", "-y", is_flag=True, help=_YES_HELP)
def pull(names: tuple[str, ...], yes: bool) -> None:
    """Fetch models; one that fails does not stop the others."""
    from edge_slm.cards import get_card
    from edge_slm.errors import EdgeSlmError
    from edge_slm.offline import network_allowed
    from edge_slm.store import Store

    cards = [get_card(model) for model in _named(names or (_proposed(yes),))]
    store = Store()
    unreachable: set[str] = set()
    failures: dict[str, EdgeSlmError] = {}
    for card in cards:
        try:
            with network_allowed():
                fresh = store.pull(card, unreachable)
        except EdgeSlmError as error:
            failures[card.id] = error
            continue
        said = t("fetched and verified", "récupéré et vérifié") if fresh else t("here", "déjà là")
        click.echo(f"{card.id}: {said} ({human(card.size)})")
    if failures:
        raise _not_pulled(failures)


def _not_pulled(failures: dict[str, "EdgeSlmError"]) -> "EdgeSlmError":
    """Return one error for the models that did not come."""
    from edge_slm.errors import MissingError

    errors = list(failures.values())
    if len(errors) == 1 or not all(isinstance(error, MissingError) for error in errors):
        for error in errors[1:]:
            click.echo(str(error), err=True)
        return errors[0]
    return MissingError(
        t(
            "{count} models did not come ({names}), for the reasons above; they can be brought on "
            "a USB stick: edge-slm models import PATH",
            "{count} modèles ne sont pas venus ({names}), pour les raisons ci-dessus ; ils peuvent "
            "venir sur une clé USB : edge-slm models import CHEMIN",
            count=len(failures),
            names=", ".join(failures),
        )
    )


def _named(names: Sequence[str]) -> list[str]:
    """Return the model ids, profiles written out, each once, in order."""
    from edge_slm.profiles import PROFILES

    return list(dict.fromkeys(model for name in names for model in PROFILES.get(name, (name,))))


def _proposed(yes: bool) -> str:
    from edge_slm.cards import get_card
    from edge_slm.machine import total_ram
    from edge_slm.profiles import PROFILES, propose

    memory = total_ram()
    name = propose(memory)
    total = sum(get_card(model).size for model in PROFILES[name])
    notice = t(
        "This machine has {memory} of memory: the profile {name} suits it ({total}).",
        "Cette machine a {memory} de mémoire : le profil {name} lui convient ({total}).",
        memory=human(memory),
        name=name,
        total=human(total),
    )
    click.echo(notice, err=True)
    if sys.stdin.isatty() and not yes:
        click.confirm(t("Fetch it?", "Le récupérer ?"), default=True, abort=True, err=True)
    return name


@command.command(
    "import",
    help=t(
        "Take in a model from a file or a folder, such as a USB stick.",
        "Prendre un modèle dans un fichier ou un dossier, une clé USB par exemple.",
    ),
)
@click.argument("path", type=click.Path(path_type=Path))
@click.option(
    "--id",
    "model",
    help=t(
        "The model it must be, or the name to give to a model that no card knows.",
        "Le modèle attendu, ou le nom à donner à un modèle qu'aucune fiche ne connaît.",
    ),
)
def import_model(path: Path, model: str | None) -> None:
    """Take in a local file or folder."""
    from edge_slm.store import Store

    card = Store().import_path(path, model)
    click.echo(
        t("{model}: here ({size})", "{model} : là ({size})", model=card.id, size=human(card.size))
    )


@command.command(
    help=t(
        "Hash the models again; one that differs is removed.",
        "Recalculer l'empreinte des modèles ; un fichier qui diffère est retiré.",
    )
)
@click.argument("models", nargs=-1, metavar="[ID]...")
@AS_JSON
def verify(models: tuple[str, ...], as_json: bool) -> None:
    """Verify the models named, or all that are here."""
    import dataclasses

    from edge_slm.errors import IntegrityError
    from edge_slm.store import Store

    store = Store()
    results = store.verify(models or store.models())
    if as_json:
        rows = [dataclasses.asdict(result) for result in results]
        click.echo(json.dumps(rows, ensure_ascii=False, indent=2))
    else:
        words = {
            "good": t("good", "bon"),
            "differs": t("differs, removed", "différent, retiré"),
            "absent": t("absent", "absent"),
        }
        for result in results:
            click.echo(f"{result.model}/{result.file}: {words[result.state]}")
    bad = list(dict.fromkeys(result.model for result in results if result.state != "good"))
    if bad:
        raise IntegrityError(
            t(
                "Not whole: {models}; mend it with: edge-slm models pull {models}",
                "Pas intact : {models} ; réparez avec : edge-slm models pull {models}",
                models=" ".join(bad),
            )
        )


@command.command(
    help=t("Remove models and free their space.", "Retirer des modèles et libérer leur place.")
)
@click.argument("models", nargs=-1, required=True, metavar="ID...")
@click.option("--yes", "-y", is_flag=True, help=_YES_HELP)
def remove(models: tuple[str, ...], yes: bool) -> None:
    """Remove models."""
    from edge_slm.store import Store

    if sys.stdin.isatty() and not yes:
        question = t("Remove {names}?", "Retirer {names} ?", names=", ".join(models))
        click.confirm(question, default=False, abort=True, err=True)
    store = Store()
    for model in models:
        freed = store.remove(model)
        click.echo(
            t(
                "{model}: {freed} freed",
                "{model} : {freed} libérés",
                model=model,
                freed=human(freed),
            )
        )


def _table(heads: list[str], rows: list[list[str]]) -> None:
    if sys.stdout.isatty():
        from rich.console import Console
        from rich.table import Table

        table = Table(*heads, box=None, header_style="bold")
        for row in rows:
            table.add_row(*row)
        Console().print(table)
        return
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    for row in [heads, *rows]:
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        click.echo(line.rstrip())
