"""Reads documents of every supported format into plain-text blocks with their page and section.

One module a format; the suffix of a file's name decides, its content is checked against it.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

from edge_slm.errors import UsageError
from edge_slm.i18n import t
from edge_slm.kb.documents import Document
from edge_slm.kb.readers.docx import read_docx
from edge_slm.kb.readers.html import read_html
from edge_slm.kb.readers.jsonl import read_jsonl
from edge_slm.kb.readers.markdown import read_markdown
from edge_slm.kb.readers.odt import read_odt
from edge_slm.kb.readers.pdf import read_pdf
from edge_slm.kb.readers.plain import read_plain
from edge_slm.kb.readers.source import check_file

_READERS: dict[str, Callable[[Path], Document]] = {
    ".docx": read_docx,
    ".htm": read_html,
    ".html": read_html,
    ".markdown": read_markdown,
    ".md": read_markdown,
    ".odt": read_odt,
    ".pdf": read_pdf,
    ".txt": read_plain,
}
SUPPORTED = frozenset((*_READERS, ".jsonl"))


def read_documents(path: Path) -> Iterator[Document]:
    """Return the documents of a file: one for most formats, one a row for JSON lines.

    The file is checked, and read unless it is JSON lines, before this returns; rows of JSON lines
    are read as they are asked for.

    Raises:
        UsageError: the file cannot be read as what its suffix says; one sentence says why.
    """
    suffix = path.suffix.lower()
    check_file(path)
    if suffix not in SUPPORTED:
        raise UsageError(
            t(
                "“{name}” is of no supported format: give one of {formats}.",
                "« {name} » n'est pas d'un format pris en charge : donnez l'un de {formats}.",
                name=path.name,
                formats=", ".join(sorted(SUPPORTED)),
            )
        )
    if suffix == ".jsonl":
        return read_jsonl(path)
    return iter((_READERS[suffix](path),))
