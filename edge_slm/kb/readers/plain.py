"""Reads plain text: blank lines part paragraphs, a form feed starts a page."""

from pathlib import Path

from edge_slm.kb.documents import Document
from edge_slm.kb.readers.cleaning import clean
from edge_slm.kb.readers.gather import Gatherer
from edge_slm.kb.readers.lines import gather_lines, short_title
from edge_slm.kb.readers.source import decode, no_text, read_bytes


def read_plain(path: Path) -> Document:
    """Read a text file; its title is its first line when that is short.

    Raises:
        UsageError: the file is binary or holds no text.
    """
    text = decode(read_bytes(path), path)
    pages = [page.split("\n") for page in text.split("\f")]
    lines = (clean(line) for page in pages for line in page)
    title = short_title(next((line for line in lines if line), ""))
    gatherer = Gatherer(title)
    for number, page in enumerate(pages, start=1):
        gatherer.page = number
        gather_lines(page, gatherer)
    if not gatherer.blocks():
        raise no_text(path)
    return Document(path.name, title or path.name, gatherer.blocks(), str(path))
