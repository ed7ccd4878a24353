"""The folder of a job: what is done stays done, so that a job that was killed goes on.

    DIR/work/<key>/shared/                      what several recipes need
    DIR/work/<key>/<recipe>/files/              an artefact, under its final name once it is whole
    DIR/work/<key>/<recipe>/made.json           what making it took; written last
    DIR/work/<key>/<recipe>/measured-<key>.json the metrics of one way of measuring

`key` is a hash of all that a result depends on: the source, the texts, the target's NPU, versions
of libraries. Another model or another text in the same folder finds nothing of it.
"""

import hashlib
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import msgspec

from edge_slm.errors import EdgeSlmError, UsageError
from edge_slm.files import replacing
from edge_slm.i18n import size, t
from edge_slm.machine import free_disk
from edge_slm_quantize.recipe import Recipe
from edge_slm_quantize.records import Made, Measured, Order

Kept = TypeVar("Kept", Made, Measured)
_FILES, _MADE = "files", "made.json"
# A full disk is met before the file system is: metadata, logs and other programs need some too.
_MARGIN = 64_000_000


class Workspace:
    """The job's folder, held by one process at a time (`opened`)."""

    def __init__(self, root: Path, key: str) -> None:
        """Take the folder for what `key` names; made when something is first written."""
        self.root = root
        self.folder = root / "work" / key

    @property
    def shared(self) -> Path:
        """What several recipes need."""
        return self.folder / "shared"

    def artefact(self, recipe: Recipe, made: Made) -> Path:
        """Return where an artefact lies."""
        return self.folder / recipe.slug / _FILES / made.artefact.path

    def made(self, recipe: Recipe, make: Callable[[Path], Made]) -> Made:
        """Return what is known of an artefact; it is made when it is not here.

        Args:
            recipe: what to make.
            make: called with an empty folder that takes its final name when all is in it.
        """
        folder = self.folder / recipe.slug
        known = _read(folder / _MADE, Made)
        if known and (folder / _FILES).is_dir():
            return known
        # What was measured stays: the same recipe makes the same file again.
        shutil.rmtree(folder / _FILES, ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True)
        self.shared.mkdir(exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=".part-", dir=folder))
        try:
            made = make(scratch)
            scratch.chmod(0o755)  # mkdtemp's are their owner's alone
            scratch.replace(folder / _FILES)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
        _write(folder / _MADE, made)
        return made

    def measured(self, name: str, order: Order, measure: Callable[[], Measured]) -> Measured:
        """Return what was measured of `name` in the order's way; it is measured when not yet."""
        # Free memory and disk are of the moment; where and with how many threads is no matter.
        target = msgspec.structs.replace(order.target, ram=1, disk=1, recipes={}, gate={})
        way = msgspec.json.encode(
            msgspec.structs.replace(order, folder="", threads=0, target=target)
        )
        path = self.folder / name / f"measured-{hashlib.sha256(way).hexdigest()[:16]}.json"
        known = _read(path, Measured)
        if known is None:
            path.parent.mkdir(parents=True, exist_ok=True)
            self.shared.mkdir(exist_ok=True)
            known = measure()
            # What a full disk may have kept from being measured is tried again.
            if not known.absent or free_disk(self.folder) >= _MARGIN:
                _write(path, known)
        return known

    def trim(self) -> None:
        """Remove the files that were made; figures stay, for a job with another gate."""
        for files in (self.shared, *self.folder.glob(f"*/{_FILES}")):
            shutil.rmtree(files, ignore_errors=True)


@contextmanager
def opened(root: Path, key: str) -> Iterator[Workspace]:
    """Hold a job's folder; what a killed process left half-made in it is removed.

    Raises:
        UsageError: it is no folder, cannot be written, or another command holds it.
    """
    from filelock import FileLock, Timeout

    try:
        (root / "work").mkdir(parents=True, exist_ok=True)
        lock = FileLock(root / "work" / ".lock")
        lock.acquire(timeout=0)
    except Timeout as error:
        raise UsageError(
            t(
                "Another command is at work in {folder}: wait for it, or give another folder "
                "with -o.",
                "Une autre commande travaille dans {folder} : attendez-la, ou donnez un autre "
                "dossier avec -o.",
                folder=root,
            )
        ) from error
    except OSError as error:
        raise UsageError(
            t(
                "{folder} cannot be written: give another folder with -o.",
                "{folder} ne peut pas être écrit : donnez un autre dossier avec -o.",
                folder=root,
            )
        ) from error
    try:
        space = Workspace(root, key)
        work = root / "work"
        for half in (*work.glob("*/*/.part-*"), *work.glob("*/*/.*.part")):
            shutil.rmtree(half, ignore_errors=True) if half.is_dir() else half.unlink()
        yield space
    finally:
        lock.release()


def require_disk(needed: int, folder: Path) -> None:
    """Check that a disk has room before anything is written.

    Args:
        needed: bytes.
        folder: on the disk; it may not exist yet.
    Raises:
        EdgeSlmError: it has not.
    """
    free = free_disk(folder)
    if free < needed + _MARGIN:
        raise EdgeSlmError(
            t(
                "The disk of {folder} has {free} free and the job needs {needed}: make room, give "
                "another folder with -o, or name fewer recipes.",
                "Le disque de {folder} a {free} de libre et il en faut {needed} : faites de la "
                "place, donnez un autre dossier avec -o, ou nommez moins de recettes.",
                folder=folder,
                free=size(free),
                needed=size(needed + _MARGIN),
            )
        )


def key_of(*parts: object) -> str:
    """Return a name for all that a job's results depend on (plain data)."""
    return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()[:16]


def _read(path: Path, kind: type[Kept]) -> Kept | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (OSError, ValueError):  # absent, or of another version
        return None


def _write(path: Path, value: Made | Measured) -> None:
    with replacing(path) as temporary:
        temporary.write_bytes(msgspec.json.encode(value))
