"""A document as the readers give it: titled blocks of plain text with their page and section.

Knows nothing of file formats (`readers`), of passages or of the base.
"""

import hashlib
from dataclasses import dataclass

import msgspec

from edge_slm.errors import UsageError
from edge_slm.i18n import t


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


def digest_of(document: Document, access: str) -> str:
    """Return the SHA-256 of a document and its access label, as hexadecimal digits.

    Raises:
        UsageError: the name is not Unicode text.
    """
    try:
        return hashlib.sha256(msgspec.json.encode((document, access))).hexdigest()
    except UnicodeEncodeError:  # a file name that is not UTF-8 reaches Python as surrogates
        raise UsageError(
            t(
                "The name of {name} is not Unicode text: rename the file.",
                "Le nom de {name} n'est pas du texte Unicode : renommez le fichier.",
                name=document.name.encode("utf-8", "replace").decode(),
            )
        ) from None
