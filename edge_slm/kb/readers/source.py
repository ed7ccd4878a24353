"""The bytes of a file within bounds, its text, and the sentences for files that cannot be read.

Knows nothing of what formats mean.
"""

import codecs
import stat
from pathlib import Path

from edge_slm.errors import UsageError
from edge_slm.i18n import size, t

MAX_FILE_BYTES = 100 * 10**6


def check_file(path: Path) -> None:
    """Check that a path is a readable, regular file of 1 byte to 100 MB.

    Raises:
        UsageError: it is not; the sentence says why.
    """
    try:
        status = path.stat()
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error
    if stat.S_ISDIR(status.st_mode):
        raise UsageError(
            t(
                "“{name}” is a folder: give the files in it.",
                "« {name} » est un dossier : indiquez les fichiers qu'il contient.",
                name=path.name or path,
            )
        )
    if not stat.S_ISREG(status.st_mode):
        raise UsageError(
            t(
                "“{name}” is not a regular file: copy its content into one.",
                "« {name} » n'est pas un fichier ordinaire : copiez son contenu dans un fichier.",
                name=path.name,
            )
        )
    if status.st_size == 0:
        raise UsageError(
            t(
                "“{name}” is empty: check that it was copied whole.",
                "« {name} » est vide : vérifiez qu'il a été copié en entier.",
                name=path.name,
            )
        )
    if status.st_size > MAX_FILE_BYTES:
        raise _too_large(path)
    try:
        path.open("rb").close()
    except OSError as error:
        raise _unreadable(path, error) from error


def read_bytes(path: Path) -> bytes:
    """Return the bytes of a file that `check_file` accepted.

    Raises:
        UsageError: it cannot be read, or it grew over 100 MB.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise _unreadable(path, error) from error
    if len(data) > MAX_FILE_BYTES:
        raise _too_large(path)
    return data


def decode(data: bytes, path: Path) -> str:
    r"""Return text, its line ends "\n".

    A byte order mark decides (UTF-8, UTF-16); else UTF-8; else Windows-1252, the encoding of old
    French files. A file whose non-ASCII characters are mostly good UTF-8 is UTF-8 that was
    damaged or cut: its bad bytes are dropped.

    Raises:
        UsageError: the file is binary (it holds NUL characters).
    """
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        text = data.decode("utf-16", errors="ignore")
    else:
        text = _decode_8_bit(data.removeprefix(codecs.BOM_UTF8))
    if "\0" in text:
        raise binary(path)
    return text.replace("\r\n", "\n").replace("\r", "\n")


def binary(path: Path) -> UsageError:
    """Return the error for a binary file under the suffix of a text format."""
    return UsageError(
        t(
            "“{name}” is not text, in spite of its suffix: give the file its true suffix.",
            "« {name} » n'est pas du texte malgré son extension : donnez-lui sa vraie extension.",
            name=path.name,
        )
    )


def no_text(path: Path) -> UsageError:
    """Return the error for a sound file without readable text."""
    return UsageError(
        t(
            "“{name}” holds no readable text: add a document that has some.",
            "« {name} » ne contient aucun texte lisible : ajoutez un document qui en a.",
            name=path.name,
        )
    )


def damaged(path: Path, kind: str) -> UsageError:
    """Return the error for a file that is cut or broken; `kind` is its format, as "PDF"."""
    return UsageError(
        t(
            "“{name}” is a damaged or truncated {kind} file: copy it again from its source.",
            "« {name} » est un fichier {kind} endommagé ou tronqué : recopiez-le depuis sa source.",
            name=path.name,
            kind=kind,
        )
    )


def protected(path: Path) -> UsageError:
    """Return the error for an encrypted file."""
    return UsageError(
        t(
            "“{name}” is protected by a password: save a copy without it and add the copy.",
            "« {name} » est protégé par un mot de passe : enregistrez-en une copie sans "
            "protection et ajoutez cette copie.",
            name=path.name,
        )
    )


def _decode_8_bit(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        pass
    good = data.decode("utf-8", errors="ignore")
    bad = data.decode("utf-8", errors="replace").count("\ufffd")
    if sum(not character.isascii() for character in good) > bad:
        return good
    return data.decode("cp1252", errors="ignore")


def _too_large(path: Path) -> UsageError:
    return UsageError(
        t(
            "“{name}” is larger than {limit}: split it into smaller documents.",
            "« {name} » dépasse {limit} : découpez-le en documents plus petits.",
            name=path.name,
            limit=size(MAX_FILE_BYTES),
        )
    )


def _unreadable(path: Path, error: OSError | ValueError) -> UsageError:
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return UsageError(
            t(
                "“{name}” does not exist: check the path.",
                "« {name} » n'existe pas : vérifiez le chemin.",
                name=path,
            )
        )
    if isinstance(error, PermissionError):
        return UsageError(
            t(
                "“{name}” may not be read by you: ask for the right to read it.",
                "Vous n'avez pas le droit de lire « {name} » : demandez le droit de lecture.",
                name=path.name,
            )
        )
    return UsageError(
        t(
            "“{name}” cannot be read ({reason}): check the path and the disk.",
            "« {name} » ne peut pas être lu ({reason}) : vérifiez le chemin et le disque.",
            name=path.name,
            reason=getattr(error, "strerror", None) or error,
        )
    )
