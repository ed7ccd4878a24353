"""Reads ODT files: headings by outline level, tables, lists, and the pages that were recorded.

Knows nothing of footnotes, comments, headers and pictures; deleted text stays deleted.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree.ElementTree import Element

from edge_slm.kb.documents import Document
from edge_slm.kb.readers.archive import Archive, attribute, children, local
from edge_slm.kb.readers.cleaning import clean, iso_date
from edge_slm.kb.readers.gather import Gatherer
from edge_slm.kb.readers.pages import PageCounter
from edge_slm.kb.readers.source import no_text, protected

_SKIPPED = frozenset((
    "tracked-changes", "note", "annotation", "table-of-content", "alphabetical-index",
    "illustration-index", "table-index", "object-index", "user-index", "bibliography",
    "sequence-decls", "variable-decls", "forms", "ruby-text", "covered-table-cell",
))  # fmt: skip
_PICTURE_TEXTS = "svg-compatible:1.0}"  # what is said of a picture to those who do not see it
_BLOCKS = ("p", "h", "list", "table", "soft-page-break")


@dataclass(frozen=True)
class Style:
    """What a paragraph or table style says."""

    breaks_before: bool = False
    breaks_after: bool = False
    is_title: bool = False


@dataclass
class _Reading:
    """What is known while a document is read."""

    gatherer: Gatherer
    styles: dict[str, Style]
    pages: PageCounter = field(default_factory=PageCounter)


def read_odt(path: Path) -> Document:
    """Read an ODT file.

    Raises:
        UsageError: it is not one, it is damaged, encrypted or hostile, or it holds no text.
    """
    archive = Archive(path, "ODT")
    _check(archive)
    content = archive.xml("content.xml")
    body = _find(_find(content, "body"), "text")
    if content is None or body is None:
        raise archive.wrong_format()
    styles = read_styles(content, archive.xml("styles.xml"))
    meta = _meta(archive)
    shown = _shown_title(body, styles)
    title = meta.get("title") or shown
    reading = _Reading(Gatherer(shown or title), styles)
    for element in _elements(body, _BLOCKS):
        _gather(element, reading)
    if not reading.gatherer.blocks():
        raise no_text(path)
    date = iso_date(meta.get("date", "")) or iso_date(meta.get("creation-date", ""))
    return Document(path.name, title or path.name, reading.gatherer.blocks(), str(path), date)


def read_styles(*roots: Element | None) -> dict[str, Style]:
    """Return the styles of content.xml and styles.xml by name, parents worked in."""
    raw: dict[str, Element] = {}
    for root in roots:
        for group in children(root):
            if local(group) in ("automatic-styles", "styles"):
                raw |= {attribute(s, "name"): s for s in group if local(s) == "style"}
    return {name: _style(name, raw, frozenset()) for name in raw}


def _style(name: str, raw: dict[str, Element], seen: frozenset[str]) -> Style:
    element = raw.get(name)
    # A chain of parents is short, and a hostile one is a circle.
    if element is None or name in seen or len(seen) > 50:
        return Style(is_title=name == "Title")
    parent = attribute(element, "parent-style-name")
    base = _style(parent, raw, seen | {name}) if parent else Style()
    before, after = base.breaks_before, base.breaks_after
    for properties in element:
        before = _breaks(properties, "break-before", before)
        after = _breaks(properties, "break-after", after)
    return Style(
        breaks_before=before or bool(attribute(element, "master-page-name")),
        breaks_after=after,
        # Style Subtitle has Title as parent in old files, automatic styles (P1) always.
        is_title=name == "Title" or (base.is_title and name != "Subtitle"),
    )


def _breaks(properties: Element, name: str, default: bool) -> bool:
    value = attribute(properties, name)
    return value in ("page", "even-page", "odd-page") if value else default


def _gather(element: Element, reading: _Reading) -> None:
    name = local(element)
    if name == "soft-page-break":
        reading.pages.ensure_new_page()
    elif name == "list":
        _gather_list(element, reading)
    elif name == "table":
        _gather_table(element, reading)
    else:
        _gather_paragraph(element, reading)


def _gather_paragraph(element: Element, reading: _Reading) -> None:
    text, page = _text(element, reading)
    style = reading.styles.get(attribute(element, "style-name"), Style())
    reading.gatherer.page = page
    if local(element) == "h":
        level = attribute(element, "outline-level")
        reading.gatherer.heading(int(level) if level in tuple("123456789") else 1, text)
    elif style.is_title:
        reading.gatherer.heading(1, text)
    else:
        reading.gatherer.paragraph(text)


def _gather_list(element: Element, reading: _Reading) -> None:
    # Numbered headings are wrapped in lists by some versions.
    if next(_elements(element, ("h",)), None) is not None:
        for inner in _elements(element, ("p", "h", "table", "soft-page-break")):
            _gather(inner, reading)
        return
    items: list[str] = []
    first = 0
    for item, inner in _list_paragraphs(element):
        text, page = _text(inner, reading)
        first = first or (page if text.strip() else 0)
        if item or not items:
            items.append(text)
        else:
            items[-1] += " " + text
    reading.gatherer.listing(items, first or reading.pages.page)


def _list_paragraphs(root: Element) -> Iterator[tuple[bool, Element]]:
    """Yield (it opens an item, the paragraph) for each paragraph of a list and its inner lists."""
    opens = True
    for element in _walk(root, ("p", "soft-page-break")):
        if local(element) in ("list-item", "list-header"):
            opens = True
        elif local(element) in ("p", "soft-page-break"):
            yield opens, element
            opens = opens and local(element) != "p"


def _gather_table(element: Element, reading: _Reading) -> None:
    style = reading.styles.get(attribute(element, "style-name"), Style())
    if style.breaks_before:
        reading.pages.ensure_new_page()
    rows: list[list[str]] = []
    first = 0
    for row in _elements(element, ("table-row", "soft-page-break")):
        if local(row) == "soft-page-break":
            reading.gatherer.table(rows, first or reading.pages.page)
            rows, first = [], 0
            reading.pages.ensure_new_page()
            continue
        cells = []
        for cell in _elements(row, ("table-cell",)):
            texts = [_text(inner, reading) for inner in _elements(cell, ("p", "h"))]
            first = first or next((page for text, page in texts if text.strip()), 0)
            cells.append(" ".join(text for text, _ in texts))
        rows.append(cells)
    reading.gatherer.table(rows, first or reading.pages.page)


def _text(root: Element, reading: _Reading) -> tuple[str, int]:
    """Return the text of a paragraph and the page where it begins; count its page breaks."""
    pages = reading.pages
    if local(root) == "soft-page-break":
        pages.ensure_new_page()
        return "", pages.page
    style = reading.styles.get(attribute(root, "style-name"), Style())
    if style.breaks_before:
        pages.ensure_new_page()
    pieces: list[str] = []
    page = 0
    for piece in _pieces(root):
        if isinstance(piece, str):
            pieces.append(piece)
            if piece.strip():
                page = page or pages.page
                pages.content()
        elif local(piece) == "soft-page-break":
            pages.ensure_new_page()
        elif local(piece) == "image":
            pages.content()
        elif local(piece) in ("s", "tab", "line-break", "p", "h"):
            pieces.append(" ")
    page = page or pages.page
    if style.breaks_after:
        pages.new_page()
    return "".join(pieces), page


def _pieces(root: Element) -> Iterator[str | Element]:
    """Yield the texts and elements inside an element, in order."""
    pending: list[str | Element] = []

    def push_inside(element: Element) -> None:
        for child in reversed(element):
            if child.tail:
                pending.append(child.tail)
            pending.append(child)
        if element.text:
            pending.append(element.text)

    push_inside(root)
    while pending:
        piece = pending.pop()
        if isinstance(piece, str):
            yield piece
        elif not _is_skipped(piece):
            yield piece
            push_inside(piece)


def _check(archive: Archive) -> None:
    if "encrypted-package" in archive:
        raise protected(archive.path)
    manifest = archive.xml("META-INF/manifest.xml")
    if manifest is not None and any(local(e) == "encryption-data" for e in manifest.iter()):
        raise protected(archive.path)
    if "content.xml" not in archive:
        raise archive.wrong_format()
    if "mimetype" in archive and b"opendocument.text" not in archive.read("mimetype"):
        raise archive.wrong_format()


def _meta(archive: Archive) -> dict[str, str]:
    root = _find(archive.xml("meta.xml"), "meta")
    return {local(child): clean(child.text or "") for child in children(root)}


def _shown_title(body: Element, styles: dict[str, Style]) -> str:
    """Return the title as the text has it: in style Title, else the only heading 1 if first."""
    headings = []
    for element in _elements(body, ("p", "h")):
        if local(element) == "h":
            headings.append(element)
        elif styles.get(attribute(element, "style-name"), Style()).is_title:
            return _plain(element)
    first_level = [h for h in headings if attribute(h, "outline-level") in ("", "1")]
    if len(first_level) == 1 and first_level[0] is headings[0]:
        return _plain(headings[0])
    return ""


def _plain(element: Element) -> str:
    return clean(_text(element, _Reading(Gatherer(), {}))[0])


def _find(element: Element | None, name: str) -> Element | None:
    return next((child for child in children(element) if local(child) == name), None)


def _elements(root: Element, names: tuple[str, ...]) -> Iterator[Element]:
    """Yield the nearest descendants of these names, in order."""
    return (element for element in _walk(root, names) if local(element) in names)


def _walk(root: Element, whole: tuple[str, ...]) -> Iterator[Element]:
    pending = list(reversed(root))
    while pending:
        element = pending.pop()
        if not _is_skipped(element):
            yield element
            if local(element) not in whole:
                pending.extend(reversed(element))


def _is_skipped(element: Element) -> bool:
    return local(element) in _SKIPPED or _PICTURE_TEXTS in element.tag
