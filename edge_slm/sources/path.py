"""The `path` source: a file or a folder, such as a USB stick."""

from pathlib import Path

from edge_slm.cards import Card, CardFile
from edge_slm.errors import MissingError
from edge_slm.i18n import t
from edge_slm.progress import progress
from edge_slm.sources import Fetched, chunks, write_hashed


def fetch(origin: Path, card: Card, wanted: list[CardFile], staging: Path) -> list[Fetched]:
    """Copy the wanted files into `staging`, hashing them on the way."""
    return [copy_in(_locate(origin, card, file), staging / file.name) for file in wanted]


def copy_in(origin: Path, destination: Path) -> Fetched:
    """Copy one file, hashing it on the way.

    Raises:
        MissingError: when it is absent or cannot be read.
    """
    try:
        with (
            origin.open("rb") as file,
            progress(
                t("Copying {name}", "Copie de {name}", name=origin.name),
                origin.stat().st_size,
                "bytes",
            ) as advance,
        ):
            return write_hashed(chunks(file), destination, advance)
    except (FileNotFoundError, PermissionError, IsADirectoryError) as error:
        raise _absent(origin) from error


def _locate(origin: Path, card: Card, file: CardFile) -> Path:
    if origin.is_dir():
        return origin / file.name
    if len(card.files) == 1:
        return origin
    raise _absent(origin / file.name)


def _absent(path: Path) -> MissingError:
    return MissingError(
        t(
            "{path} is absent or cannot be read.",
            "{path} est absent ou ne peut pas être lu.",
            path=path,
        )
    )
