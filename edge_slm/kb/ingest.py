"""Files and folders into a base: what can be read is added, the rest is said and left out."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from edge_slm.engines import Embedder
from edge_slm.errors import UsageError
from edge_slm.i18n import t
from edge_slm.kb.base import KnowledgeBase
from edge_slm.kb.documents import Document
from edge_slm.kb.readers import SUPPORTED, read_documents

# JSON lines hold all sorts of data: they are read when named, never because they lie in a folder.
DATA = frozenset({".jsonl"})


@dataclass
class Report:
    """What became of a batch of files."""

    added: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)  # one sentence each


def find_files(paths: Sequence[Path]) -> list[Path]:
    """Return the files to read: those named, and the readable kinds in the folders named.

    Hidden files and folders, and JSON lines, are passed over in folders. A file named by hand is
    kept whatever its kind, so that its reader can say what is wrong with it.
    """
    found: dict[Path, None] = {}
    for path in paths:
        inside = sorted(_walk(path)) if path.is_dir() else [path]
        found.update(dict.fromkeys(inside))
    return list(found)


def add_files(
    base: KnowledgeBase,
    embedder: Embedder,
    files: Sequence[Path],
    *,
    access: str = "",
    on_file: Callable[[Path], None] = lambda _: None,
    on_error: Callable[[str], None] = lambda _: None,
) -> Report:
    """Add files to a base, each document in a transaction of its own.

    Args:
        base: the base.
        embedder: the embedder that it was created for.
        files: what `find_files` returned.
        access: label of who may read them.
        on_file: called when a file is done.
        on_error: called with the sentence of a file or a document that cannot be added.
    """
    report = Report()
    origins: dict[str, Path] = {}
    for path in files:
        try:
            for document in read_documents(path):
                _check_name(document, path, origins)
                changed = base.add(document, embedder, access=access)
                (report.added if changed else report.unchanged).append(document.name)
        except UsageError as error:
            report.failed.append(str(error))
            on_error(str(error))
        on_file(path)
    return report


def _check_name(document: Document, path: Path, origins: dict[str, Path]) -> None:
    # A base holds one document a name: the second would silently take the first one's place.
    other = origins.setdefault(document.name, path)
    if other != path:
        raise UsageError(
            t(
                "{path} is left out, because {other} has the same name: rename one of them.",
                "{path} est écarté, car {other} porte le même nom : renommez l'un des deux.",
                path=path,
                other=other,
            )
        )


def nothing_found(paths: Sequence[Path]) -> UsageError:
    """Return the error of folders that hold nothing to read."""
    return UsageError(
        t(
            "There is no document in {paths}: the kinds read are {kinds}.",
            "Il n'y a pas de document dans {paths} : les formats lus sont {kinds}.",
            paths=", ".join(str(path) for path in paths),
            kinds=" ".join(sorted(SUPPORTED)),
        )
    )


def _walk(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if path.is_file() and path.suffix.lower() in SUPPORTED - DATA and not hidden:
            yield path
