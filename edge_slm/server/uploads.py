"""The file of a form: its name made safe, its bytes on the disk for as long as they are needed."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edge_slm.i18n import t
from edge_slm.server.errors import Refused
from edge_slm.server.exchange import Call, Upload

LONGEST_NAME = 200  # bytes


def upload_of(call: Call) -> Upload:
    """Return the file of a form, under the last part of its name.

    Raises:
        Refused: there is none, or its name is no name.
    """
    if call.upload is None:
        raise Refused(
            t(
                "Send a form (multipart/form-data) with the file in its field “file”.",
                "Envoyez un formulaire (multipart/form-data) avec le fichier dans « file ».",
            ),
            param="file",
        )
    name = Path(call.upload.name.replace("\\", "/")).name.strip()
    hidden = not name or name.startswith(".") or not name.isprintable()
    if hidden or len(name.encode("utf-8", "replace")) > LONGEST_NAME:
        raise Refused(
            t(
                "The file's name is empty, hidden or too long: rename the file.",
                "Le nom du fichier est vide, caché ou trop long : renommez le fichier.",
            ),
            param="file",
        )
    return Upload(name, call.upload.file)


@contextmanager
def saved(upload: Upload) -> Iterator[Path]:
    """Yield the path of a copy of a file, which is gone when the block ends.

    Raises:
        Refused: it cannot be written.
    """
    with tempfile.TemporaryDirectory(prefix="edge-slm-") as folder:
        path = Path(folder) / upload.name
        try:
            with path.open("wb") as file:
                shutil.copyfileobj(upload.file, file)
        except OSError as error:
            raise not_kept(error) from error
        yield path


def not_kept(error: OSError) -> Refused:
    """Return the error of a file for which the disk has no place."""
    return Refused(
        t(
            "The file cannot be kept on the server's disk ({reason}): make room there, or rename "
            "the file.",
            "Le fichier ne peut pas être gardé sur le disque du serveur ({reason}) : faites-y de "
            "la place, ou renommez le fichier.",
            reason=error.strerror or type(error).__name__,
        ),
        507,
        "disk",
    )
