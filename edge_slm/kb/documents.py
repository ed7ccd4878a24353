"""A document as the readers give it: titled blocks of plain text with their page and section.

Knows nothing of file formats (`readers`), of passages or of the base.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Block:
    """A paragraph, list or table of a document.

    Attributes:
        text: plain text without inline markup; a list has one "- item" line an item, a table one
            "cell | cell" line a row.
        page: page number from 1; formats without pages are all page 1.
        section: titles of the enclosing sections joined by " > ", without the document's title.
    """

    text: str
    page: int
    section: str


@dataclass(frozen=True)
class Document:
    """A document that was read.

    Attributes:
        name: file name, or the row's id in JSON lines: what a source cites.
        title: what a person calls it; the file name when the document does not say.
        blocks: its text in reading order, never empty.
        origin: URL when the document says so, else the path it was read from.
        date: ISO date (YYYY-MM-DD) when the document says so, else "".
        licence: licence when the document says so, else "".
    """

    name: str
    title: str
    blocks: tuple[Block, ...]
    origin: str = ""
    date: str = ""
    licence: str = ""
