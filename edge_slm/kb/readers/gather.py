"""Collects the blocks of a document in reading order and keeps track of page and sections.

Every reader feeds one `Gatherer`; this module knows nothing of their formats.
"""

from collections.abc import Iterable, Sequence

from edge_slm.kb.documents import Block
from edge_slm.kb.readers.cleaning import clean, clean_code


class Gatherer:
    """Turns headings, paragraphs, lists and tables into blocks.

    Args:
        title: the document's title as its own text has it. The heading that repeats it is no
            section, and a first paragraph that repeats it is no block.
    """

    def __init__(self, title: str = "") -> None:
        self.page = 1
        self._title = clean(title).casefold()
        self._title_taken = False
        self._headings: list[Block] = []
        self._sections: list[tuple[int, str]] = []
        self._blocks: list[Block] = []

    def heading(self, level: int, text: str) -> None:
        """Open a section; it closes those of the same level (1 is highest) and below."""
        text = clean(text)
        if not text:
            return
        first = not self._headings
        self._headings.append(Block(text, self.page, ""))
        if (level == 1 or first) and self._is_title(text):
            self._title_taken = True
            self._sections.clear()
            return
        while self._sections and self._sections[-1][0] >= level:
            self._sections.pop()
        self._sections.append((level, text))

    def paragraph(self, text: str, page: int | None = None) -> None:
        """Add a paragraph; `page` differs from the current one when the text began before it."""
        text = clean(text)
        if not self._blocks and not self._headings and self._is_title(text):
            self.heading(1, text)
            return
        self._add(text, page)

    def listing(self, items: Iterable[str], page: int | None = None) -> None:
        """Add a list, one "- item" line an item."""
        lines = (clean(item) for item in items)
        self._add("\n".join(f"- {line}" for line in lines if line), page)

    def table(self, rows: Iterable[Sequence[str]], page: int | None = None) -> None:
        """Add a table, one "cell | cell" line a row; rows without text are left out."""
        cleaned = ([clean(cell) for cell in row] for row in rows)
        self._add("\n".join(" | ".join(row).strip() for row in cleaned if any(row)), page)

    def code(self, text: str) -> None:
        """Add preformatted text."""
        self._add(clean_code(text), None)

    def blocks(self) -> tuple[Block, ...]:
        """Return what was gathered; a document that is only headings gives its headings."""
        return tuple(self._blocks or self._headings)

    def _is_title(self, text: str) -> bool:
        return not self._title_taken and bool(text) and text.casefold() == self._title

    def _add(self, text: str, page: int | None) -> None:
        if text:
            section = " > ".join(title for _, title in self._sections)
            self._blocks.append(Block(text, page or self.page, section))
