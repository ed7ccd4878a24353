"""Reads DOCX files: headings by style, tables, lists, and the pages that Word recorded.

Knows nothing of footnotes, comments, headers and pictures; deleted text stays deleted.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from xml.etree.ElementTree import Element

from edge_slm.kb.documents import Document
from edge_slm.kb.readers.archive import Archive, attribute, children, local
from edge_slm.kb.readers.cleaning import clean, iso_date
from edge_slm.kb.readers.gather import Gatherer
from edge_slm.kb.readers.pages import PageCounter
from edge_slm.kb.readers.source import no_text

_HEADING = re.compile(r"(?:heading|titre|rubrik|überschrift|título|titolo)[\s_-]*([1-9])$")
_TITLES = frozenset(("title", "titre"))
_CONTENTS = re.compile(r"(?:toc|tm|contents)[\s_-]*[1-9]$")
# Deletions, moves away, the second version of a drawing's text, and formatting.
_SKIPPED = frozenset((
    "del", "moveFrom", "Fallback", "pPr", "rPr", "tblPr", "trPr", "tcPr", "sectPr", "sdtPr",
))  # fmt: skip
_SPACES = frozenset(("tab", "br", "cr", "p", "ptab"))


@dataclass(frozen=True)
class Style:
    """What a paragraph style says; the styles that it is based on are worked in."""

    level: int = 0
    is_title: bool = False
    is_contents: bool = False
    is_list: bool = False
    breaks_page: bool = False


@dataclass(frozen=True)
class Paragraph:
    """A paragraph with the page where its text begins; level 0 is body text."""

    text: str
    page: int
    level: int
    is_title: bool
    is_list: bool


@dataclass(frozen=True)
class Row:
    """A table's row with the page where it begins; `table` numbers the tables."""

    cells: tuple[str, ...]
    page: int
    table: int


def read_docx(path: Path) -> Document:
    """Read a DOCX file.

    Raises:
        UsageError: it is not one, it is damaged, encrypted or hostile, or it holds no text.
    """
    archive = Archive(path, "DOCX")
    main = _main_part(archive)
    root = archive.xml(main)
    body = _child(root, "body")
    if body is None:
        raise archive.wrong_format()
    styles = archive.xml(f"{main.rpartition('/')[0]}/styles.xml")
    content = list(_content(body, read_styles(styles)))
    core = _core(archive)
    paragraphs = [item for item in content if isinstance(item, Paragraph)]
    shown = _shown_title(paragraphs)
    title = core.get("title") or shown
    gatherer = Gatherer(shown or title)
    _gather(content, gatherer)
    if not gatherer.blocks():
        raise no_text(path)
    date = iso_date(core.get("modified", "")) or iso_date(core.get("created", ""))
    return Document(path.name, title or path.name, gatherer.blocks(), str(path), date)


def read_styles(root: Element | None) -> dict[str, Style]:
    """Return the paragraph styles of styles.xml by their id."""
    raw = {attribute(s, "styleId"): s for s in children(root) if local(s) == "style"}
    return {name: _style(name, raw, frozenset()) for name in raw}


def _style(name: str, raw: dict[str, Element], seen: frozenset[str]) -> Style:
    element = raw.get(name)
    # A chain of styles based on each other is short, and a hostile one is a circle.
    if element is None or name in seen or len(seen) > 50:
        return _named(name, name)
    parent = _value(element, "basedOn")
    base = _style(parent, raw, seen | {name}) if parent else Style()
    own = _named(name, _value(element, "name"))
    properties = _child(element, "pPr")
    return Style(
        level=own.level or _outline_level(properties) or base.level,
        is_title=own.is_title,
        is_contents=own.is_contents,
        is_list=_is_numbered(properties, base.is_list),
        breaks_page=_flag(properties, "pageBreakBefore", base.breaks_page),
    )


def _named(style_id: str, name: str) -> Style:
    names = (style_id.lower(), name.lower())
    levels = [int(found[1]) for text in names if (found := _HEADING.match(text))]
    return Style(
        level=max(levels, default=0),
        is_title=any(text in _TITLES for text in names),
        is_contents=any(_CONTENTS.match(text) for text in names),
    )


def _content(body: Element, styles: dict[str, Style]) -> Iterator[Paragraph | Row]:
    """Yield paragraphs and table rows in reading order, with their pages."""
    pages = PageCounter()
    for number, element in enumerate(_elements(body, ("p", "tbl"))):
        if local(element) == "p":
            paragraph = _paragraph(element, styles, pages)
            if paragraph:
                yield paragraph
            continue
        for row in _elements(element, ("tr",)):
            first = pages.page
            cells = [_text(cell, pages) for cell in _elements(row, ("tc",))]
            page = next((page for text, page in cells if text.strip()), first)
            yield Row(tuple(text for text, _ in cells), page, number)


