"""Reads HTML pages: headings, paragraphs, lists and tables, without navigation and scripts.

Knows nothing of links, images and styles. Markdown uses `gather_markup` for its HTML blocks.
"""

import codecs
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from edge_slm.errors import UsageError
from edge_slm.i18n import t
from edge_slm.kb.documents import Document
from edge_slm.kb.readers.cleaning import clean, iso_date
from edge_slm.kb.readers.gather import Gatherer
from edge_slm.kb.readers.source import binary, decode, no_text, read_bytes

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser, LexborNode

_DROPPED = frozenset((
    "script", "style", "nav", "header", "footer", "aside", "template", "noscript", "svg",
    "iframe", "object", "head", "select", "textarea",
))  # fmt: skip
_HEADINGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))
_WHOLE = _HEADINGS | {"ul", "ol", "table", "pre"}
_INLINE = frozenset((
    "a", "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code", "data", "del", "dfn",
    "em", "font", "i", "ins", "kbd", "label", "mark", "q", "s", "samp", "small", "span",
    "strike", "strong", "sub", "sup", "time", "tt", "u", "var", "wbr",
))  # fmt: skip
_DATE_NAMES = ("article:modified_time", "dcterms.modified", "dc.date", "dcterms.date", "date")
_CHARSET = re.compile(rb"<meta[^<>]{0,200}?charset\s*=\s*[\"']?\s*([\w-]{1,40})", re.IGNORECASE)
# What browsers do with these names; any other falls back on `decode`.
_ENCODINGS = {
    "iso-8859-1": "cp1252",
    "iso8859-1": "cp1252",
    "latin1": "cp1252",
    "us-ascii": "cp1252",
    "windows-1252": "cp1252",
    "cp1252": "cp1252",
    "iso-8859-15": "iso8859-15",
    "macintosh": "mac-roman",
}
_OPEN_OR_CLOSE = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)")
# The end tag of these may be left out, and void elements have none: they do not tell depth.
_UNCLOSED = frozenset((
    "p", "li", "td", "th", "tr", "dt", "dd", "option", "optgroup", "thead", "tbody", "tfoot",
    "colgroup", "rt", "rp", "area", "base", "br", "col", "embed", "hr", "img", "input",
    "link", "meta", "source", "track", "wbr", "html", "head", "body",
))  # fmt: skip
# The parser's time grows with the square of the depth: 20 000 take 1 s, 100 000 take 26 s.
# Browsers stop at 512.
MAX_DEPTH = 1000


def read_html(path: Path) -> Document:
    """Read an HTML page; its title is the first h1, else the title element.

    Raises:
        UsageError: the file is binary, hostile, or holds no text.
    """
    parser = _parse(_decode(read_bytes(path), path), path.name)
    first = parser.css_first("h1") or parser.css_first("title")
    title = clean(_text(first)) if first else ""
    gatherer = Gatherer(title)
    if parser.body:
        _gather(parser.body, gatherer)
    if not gatherer.blocks():
        raise no_text(path)
    return Document(
        name=path.name,
        title=title or path.name,
        blocks=gatherer.blocks(),
        origin=_link(parser, "canonical") or str(path),
        date=_date(parser),
        licence=_link(parser, "license"),
    )


def gather_markup(markup: str, gatherer: Gatherer, name: str) -> None:
    """Give the blocks of a piece of HTML to `gatherer`; `name` is what an error calls it."""
    body = _parse(markup, name).body
    if body:
        _gather(body, gatherer)


def _decode(data: bytes, path: Path) -> str:
    declared = _CHARSET.search(data[:4096])
    encoding = _ENCODINGS.get(declared[1].decode("ascii", "ignore").lower()) if declared else None
    if not encoding or data.startswith((codecs.BOM_UTF8, b"\xff\xfe", b"\xfe\xff")):
        return decode(data, path)
    if b"\0" in data:
        raise binary(path)
    return data.decode(encoding, errors="ignore")


def _parse(markup: str, name: str) -> "LexborHTMLParser":
    from selectolax.lexbor import LexborHTMLParser

    depth = 0
    for found in _OPEN_OR_CLOSE.finditer(markup):
        if found[2].lower() not in _UNCLOSED:
            depth = max(0, depth - 1) if found[1] else depth + 1
        if depth > MAX_DEPTH:
            raise UsageError(
                t(
                    "“{name}” nests its HTML elements too deeply: save the page again as text.",
                    "« {name} » imbrique trop d'éléments HTML : enregistrez la page en texte.",
                    name=name,
                )
            )
    # A lone surrogate cannot be encoded for the parser.
    return LexborHTMLParser(markup.encode("utf-8", errors="ignore").decode("utf-8"))


