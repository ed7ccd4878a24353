"""A base out of its folder: a copy of the file, or its documents as JSON lines."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from edge_slm import files
from edge_slm.errors import EdgeSlmError, UsageError
from edge_slm.i18n import t
from edge_slm.kb import schema
from edge_slm.kb.base import KnowledgeBase


def export_base(base: KnowledgeBase, path: Path) -> None:
    """Write a base to a file, whole or not at all.

    Args:
        base: the base.
        path: `.db` for a copy of the base, `.jsonl` for its documents, one a line.
    Raises:
        UsageError: another suffix.
        EdgeSlmError: the file cannot be written, or the base cannot be read.
    """
    writers = {".db": _copy, ".jsonl": _documents}
    writer = writers.get(path.suffix.lower())
    if writer is None:
        raise UsageError(
            t(
                "A base is exported to a .db or a .jsonl file, not to {name}.",
                "Une base s'exporte vers un fichier .db ou .jsonl, pas vers {name}.",
                name=path.name,
            )
        )
    with written_whole(path) as temporary, schema.explained():
        writer(base, temporary)


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Yield a temporary file that becomes `path` when all went well (files.replacing).

    Raises:
        EdgeSlmError: the file cannot be written.
    """
    try:
        with files.replacing(path) as temporary:
            yield temporary
    except OSError as error:
        raise EdgeSlmError(
            t(
                "{path} cannot be written ({error}): check the disk, and your rights on "
                "its folder.",
                "{path} ne peut pas être écrit ({error}) : vérifiez le disque, et vos droits sur "
                "son dossier.",
                path=path,
                error=error.strerror,
            )
        ) from error


def _copy(base: KnowledgeBase, path: Path) -> None:
    path.unlink()  # VACUUM INTO wants no file there
    base.connection.execute("VACUUM INTO ?", (str(path),))


def _documents(base: KnowledgeBase, path: Path) -> None:
    with path.open("wb") as file:
        for document in base.documents():
            pages = [base.page(document.name, n) or "" for n in range(1, document.pages + 1)]
            row = {
                "id": document.name,
                "title": document.title,
                "text": "\n\n".join(pages),
                "url": document.origin,
                "date": document.date,
                "licence": document.licence,
            }
            file.write(msgspec.json.encode(row) + b"\n")
