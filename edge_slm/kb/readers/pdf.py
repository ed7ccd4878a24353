"""Reads PDF files page by page, through pypdf.

The words and their order come from pypdf's plain extraction, the gaps between paragraphs from its
layout mode, headings from bookmarks, else from the size of letters. Knows nothing of columns,
tables and pictures; a scan needs OCR before.
"""

import io
import logging
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from edge_slm.errors import UsageError
from edge_slm.i18n import t
from edge_slm.kb.documents import Document
from edge_slm.kb.readers.cleaning import clean
from edge_slm.kb.readers.gather import Gatherer
from edge_slm.kb.readers.lines import gather_lines, short_title
from edge_slm.kb.readers.pdf_headings import SizedLine, headings_by_size, sized_lines
from edge_slm.kb.readers.pdf_lines import hyphen_joiner, with_gaps, without_recurring
from edge_slm.kb.readers.source import damaged, protected, read_bytes

if TYPE_CHECKING:
    from pypdf import PageObject, PdfReader

_T = TypeVar("_T")
# What pypdf raises on hostile files besides its own errors.
_PYTHON_ERRORS = (
    ValueError, TypeError, LookupError, AttributeError, ArithmeticError, AssertionError, OSError,
    EOFError, RuntimeError, MemoryError, struct.error, zlib.error,
)  # fmt: skip


def read_pdf(path: Path) -> Document:
    """Read a PDF file; its title is in its metadata, else its first line when that is short.

    Raises:
        UsageError: it is damaged or protected, or it holds no text and needs OCR.
    """
    from pypdf.errors import PyPdfError

    # pypdf tells of each oddity in a file on standard error.
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    reader = _open(path)
    try:
        read = [_page(page) for page in reader.pages]
        metadata = reader.metadata
        declared = clean(str(metadata.get("/Title") or "")) if metadata else ""
    except (PyPdfError, *_PYTHON_ERRORS) as error:
        raise damaged(path, "PDF") from error
    pages = without_recurring([lines for lines, _ in read])
    filled = [clean(line) for lines, _ in read for line in lines if clean(line)]
    if not filled:
        raise _scanned(path)
    shown, by_size = headings_by_size([sizes for _, sizes in read])
    title = declared or shown or short_title(filled[0])
    headings = _optional(lambda: _bookmarks(reader)) or by_size
    gatherer = Gatherer(shown or title)
    join = hyphen_joiner("\n".join(line for lines, _ in read for line in lines))
    for number, page in enumerate(pages, start=1):
        gatherer.page = number
        gather_lines(page, gatherer, join, headings)
    if not gatherer.blocks():
        raise _scanned(path)
    return Document(
        name=path.name,
        title=title or path.name,
        blocks=gatherer.blocks(),
        origin=str(path),
        date=_optional(lambda: _date(reader)) or "",
    )


def _open(path: Path) -> "PdfReader":
    from pypdf import PdfReader
    from pypdf.errors import DependencyError, FileNotDecryptedError, PyPdfError

    try:
        reader = PdfReader(io.BytesIO(read_bytes(path)))
        if reader.is_encrypted and not reader.decrypt(""):
            raise protected(path)
    # DependencyError: AES, when the cryptography package is absent.
    except (FileNotDecryptedError, DependencyError) as error:
        raise protected(path) from error
    except (PyPdfError, *_PYTHON_ERRORS) as error:
        raise damaged(path, "PDF") from error
    return reader


def _page(page: "PageObject") -> tuple[list[str], list[SizedLine]]:
    """Return the lines of a page, a blank one between paragraphs, and their letter sizes."""
    pieces: list[tuple[str, float]] = []

    def visit(text: str, cm: list[float], tm: list[float], font: object, size: float) -> None:
        # The text and page matrices scale the font's size; [3] is vertical.
        pieces.append((text, abs(float(size) * float(tm[3]) * float(cm[3]))))

    text = page.extract_text(visitor_text=visit)
    if not text.strip():
        return [], []
    layout = _optional(lambda: page.extract_text(extraction_mode="layout"))
    return with_gaps(text.split("\n"), (layout or "").split("\n")), sized_lines(pieces)


def _optional(read: Callable[[], _T]) -> _T | None:
    """Return what a document can do without, None when the file is broken there."""
    from pypdf.errors import PyPdfError

    try:
        return read()
    except (PyPdfError, *_PYTHON_ERRORS):
        return None


def _bookmarks(reader: "PdfReader") -> dict[str, int]:
    """Return the levels (from 1) of the file's bookmarks by their casefolded titles."""
    levels: dict[str, int] = {}
    pending: list[tuple[object, int]] = [(reader.outline, 0)]
    while pending:
        item, level = pending.pop()
        if isinstance(item, list):
            pending.extend((inner, level + 1) for inner in item)
        elif text := clean(str(getattr(item, "title", "") or "")).casefold():
            levels[text] = min(level, levels.get(text, level))
    return levels


def _date(reader: "PdfReader") -> str:
    metadata = reader.metadata
    found = metadata and (metadata.modification_date or metadata.creation_date)
    return found.date().isoformat() if found else ""


def _scanned(path: Path) -> UsageError:
    return UsageError(
        t(
            "“{name}” is a PDF without text, probably a scan: run OCR on it first.",
            "« {name} » est un PDF sans texte, sans doute un scan : passez-le d'abord à la "
            "reconnaissance de caractères (OCR).",
            name=path.name,
        )
    )
