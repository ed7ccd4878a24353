"""Reads Markdown (CommonMark with tables), with an optional front matter of `key: value` lines.

Knows nothing of files beyond their text; JSON lines uses `markdown_blocks` too.
"""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from edge_slm.kb.documents import Block, Document
from edge_slm.kb.readers.cleaning import clean, iso_date
from edge_slm.kb.readers.gather import Gatherer
from edge_slm.kb.readers.html import gather_markup
from edge_slm.kb.readers.source import decode, no_text, read_bytes

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.tree import SyntaxTreeNode

_KEYS = {
    "title": "title",
    "titre": "title",
    "date": "date",
    "updated": "date",
    "licence": "licence",
    "license": "licence",
    "url": "url",
    "origin": "origin",
    "origine": "origin",
    "source": "origin",
}
_META_LINE = re.compile(r"([\w-]+)\s*:(?:\s+(.*))?$")
_META_FILLER = re.compile(r"\s|-\s|#|$")
_TAG = re.compile(r"</?([a-z][a-z0-9]*)", re.IGNORECASE)
# Other <words> in a text are placeholders such as "Madame <Nom>", and stay.
_INLINE_TAGS = frozenset(
    [
        "a",
        "abbr",
        "b",
        "big",
        "br",
        "cite",
        "code",
        "del",
        "div",
        "em",
        "font",
        "i",
        "img",
        "input",
        "ins",
        "kbd",
        "label",
        "mark",
        "p",
        "q",
        "s",
        "samp",
        "small",
        "span",
        "strike",
        "strong",
        "sub",
        "sup",
        "tt",
        "u",
        "var",
        "wbr",
    ]
)
_MARKUP = re.compile(r"<[^<>]*>")
# Emphasis that CommonMark does not close ("**mot **suite"); 2**3 stays.
_STRAY_STARS = re.compile(r"(?<!\d)\*\*|\*\*(?!\d)")


def read_markdown(path: Path) -> Document:
    """Read a Markdown file.

    Raises:
        UsageError: the file is binary or holds no text.
    """
    meta, body = split_front_matter(decode(read_bytes(path), path))
    title, blocks = markdown_blocks(body, path.name, meta.get("title", ""))
    if not blocks:
        raise no_text(path)
    return Document(
        name=path.name,
        title=title or path.name,
        blocks=blocks,
        origin=meta.get("url") or meta.get("origin") or str(path),
        date=iso_date(meta.get("date", "")),
        licence=meta.get("licence", ""),
    )


def split_front_matter(text: str) -> tuple[dict[str, str], str]:
    """Return the known keys of the front matter (title, date, licence, url, origin) and the rest.

    A text that opens with a rule ("---") but has something else than `key: value` lines below it
    has no front matter.
    """
    lines = text.split("\n")
    if lines[0].rstrip() != "---":
        return {}, text
    meta: dict[str, str] = {}
    for number, line in enumerate(lines[1:], start=1):
        if line.rstrip() in ("---", "..."):
            return meta, "\n".join(lines[number + 1 :])
        if found := _META_LINE.match(line):
            value = clean(found[2] or "").strip("\"'")
            if found[1].lower() in _KEYS and value:
                meta.setdefault(_KEYS[found[1].lower()], value)
        elif not _META_FILLER.match(line):
            break
    return {}, text


def markdown_blocks(text: str, name: str, title: str = "") -> tuple[str, tuple[Block, ...]]:
    """Return the title and the blocks of a Markdown text.

    The first heading is the title when it is of level 1, and no title is given or it is the only
    one of that level; it is then no section.

    Args:
        text: the Markdown.
        name: what an error calls the text.
        title: the title when it is known from elsewhere; it wins over the heading.
    """
    from markdown_it.tree import SyntaxTreeNode

    tree = SyntaxTreeNode(_parser().parse(text))
    headings = [node for node in tree.walk() if node.type == "heading"]
    own = title
    if headings and headings[0].tag == "h1":
        only = sum(node.tag == "h1" for node in headings) == 1
        if only or not title:
            own = clean(_inline(headings[0]))
    gatherer = Gatherer(own)
    _gather(tree.children, gatherer, name)
    return title or own, gatherer.blocks()


@lru_cache(maxsize=1)
def _parser() -> "MarkdownIt":
    from markdown_it import MarkdownIt

    # The preset's nesting limit of 20 silently drops the text below it.
    options = {"maxNesting": 100}
    return MarkdownIt("commonmark", options).enable(["table", "strikethrough"])


def _gather(nodes: "Sequence[SyntaxTreeNode]", gatherer: Gatherer, name: str) -> None:
    for node in nodes:
        match node.type:
            case "heading":
                gatherer.heading(int(node.tag[1]), _inline(node))
            case "paragraph":
                gatherer.paragraph(_inline(node))
            case "bullet_list" | "ordered_list":
                gatherer.listing(_items(node))
            case "table":
                gatherer.table(_rows(node))
            case "fence" | "code_block":
                gatherer.code(node.content)
            case "html_block":
                gather_markup(node.content, gatherer, name)
            case "blockquote":
                _gather(node.children, gatherer, name)


def _items(node: "SyntaxTreeNode") -> Iterator[str]:
    """Yield the items of a list; those of inner lists follow the item that holds them."""
    for item in node.children:
        own: list[str] = []
        for child in item.children:
            if child.type in ("bullet_list", "ordered_list"):
                yield " ".join(own)
                own.clear()
                yield from _items(child)
            else:
                own.append(_flat(child))
        yield " ".join(own)


def _flat(node: "SyntaxTreeNode") -> str:
    if node.type in ("fence", "code_block"):
        return node.content
    if node.type == "html_block":
        return _MARKUP.sub(" ", node.content)
    if node.type == "table":
        return " ; ".join(" | ".join(row) for row in _rows(node))
    if node.type in ("blockquote", "bullet_list", "ordered_list", "list_item"):
        return " ".join(_flat(child) for child in node.children)
    return _inline(node)


def _rows(table: "SyntaxTreeNode") -> Iterator[list[str]]:
    for part in table.children:
        for row in part.children:
            yield [_inline(cell) for cell in row.children]


def _inline(node: "SyntaxTreeNode") -> str:
    match node.type:
        case "text":
            return _STRAY_STARS.sub("", node.content)
        case "code_inline":
            return node.content
        case "softbreak" | "hardbreak":
            return " "
        case "html_inline":
            return _inline_tag(node.content)
    return "".join(_inline(child) for child in node.children)


def _inline_tag(tag: str) -> str:
    found = _TAG.match(tag)
    if found and found[1].lower() not in _INLINE_TAGS:
        return tag
    return " " if found and found[1].lower() == "br" else ""
