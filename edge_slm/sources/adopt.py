"""Take in a model that is already on this machine: `edge-slm models import`.

A file whose hash a card names becomes that card's model (also the container that a card converts
from). Any other whole GGUF file gets a card of its own, written from its metadata under the user's
cards. A folder must hold all the files of one card.
"""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from edge_slm import paths
from edge_slm.cards import (
    Card,
    CardFile,
    Embed,
    PackageSource,
    PathSource,
    all_cards,
    get_card,
    write_card,
)
from edge_slm.errors import IntegrityError, MissingError, UsageError
from edge_slm.i18n import t
from edge_slm.progress import progress
from edge_slm.sources import Fetched, disk_full_is_a_sentence
from edge_slm.sources.first import require_space
from edge_slm.sources.gguf_header import Header, read_header
from edge_slm.sources.package import convert_container
from edge_slm.sources.path import copy_in

if TYPE_CHECKING:
    from edge_slm.store import Store

# Architectures of llama.cpp that give vectors and no text.
_EMBEDDERS = {"bert", "nomic-bert", "nomic-bert-moe", "jina-bert-v2", "gemma-embedding"}
# Beside the weights: context, buffers, and the rest of the machine. A guess, and said to be one.
_RAM_BESIDE = 1_500_000_000


def import_path(store: "Store", path: Path, model: str | None = None) -> Card:
    """Copy a file or a folder into the store and return the card it now has.

    Args:
        store: where to.
        path: a file, or a folder that holds all the files of one card.
        model: the id it must be, or the id to give to a file that no card names.

    Raises:
        UsageError: when it is not a model, or when `model` is not an id.
        MissingError: when the path is absent.
        IntegrityError: when a GGUF file is cut, or when it is not what the card `model` names.
    """
    if not path.exists():
        raise MissingError(t("{path} does not exist.", "{path} n'existe pas.", path=path))
    if path.is_dir():
        return _import_folder(store, path, model)
    return _import_file(store, path, model)


def _import_folder(store: "Store", folder: Path, model: str | None) -> Card:
    cards = [get_card(model)] if model else list(all_cards().values())
    for card in cards:
        if all(_has(folder / file.name, file.size) for file in card.files):
            with _scratch(store, card.size) as scratch:
                files = [copy_in(folder / f.name, scratch / f.name) for f in card.files]
                store.adopt(card, files)
            return card
    weights = [path for path in sorted(folder.iterdir()) if path.suffix.lower() == ".gguf"]
    if len(weights) == 1 and not model:
        return _import_file(store, weights[0], None)
    raise UsageError(
        t(
            "{folder} holds the files of no model; see: edge-slm models show ID",
            "{folder} ne contient les fichiers d'aucun modèle ; voir : edge-slm models show ID",
            folder=folder,
        )
    )


def _has(path: Path, size: int) -> bool:
    return path.is_file() and path.stat().st_size == size


def _import_file(store: "Store", path: Path, model: str | None) -> Card:
    cards = all_cards()
    size = path.stat().st_size
    # A file that no card can name is refused before it is copied.
    header = None
    if not any(size in _sizes(card) for card in cards.values()):
        header = _header(path)
    with _scratch(store, size) as scratch:
        given = copy_in(path, scratch / "file")
        card = _card_of(given, cards, model)
        if card is None and model in cards:
            raise _not_that(path, model or "")
        if card is None:
            header = header or _header(given.path)
            card = _new_card(header, given, path, model, set(cards))
        if model and model != card.id:
            raise _not_that(path, model)
        if given.sha256 != card.files[0].sha256:
            given = _converted(card, given, scratch)
        store.adopt(card, [given])
    if card.id not in cards:
        write_card(card, paths.user_cards_dir())
    return card


def _sizes(card: Card) -> set[int]:
    containers = {
        s.convert.size for s in card.sources if isinstance(s, PackageSource) and s.convert
    }
    return containers | ({card.files[0].size} if len(card.files) == 1 else set())


def _header(path: Path) -> Header:
    # The reader decodes the vocabulary, item by item: seconds for 250 000 of them.
    with progress(t("Reading {name}", "Lecture de {name}", name=path.name), 0):
        return read_header(path)


def _card_of(given: Fetched, cards: dict[str, Card], model: str | None) -> Card | None:
    """Return the card that names this hash, as its file or as what its file is made from.

    Several may, when a model is kept under two ids: then that of `model` is meant.
    """
    for card in sorted(cards.values(), key=lambda one: one.id != model):
        if len(card.files) == 1 and given.sha256 == card.files[0].sha256:
            return card
        for source in card.sources:
            convert = source.convert if isinstance(source, PackageSource) else None
            if convert and given.sha256 == convert.sha256:
                return card
    return None


def _converted(card: Card, container: Fetched, scratch: Path) -> Fetched:
    for source in card.sources:
        if isinstance(source, PackageSource) and source.convert:
            return convert_container(source.convert, container, scratch / "converted")
    raise AssertionError(card.id)  # _card_of chose the card for its container


def _new_card(
    header: Header, given: Fetched, path: Path, model: str | None, taken: set[str]
) -> Card:
    name = model or _id(f"{header.name}-{header.quantisation}")
    if not re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,99}", name):
        raise UsageError(
            t(
                "{name} cannot be an id: lowercase letters, digits, dots, dashes and underscores "
                "only.",
                "{name} ne peut pas être un identifiant : minuscules, chiffres, points, tirets et "
                "soulignés seulement.",
                name=name,
            )
        )
    if name in taken:
        name = f"{name[:80]}-{given.sha256[:8]}"
    embeds = header.architecture in _EMBEDDERS
    return Card(
        id=name,
        task="embed" if embeds else "chat",
        family=header.architecture,
        parameters=header.parameters,
        languages=header.languages,
        licence=header.licence,
        licence_url=header.licence_url,
        quantisation=header.quantisation,
        context=header.context,
        min_ram=given.size + _RAM_BESIDE,
        files=(CardFile(f"{name}.gguf", given.size, given.sha256),),
        sources=(PathSource(str(path.resolve())),),
        exercised=False,
        embed=Embed(header.embedding) if embeds else None,
    )


def _id(text: str) -> str:
    return re.sub(r"[^a-z0-9._]+", "-", text.lower()).strip("-._")[:90] or "model"


def _not_that(path: Path, model: str) -> IntegrityError:
    return IntegrityError(
        t(
            "{path} is not the model {model}: its hash is not the one that the card names.",
            "{path} n'est pas le modèle {model} : son empreinte n'est pas celle de la fiche.",
            path=path,
            model=model,
        )
    )


@contextmanager
def _scratch(store: "Store", size: int) -> Iterator[Path]:
    """Yield an empty folder on the store's disk; it is removed whatever happens."""
    folder = store.staging(".import")
    with store.locked(".import"), disk_full_is_a_sentence(folder):
        shutil.rmtree(folder, ignore_errors=True)
        require_space(size, folder)
        folder.mkdir(parents=True)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