def _paragraph(element: Element, styles: dict[str, Style], pages: PageCounter) -> Paragraph | None:
    properties = _child(element, "pPr")
    name = _value(properties, "pStyle")
    style = styles.get(name) or _named(name, name)
    if _flag(properties, "pageBreakBefore", style.breaks_page):
        pages.ensure_new_page()
    text, page = _text(element, pages)
    section = _child(properties, "sectPr")
    if section is not None and _value(section, "type") not in ("continuous", "nextColumn"):
        pages.new_page()
    if style.is_contents or not text.strip():
        return None
    outline = _child(properties, "outlineLvl")
    level = style.level if outline is None else _outline_level(properties)
    return Paragraph(text, page, level, style.is_title, _is_numbered(properties, style.is_list))


def _text(root: Element, pages: PageCounter) -> tuple[str, int]:
    """Return the text of a paragraph or cell and the page where it begins."""
    pieces: list[str] = []
    page = 0
    for element in _walk(root):
        name = local(element)
        if name == "t" and element.text:
            pieces.append(element.text)
            if element.text.strip():
                page = page or pages.page
                pages.content()
        elif name in ("drawing", "pict", "object"):
            pages.content()
        elif name == "br" and attribute(element, "type") == "page":
            pieces.append(" ")
            pages.new_page()
        elif name == "lastRenderedPageBreak":
            pages.ensure_new_page()
        elif name == "noBreakHyphen":
            pieces.append("-")
        elif name in _SPACES:
            pieces.append(" ")
    return "".join(pieces), page or pages.page


def _gather(content: list[Paragraph | Row], gatherer: Gatherer) -> None:
    def kind(item: Paragraph | Row) -> tuple[str, int]:
        if isinstance(item, Row):
            return f"table {item.table}", item.page
        return ("list" if item.is_list and not item.level else "text"), 0

    for (name, page), items in groupby(content, key=kind):
        if name.startswith("table"):
            gatherer.table([item.cells for item in items if isinstance(item, Row)], page)
            continue
        paragraphs = [item for item in items if isinstance(item, Paragraph)]
        if name == "list":
            gatherer.listing([item.text for item in paragraphs], paragraphs[0].page)
            continue
        for item in paragraphs:
            gatherer.page = item.page
            if item.level or item.is_title:
                gatherer.heading(item.level or 1, item.text)
            else:
                gatherer.paragraph(item.text)


def _shown_title(paragraphs: list[Paragraph]) -> str:
    """Return the title as the text has it: in style Title, else the only heading 1 if first."""
    for item in paragraphs:
        if item.is_title:
            return clean(item.text)
    headings = [item for item in paragraphs if item.level]
    if headings and headings[0].level == 1 and sum(item.level == 1 for item in headings) == 1:
        return clean(headings[0].text)
    return ""


def _main_part(archive: Archive) -> str:
    """Return the main part; some exporters do not call it word/document.xml."""
    for relation in children(archive.xml("_rels/.rels")):
        if attribute(relation, "Type").endswith("/officeDocument"):
            return attribute(relation, "Target").lstrip("/")
    return "word/document.xml"


def _core(archive: Archive) -> dict[str, str]:
    root = archive.xml("docProps/core.xml")
    return {local(child): clean(child.text or "") for child in children(root)}


def _elements(root: Element, names: tuple[str, ...]) -> Iterator[Element]:
    """Yield the nearest descendants of these names, in order."""
    pending = list(reversed(root))
    while pending:
        element = pending.pop()
        if local(element) in names:
            yield element
        elif local(element) not in _SKIPPED:
            pending.extend(reversed(element))


def _walk(root: Element) -> Iterator[Element]:
    pending = list(reversed(root))
    while pending:
        element = pending.pop()
        if local(element) not in _SKIPPED:
            yield element
            pending.extend(reversed(element))


def _child(element: Element | None, name: str) -> Element | None:
    return next((child for child in children(element) if local(child) == name), None)


def _value(element: Element | None, name: str) -> str:
    child = _child(element, name)
    return attribute(child, "val") if child is not None else ""


def _flag(properties: Element | None, name: str, default: bool) -> bool:
    child = _child(properties, name)
    return default if child is None else attribute(child, "val") not in ("0", "false", "off")


def _is_numbered(properties: Element | None, default: bool) -> bool:
    numbering = _child(properties, "numPr")
    if numbering is None:
        return default
    number = _value(numbering, "numId")
    return number != "0" and (bool(number) or default)


def _outline_level(properties: Element | None) -> int:
    value = _value(properties, "outlineLvl")
    # 9 is body text.
    return int(value) + 1 if value in tuple("012345678") else 0
