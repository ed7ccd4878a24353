"""What a job leaves: the chosen model under its own name, its card, and the report.

    DIR/<id>.gguf, or DIR/<id>/     the chosen model (all of them, if the user wants)
    DIR/report.json  .md  .html     the report

The model's files are in place before the card names them, and the store takes them in whole.
"""

import os
import shutil
from pathlib import Path

import msgspec

from edge_slm import paths
from edge_slm.cards import (
    MANIFEST_NAME,
    Card,
    Id,
    PathSource,
    all_cards,
    get_card,
    write_card,
)
from edge_slm.errors import EdgeSlmError, UsageError
from edge_slm.files import replacing, sha256_of
from edge_slm.i18n import t
from edge_slm.store import Store
from edge_slm_quantize.recipe import parse
from edge_slm_quantize.report import html, markdown
from edge_slm_quantize.report.card import card_id, card_of
from edge_slm_quantize.report.result import Outcome, Result, as_json
from edge_slm_quantize.workspace import Workspace


def check_id(model: str) -> None:
    """Refuse an id that no card can have, or that another model has.

    Raises:
        UsageError: it is none, a shipped model is called so, or one that came by another way.
    """
    try:
        msgspec.convert(model, Id)
    except msgspec.ValidationError as error:
        raise UsageError(
            t(
                "{id} cannot be an --id: lowercase letters, digits, dots, dashes and underscores "
                "only, 100 at most, a letter or a digit first.",
                "{id} ne peut pas être un --id : minuscules, chiffres, points, tirets et "
                "soulignés seulement, 100 au plus, une lettre ou un chiffre d'abord.",
                id=repr(model[:120]),
            )
        ) from error
    known = all_cards().get(model)
    if known is None:
        return
    shipped = (paths.shipped_cards_dir() / f"{model}.toml").is_file()
    if shipped or not all(isinstance(source, PathSource) for source in known.sources):
        raise UsageError(
            t(
                "A model is already called {id}: give another name with --id.",
                "Un modèle s'appelle déjà {id} : donnez un autre nom avec --id.",
                id=model,
            )
        )


def place(result: Result, space: Workspace, model: str, *, keep_all: bool) -> Path | None:
    """Put the chosen artefact under its own name in the job's folder, and return where it is.

    Args:
        result: of the job.
        space: its folder.
        model: the id of the new model.
        keep_all: put the others beside it too.
    Returns:
        the chosen one's file or folder; None where nothing was chosen.
    """
    chosen = None
    for one in result.recipes:
        if one.made is None or not (keep_all or one.recipe == result.chosen):
            continue
        own = one.recipe == result.chosen
        name = model if own else card_id(result.source.name, one.recipe)
        placed = _placed(one, space, name)
        chosen = placed if own else chosen
    return chosen


def _placed(one: Outcome, space: Workspace, name: str) -> Path:
    assert one.made
    made = space.artefact(parse(one.recipe), one.made)
    if made.is_file():
        path = space.root / f"{name}{made.suffix}"
        with replacing(path) as temporary:
            temporary.unlink()
            _link_or_copy(made, temporary)
        return path
    path = space.root / name
    fresh = space.root / f".{name}.part"
    for old in (fresh, path):
        shutil.rmtree(old, ignore_errors=True)
    # The store has a file of its own of this name in each model's folder; a model that came from
    # the store may have brought it along.
    named = shutil.ignore_patterns(MANIFEST_NAME)
    shutil.copytree(made, fresh, copy_function=_link_or_copy, ignore=named)
    fresh.replace(path)
    return path


def _link_or_copy(source: str | Path, destination: str | Path) -> None:
    try:
        os.link(source, destination)
    except OSError:  # another disk, or a file system without links
        shutil.copyfile(source, destination)


def card_for(result: Result, path: Path, model: str) -> Card:
    """Return the card of the chosen model, its file named after it.

    Raises:
        UsageError: its files have names that no card can hold.
    """
    return msgspec.structs.replace(card_of(result, path), id=model)


def free_id(model: str, path: Path) -> str:
    """Return an id under which no other model is known: itself, or itself and a hash.

    A model that an earlier job left at the same place is no other.
    """
    known = all_cards().get(model)
    if known is None or known.sources == (PathSource(path=str(path.resolve())),):
        return model
    return f"{model[:90]}-{sha256_of(path if path.is_file() else _largest(path))[:8]}"


def installed(result: Result, path: Path, model: str) -> Result:
    """Install the chosen model, and return the result with its card.

    Where no card can hold it (files in folders of its folder), the result says so instead: it can
    be used from where it is.

    Raises:
        EdgeSlmError: the store cannot take it.
    """
    try:
        card = card_for(result, path, free_id(model, path))
    except UsageError as error:
        return msgspec.structs.replace(result, notes=(*result.notes, str(error)))
    written = install(card, path)
    return msgspec.structs.replace(result, card=card.id, card_sha256=written)


def _largest(folder: Path) -> Path:
    return max(
        (file for file in folder.rglob("*") if file.is_file()), key=lambda x: x.stat().st_size
    )


def install(card: Card, path: Path) -> str:
    """Write a card into the user's catalogue, and take its files into the store.

    Returns:
        the SHA-256 of the card.

    Raises:
        EdgeSlmError: the store cannot take them; then the catalogue is as it was.
    """
    before = None
    kept = paths.user_cards_dir() / f"{card.id}.toml"
    if kept.is_file():
        before = get_card(card.id)
    written = write_card(card, paths.user_cards_dir())
    try:
        Store().import_path(path, card.id)
    except (EdgeSlmError, OSError, KeyboardInterrupt):
        if before:
            write_card(before, paths.user_cards_dir())
        else:
            kept.unlink(missing_ok=True)
        raise
    return sha256_of(written)


def write_report(result: Result, folder: Path) -> None:
    """Write report.json, report.md and report.html, each whole or not at all."""
    pages = {
        "report.json": msgspec.json.format(msgspec.json.encode(as_json(result)), indent=2).decode()
        + "\n",
        "report.md": markdown.page(result),
        "report.html": html.page(result),
    }
    for name, text in pages.items():
        with replacing(folder / name) as temporary:
            temporary.write_text(text, encoding="utf-8")
