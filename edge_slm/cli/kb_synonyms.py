"""edge-slm kb synonyms: what a base's people say, and what its documents call it."""

import shlex
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from edge_slm.cli import output
from edge_slm.cli.options import AS_JSON
from edge_slm.errors import UsageError
from edge_slm.i18n import t

if TYPE_CHECKING:
    from edge_slm.kb.base import KnowledgeBase
    from edge_slm.kb.vocabulary import Synonym

SHOWN = 5  # synonyms that the command to undo a change names one by one


@click.command(
    "synonyms",
    help=t(
        "What people say, and the words of the base's documents for it. ACTION: list; add SAID "
        "WRITTEN; remove SAID...; import FILE.csv (two columns: said, written).",
        "Ce que les gens disent, et les mots des documents pour le dire. ACTION : list ; add DIT "
        "ÉCRIT ; remove DIT... ; import FICHIER.csv (deux colonnes : dit, écrit).",
    ),
)
@click.argument("name")
@click.argument(
    "action", type=click.Choice(["list", "add", "remove", "import"]), default="list", required=False
)
@click.argument("words", nargs=-1)
@AS_JSON
def command(name: str, action: str, words: tuple[str, ...], as_json: bool) -> None:
    """List or change the synonyms of a base."""
    from edge_slm.kb.base import KnowledgeBase, base_path

    with KnowledgeBase.open(base_path(name)) as base:
        if action == "list":
            _show(base, as_json)
            return
        changed = _ACTIONS[action](base, words)
    if as_json:
        output.show_json(msgspec.to_builtins(changed))
    else:
        _say_changed(name, action, changed)


def _show(base: "KnowledgeBase", as_json: bool) -> None:
    from edge_slm.kb.synonyms import synonyms_of
    from edge_slm.kb.words import words_of

    own, learnt = synonyms_of(base), words_of(base).acronyms
    if as_json:
        output.show_json({"synonyms": msgspec.to_builtins(own), "learnt": dict(learnt)})
        return
    for item in own:
        click.echo(f"{item.said}\t{item.written}")
    for short, long in sorted(learnt.items()):
        found = t("found in the documents", "trouvé dans les documents")
        click.echo(f"{short.upper()}\t{long}\t({found})")


def _add(base: "KnowledgeBase", words: Sequence[str]) -> "tuple[Synonym, ...]":
    from edge_slm.kb import synonyms
    from edge_slm.kb.vocabulary import Synonym

    if len(words) != 2:
        raise UsageError(
            t(
                "Give what is said and what is written, each between quotation marks.",
                "Donnez ce qui se dit et ce qui s'écrit, chacun entre guillemets.",
            )
        )
    return synonyms.add(base, [Synonym(*words)])


def _remove(base: "KnowledgeBase", words: Sequence[str]) -> "tuple[Synonym, ...]":
    from edge_slm.kb import synonyms

    if not words:
        raise UsageError(
            t("Name what is to be removed.", "Nommez ce qui est à retirer."),
        )
    removed = synonyms.remove(base, words)
    if not removed:
        raise UsageError(
            t(
                "The base has no synonym for {words}: list them with edge-slm kb synonyms {name}.",
                "La base n'a pas de synonyme pour {words} : listez-les avec edge-slm kb synonyms "
                "{name}.",
                words=", ".join(words),
                name=base.name,
            )
        )
    return removed


def _import(base: "KnowledgeBase", words: Sequence[str]) -> "tuple[Synonym, ...]":
    from edge_slm.kb import synonyms

    if len(words) != 1:
        raise UsageError(t("Name one CSV file.", "Nommez un fichier CSV."))
    return synonyms.add(base, synonyms.read_csv(Path(words[0])))


_ACTIONS: "dict[str, Callable[[KnowledgeBase, Sequence[str]], tuple[Synonym, ...]]]" = {
    "add": _add,
    "remove": _remove,
    "import": _import,
}


def _say_changed(name: str, action: str, changed: "tuple[Synonym, ...]") -> None:
    if action == "remove":
        said = t("{n} removed.", "{n} retirés.", n=len(changed))
        undo = [["add", item.said, item.written] for item in changed]
    else:
        said = t("{n} added.", "{n} ajoutés.", n=len(changed))
        undo = [["remove", *dict.fromkeys(item.said for item in changed)]] if changed else []
    click.echo(said, err=True)
    if undo and len(changed) <= SHOWN:
        click.echo(t("To undo:", "Pour annuler :"), err=True)
        for arguments in undo:
            click.echo(
                f"  {shlex.join(['edge-slm', 'kb', 'synonyms', name, *arguments])}", err=True
            )