def _gather(root: "LexborNode", gatherer: Gatherer) -> None:
    words: list[str] = []

    def flush() -> None:
        gatherer.paragraph("".join(words))
        words.clear()

    for node, _ in _walk(root, _is_whole):
        tag = node.tag or ""
        if tag == "-text":
            words.append(node.text_content or "")
        elif tag == "br":
            words.append(" ")
        elif tag not in _INLINE:
            flush()
            if _is_whole(node):
                _gather_whole(node, gatherer)
    flush()


def _gather_whole(node: "LexborNode", gatherer: Gatherer) -> None:
    tag = node.tag or ""
    if tag in _HEADINGS:
        gatherer.heading(int(tag[1]), _text(node))
    elif tag == "pre":
        gatherer.code(node.text())
    elif tag == "table":
        caption = node.css_first("caption")
        gatherer.paragraph(_text(caption) if caption else "")
        gatherer.table(_parts(node, "tr", ("td", "th")))
    else:
        gatherer.listing("".join(item) for item in _parts(node, "", ("li",))[0])


def _is_whole(node: "LexborNode") -> bool:
    """Tell whether an element makes one block; lists and tables that lay out a page do not."""
    if node.tag in ("ul", "ol"):
        return not node.css_matches("h1, h2, h3, h4, h5, h6, table")
    if node.tag == "table":
        # css() counts the element itself.
        return not node.css_matches("h1, h2, h3, h4, h5, h6") and len(node.css("table")) == 1
    return node.tag in _WHOLE


def _parts(root: "LexborNode", group: str, parts: tuple[str, ...]) -> list[list[str]]:
    """Return the texts of elements `parts` (cells, list items), a list for each `group` (row)."""
    groups: list[list[str]] = [[]]
    pieces: list[str] = []
    for node, entering in _walk(root, lambda node: node.tag == "caption"):
        tag = node.tag or ""
        if tag == "-text":
            pieces.append(node.text_content or "")
        elif tag in parts or tag == group:
            text = "".join(pieces)
            pieces.clear()
            if (tag in parts and not entering) or text.strip():
                groups[-1].append(text)
            if tag == group and entering:
                groups.append([])
        elif tag not in _INLINE:
            pieces.append(" ")
    return groups


def _text(node: "LexborNode") -> str:
    pieces = []
    for inner, _ in _walk(node, lambda _: False):
        if inner.tag == "-text":
            pieces.append(inner.text_content or "")
        elif inner.tag not in _INLINE:
            pieces.append(" ")
    return "".join(pieces)


def _walk(
    root: "LexborNode", is_whole: "Callable[[LexborNode], bool]"
) -> "Iterator[tuple[LexborNode, bool]]":
    """Yield (node, True) when it is entered and (element, False) when it is left.

    Dropped elements are left out, comments too, and whole ones are not entered further.
    """
    pending = [(child, True) for child in reversed(list(root.iter(include_text=True)))]
    while pending:
        node, entering = pending.pop()
        tag = node.tag or ""
        if tag in _DROPPED or (tag.startswith("-") and tag != "-text"):
            continue
        yield node, entering
        if entering and tag != "-text" and not is_whole(node):
            pending.append((node, False))
            children = list(node.iter(include_text=True))
            pending.extend((child, True) for child in reversed(children))


def _link(parser: "LexborHTMLParser", relation: str) -> str:
    node = parser.css_first(f'link[rel="{relation}"][href], a[rel="{relation}"][href]')
    target = (node.attributes.get("href") or "").strip() if node else ""
    return clean(target) if target.startswith(("https://", "http://")) else ""


def _date(parser: "LexborHTMLParser") -> str:
    found: dict[str, str] = {}
    for node in parser.css("meta[content]"):
        name = node.attributes.get("property") or node.attributes.get("name") or ""
        found.setdefault(name.lower(), iso_date(node.attributes.get("content") or ""))
    return next((found[name] for name in _DATE_NAMES if found.get(name)), "")
