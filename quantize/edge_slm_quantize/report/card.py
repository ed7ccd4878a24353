"""The model card of what was chosen, for the user's catalogue."""

import re
from pathlib import Path

import msgspec

from edge_slm.cards import Card, CardFile, PathSource, get_card
from edge_slm.errors import UsageError
from edge_slm.files import sha256_of
from edge_slm.i18n import t
from edge_slm_quantize import recipe
from edge_slm_quantize.report.result import Outcome, Result

_LONGEST_ID = 100  # cards.Id
# What the smallest shipped cards say; a process, its libraries and a context take as much.
_LEAST_RAM = 1_000_000_000


def card_of(result: Result, path: Path) -> Card:
    """Return the card of the chosen artefact.

    Args:
        result: of a job that chose one.
        path: its file, or the folder that holds its files, where they stay.
    Raises:
        UsageError: nothing was chosen, or its files have names that no card can hold.
    """
    outcome = result.chosen_outcome
    if outcome is None or outcome.artefact is None:
        raise UsageError(
            t(
                "No recipe was chosen: there is no card to write.",
                "Aucune recette n'est choisie : il n'y a pas de fiche à écrire.",
            )
        )
    source = result.source
    files = [path] if path.is_file() else sorted(one for one in path.rglob("*") if one.is_file())
    try:
        card = Card(
            id=card_id(source.name, outcome.recipe),
            task=source.task,
            family=source.architecture,
            parameters=source.parameters,
            languages=source.languages,
            licence=source.licence,
            licence_url=source.licence_url,
            quantisation=outcome.recipe,
            context=source.context,
            min_ram=_ram(outcome),
            files=tuple(_file(one, path) for one in files),
            sources=(PathSource(path=str(path.resolve())),),
            format=outcome.artefact.format,
            chat_template=_template(result),
            embed=source.embed,
        )
        # A constructor checks types of fields no more than any class does.
        return msgspec.convert(msgspec.to_builtins(card), Card)
    except (msgspec.MsgspecError, ValueError) as error:
        raise UsageError(
            t(
                "No card can be written for {path}: {error}",
                "Aucune fiche ne peut être écrite pour {path} : {error}",
                path=path,
                error=error,
            )
        ) from error


def card_id(name: str, made: str) -> str:
    """Return the id of a model that was shrunk: its name and its recipe, as cards allow."""
    ending = f"-{recipe.parse(made).slug}"
    start = re.sub(r"[^a-z0-9._-]+", "-", name.lower()).strip("-._") or "model"
    return start[: max(1, _LONGEST_ID - len(ending))] + ending[: _LONGEST_ID - 1]


def _file(path: Path, root: Path) -> CardFile:
    name = path.name if path == root else path.relative_to(root).as_posix()
    return CardFile(name=name, size=path.stat().st_size, sha256=sha256_of(path))


def _ram(outcome: Outcome) -> int:
    """Return the memory that was measured, or the files' bytes, above what any model needs."""
    held = outcome.value("ram") or outcome.value("size") or 0.0
    return max(_LEAST_RAM, int(held))


def _template(result: Result) -> str | None:
    """Return the template of the card that the source came from: it is set where a file's lies."""
    return get_card(result.source.card).chat_template if result.source.card else None
