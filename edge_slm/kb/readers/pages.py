"""Counts the pages of word-processor documents from the breaks that their files record.

Knows nothing of formats: DOCX and ODT readers tell it what they meet.
"""


class PageCounter:
    """The page, from 1, of what is being read."""

    def __init__(self) -> None:
        self.page = 1
        self._content = False

    def content(self) -> None:
        """Note that text or a picture stands on the page."""
        self._content = True

    def new_page(self) -> None:
        """Count a break that a person typed: an empty page is a page."""
        self.page += 1
        self._content = False

    def ensure_new_page(self) -> None:
        """Count a break only after content.

        The break that a word processor recorded when it laid the page out stands just after the
        typed one that caused it, and both are the same.
        """
        if self._content:
            self.new_page()
