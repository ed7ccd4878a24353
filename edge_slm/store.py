"""The model store: content-addressed, verified, and never half-written under a final name.

    blobs/<sha256>                 each file once, whatever the number of models that use it
    models/<id>/<file name>        hard links to the blobs (copies where links are impossible)
    models/<id>/manifest.json      written last: the model is here
    staging/<id>/                  what a pull has fetched so far
    locks/                         one lock a model, and one for the moment of change

The hash in the card decides. Knows nothing of what a model is for.
"""

import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from edge_slm import paths
from edge_slm.cards import MANIFEST_NAME, Card, CardFile, get_card
from edge_slm.errors import IntegrityError, MissingError
from edge_slm.files import sha256_of
from edge_slm.i18n import t
from edge_slm.progress import progress
from edge_slm.sources import Fetched, disk_full_is_a_sentence
from edge_slm.sources.first import check, fetch_first


class Manifest(msgspec.Struct, frozen=True):
    """What lies in a model's folder: its files, and the kind of source that gave them."""

    id: str
    files: tuple[CardFile, ...]
    source: str


@dataclass(frozen=True)
class Checked:
    """One file of one model, hashed again; `state` is "good", "differs" or "absent"."""

    model: str
    file: str
    state: str
    sha256: str | None


class Store:
    """The models of this machine. Making one touches nothing on the disk."""

    def __init__(self, root: Path | None = None) -> None:
        """Open the store at `root`, or at the user's own place."""
        self.root = root or paths.store_dir()

    def installed(self, model: str) -> bool:
        """Tell whether every file of the model's card is here, whole by size."""
        return self._state(get_card(model)) == "good"

    def path(self, model: str) -> Path:
        """Return the model's file, or its folder when it has several; nothing is hashed.

        Raises:
            UsageError: when no card has this id.
            MissingError: when the model is not here.
            IntegrityError: when a file has another size than its card says.
        """
        card = get_card(model)
        state = self._state(card)
        if state == "absent":
            raise MissingError(
                t(
                    "The model {model} is not here: run edge-slm models pull {model}",
                    "Le modèle {model} n'est pas là : lancez edge-slm models pull {model}",
                    model=model,
                )
            )
        if state == "differs":
            raise IntegrityError(
                t(
                    "A file of the model {model} was changed or cut: run edge-slm models pull "
                    "{model} to fetch it again.",
                    "Un fichier du modèle {model} a été modifié ou coupé : lancez edge-slm models "
                    "pull {model} pour le reprendre.",
                    model=model,
                )
            )
        folder = self._folder(model)
        return folder / card.files[0].name if len(card.files) == 1 else folder

    def size(self, model: str) -> int:
        """Return the bytes that the model's files take, 0 when it is not here."""
        manifest = self._manifest(model)
        return sum(file.size for file in manifest.files) if manifest else 0

    def pull(self, card: Card, unreachable: set[str] | None = None) -> bool:
        """Fetch a model from the first of its sources that gives it; False when it was here.

        Args:
            card: the model.
            unreachable: kinds of sources found not to answer, shared by the pulls of one command.

        Raises:
            MissingError: when no source gives it.
            IntegrityError: when what came is not what the card says; it is removed.
            EdgeSlmError: when the disk is too small; checked before anything is fetched.
        """
        with self.locked(card.id):
            if self._state(card) == "good":
                return False
            staging = self.staging(card.id)
            files, source = fetch_first(
                card,
                staging,
                lambda file: self._reuse(file, staging),
                set() if unreachable is None else unreachable,
            )
            self._commit(card, files, source)
            shutil.rmtree(staging, ignore_errors=True)
        return True

    def adopt(self, card: Card, files: Sequence[Fetched]) -> None:
        """Take in files that lie in `staging(card.id)` or beside it, in the order of the card's.

        Raises:
            IntegrityError: when one is not what the card says; it is removed.
        """
        for file, given in zip(card.files, files, strict=True):
            check(file, given)
        with self.locked(card.id):
            named = {f.name: given.path for f, given in zip(card.files, files, strict=True)}
            self._commit(card, named, "path")

    def import_path(self, path: Path, model: str | None = None) -> Card:
        """Take in a file or a folder that is on this machine; see `sources.adopt.import_path`."""
        from edge_slm.sources.adopt import import_path

        return import_path(self, path, model)

    def verify(self, models: Sequence[str]) -> list[Checked]:
        """Hash every file of the models again; a file that differs is removed, so a pull mends it.

        Raises:
            MissingError: when one of the models is not here at all.
        """
        results = []
        for model in models:
            manifest = self._manifest(model)
            if manifest is None:
                self.path(model)  # says why
                continue
            results += [self._verify_file(model, file) for file in manifest.files]
        return results

    def models(self) -> list[str]:
        """Return the ids of the models that have a manifest here, in order."""
        found = (self.root / "models").glob(f"*/{MANIFEST_NAME}")
        return sorted(path.parent.name for path in found)

    def remove(self, model: str) -> int:
        """Remove a model and the blobs that no other model uses; return the bytes freed.

        Raises:
            UsageError: when neither the store nor a card knows this id.
        """
        if not self._folder(model).is_dir():
            get_card(model)
        with self.locked(model), self._changing():
            manifest = self._manifest(model)
            shutil.rmtree(self.staging(model), ignore_errors=True)
            self._drop_folder(model)
            if manifest is None:
                return 0
            kept = {file.sha256 for other in self.models() for file in self._files_of(other)}
            freed = 0
            for file in manifest.files:
                blob = self._blob(file.sha256)
                if file.sha256 not in kept and blob.is_file():
                    freed += blob.stat().st_size
                    blob.unlink()
            return freed

    def staging(self, model: str) -> Path:
        """Return the folder where a model's files are gathered; not created."""
        return self.root / "staging" / model

    @contextmanager
    def locked(self, model: str) -> Iterator[None]:
        """Hold the model: a second pull of it waits, and says so."""
        from filelock import FileLock, Timeout

        lock = FileLock(self._lock_path(f"{model}.lock"))
        try:
            lock.acquire(timeout=0)
        except Timeout:
            print(  # noqa: T201
                t(
                    "Another command is at work on {model}; waiting…",
                    "Une autre commande travaille sur {model} ; attente…",
                    model=model,
                ),
                file=sys.stderr,
            )
            lock.acquire()
        try:
            yield
        finally:
            lock.release()

    def _folder(self, model: str) -> Path:
        return self.root / "models" / model

    def _blob(self, sha256: str) -> Path:
        return self.root / "blobs" / sha256

    def _manifest(self, model: str) -> Manifest | None:
        try:
            data = (self._folder(model) / MANIFEST_NAME).read_bytes()
            return msgspec.json.decode(data, type=Manifest)
        except (OSError, ValueError):
            # Absent, or not what this store writes: the model is not here.
            return None

    def _files_of(self, model: str) -> tuple[CardFile, ...]:
        manifest = self._manifest(model)
        return manifest.files if manifest else ()

    def _state(self, card: Card) -> str:
        manifest = self._manifest(card.id)
        if manifest is None or manifest.files != card.files:
            return "absent"
        sizes = [_size_of(self._folder(card.id) / file.name) for file in card.files]
        if None in sizes:
            return "absent"
        return "good" if sizes == [file.size for file in card.files] else "differs"

    def _reuse(self, file: CardFile, staging: Path) -> Path | None:
        """Link a blob that another model brought into staging, out of reach of its removal."""
        blob = self._blob(file.sha256)
        if _size_of(blob) != file.size:
            return None
        staging.mkdir(parents=True, exist_ok=True)
        linked = staging / f"{file.name}.here"
        with disk_full_is_a_sentence(staging):
            _link_or_copy(blob, linked)
        return linked

    def _commit(self, card: Card, files: dict[str, Path], source: str) -> None:
        """Move checked files to their blobs, link them, and put the model's folder in place."""
        fresh = self.root / "staging" / f".{card.id}.new"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True)
        (self.root / "blobs").mkdir(exist_ok=True)
        (self.root / "models").mkdir(exist_ok=True)
        try:
            with disk_full_is_a_sentence(self.root), self._changing():
                for file in card.files:
                    # A temporary file may be its owner's alone; a store may serve a whole machine.
                    files[file.name].chmod(0o644)
                    files[file.name].replace(self._blob(file.sha256))
                    _link_or_copy(self._blob(file.sha256), fresh / file.name)
                manifest = Manifest(card.id, card.files, source)
                (fresh / MANIFEST_NAME).write_bytes(msgspec.json.encode(manifest))
                self._drop_folder(card.id)
                fresh.replace(self._folder(card.id))
        finally:
            shutil.rmtree(fresh, ignore_errors=True)

    def _drop_folder(self, model: str) -> None:
        """Take a model away in one step: renamed first, then deleted."""
        folder = self._folder(model)
        if not folder.is_dir():
            return
        trash = self.root / "staging" / f".{model}.old"
        shutil.rmtree(trash, ignore_errors=True)
        trash.parent.mkdir(parents=True, exist_ok=True)
        folder.replace(trash)
        shutil.rmtree(trash, ignore_errors=True)

    def _verify_file(self, model: str, file: CardFile) -> Checked:
        path = self._folder(model) / file.name
        if not path.is_file():
            return Checked(model, file.name, "absent", None)
        label = t("Checking {name}", "Vérification de {name}", name=f"{model}/{file.name}")
        with progress(label, path.stat().st_size, "bytes") as advance:
            found = sha256_of(path, advance)
        if found == file.sha256:
            return Checked(model, file.name, "good", found)
        blob = self._blob(file.sha256)
        with self._changing():
            if blob.is_file() and blob.samefile(path):
                blob.unlink()
            path.unlink()
        return Checked(model, file.name, "differs", found)

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """Hold the whole store for the moment in which blobs come or go."""
        from filelock import FileLock

        with FileLock(self._lock_path("store.changing")):
            yield

    def _lock_path(self, name: str) -> Path:
        folder = self.root / "locks"
        folder.mkdir(parents=True, exist_ok=True)
        return folder / name


def _size_of(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None


def _link_or_copy(origin: Path, destination: Path) -> None:
    destination.unlink(missing_ok=True)
    try:
        os.link(origin, destination)
    except OSError:
        # exFAT and some network shares have no hard links.
        shutil.copyfile(origin, destination)
