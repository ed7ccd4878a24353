"""Cuts a document into passages: what is indexed, searched, quoted and cited.

A passage stays within one page and one section, so that its citation is exact. It knows nothing of
databases or models.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from edge_slm.kb.documents import Block, Document
from edge_slm.text import sentences

# In characters; E5 reads 512 tokens, about 1,900 characters of French. Shorter passages cost fewer
# prompt tokens, and less memory: llama.cpp reserves a megabyte for each token that E5 reads.
TARGET = 900
LONGEST = 1100
REPEATED = 3  # a lead-in or a table's header longer than a third of a passage is not repeated


@dataclass(frozen=True)
class Passage:
    """A stretch of a document that can be cited by itself."""

    text: str
    page: int
    section: str


def split(document: Document, target: int = TARGET, longest: int = LONGEST) -> list[Passage]:
    """Return the passages of a document, in reading order.

    Args:
        document: the document.
        target: characters after which a passage is closed at the next block's end.
        longest: characters that no passage exceeds; longer blocks are cut at lines, sentences,
            then words. A line that ends in “:” stays with what it announces. Each piece of a
            cut list or table repeats its lead-in line and the names of its columns.
    """
    passages: list[Passage] = []
    for (page, section), blocks in groupby(document.blocks, key=lambda b: (b.page, b.section)):
        texts = _gather(_pieces(blocks, longest), target, longest)
        passages.extend(Passage(text, page, section) for text in texts)
    return passages


def headed(title: str, passage: Passage) -> str:
    """Return a passage under its titles, as the embedder reads it."""
    head = " > ".join(part for part in (title, passage.section) if part)
    return f"{head}\n{passage.text}" if head else passage.text


def _pieces(blocks: Iterator[Block], longest: int) -> Iterator[str]:
    for text in _led(blocks):
        if len(text) <= longest:
            yield text
        else:
            yield from _cut(text, longest)


def _led(blocks: Iterator[Block]) -> Iterator[str]:
    """Yield the texts of blocks, a line that announces what follows (“:”) joined to it."""
    leads: list[str] = []
    for block in blocks:
        text = block.text.strip()
        if not text:
            continue
        leads.append(text)
        if not text.endswith(":"):
            yield "\n".join(leads)
            leads.clear()
    if leads:
        yield "\n".join(leads)


def _gather(pieces: Iterator[str], target: int, longest: int) -> Iterator[str]:
    held: list[str] = []
    length = 0
    for piece in pieces:
        if held and (length >= target or length + len(piece) + 1 > longest):
            yield "\n".join(held)
            held, length = [], 0
        held.append(piece)
        length += len(piece) + 1
    if held:
        yield "\n".join(held)


def _cut(text: str, longest: int) -> Iterator[str]:
    lines = [line for line in text.splitlines() if line.strip()]
    header = _header(lines, longest // REPEATED)
    room = longest - len(header)
    short = list(_short_lines(lines, room))
    total = sum(len(line) + 1 for line in short)
    # Pieces of like length: filled one by one, the last would be a scrap.
    even = math.ceil(total / math.ceil(total / room))
    for number, piece in enumerate(_gather(iter(short), even, room)):
        yield piece if number == 0 else header + piece


def _header(lines: list[str], longest: int) -> str:
    """Return what each piece of a cut list or table needs: its lead-in, its columns' names."""
    lead = next((n for n, line in enumerate(lines) if _is_item(line) or " | " in line), 0)
    parts = []
    if lead and lines[lead - 1].endswith(":"):
        parts.append(sentences(lines[lead - 1])[-1])
    if _is_table(lines[lead:]):
        parts.append(lines[lead])
    # Where both are too long, the columns' names say more.
    for kept in (parts, parts[-1:]):
        header = "".join(f"{part}\n" for part in kept)
        if len(header) <= longest:
            return header
    return ""


def _short_lines(lines: list[str], longest: int) -> Iterator[str]:
    for line in lines:
        if len(line) <= longest:
            yield line
            continue
        for sentence in sentences(line):
            yield from _words_within(sentence, longest)


def _words_within(sentence: str, longest: int) -> Iterator[str]:
    while len(sentence) > longest:
        space = sentence.rfind(" ", 1, longest)
        end = space if space > 0 else longest
        yield sentence[:end]
        sentence = sentence[end:].lstrip()
    if sentence:
        yield sentence


def _is_item(line: str) -> bool:
    return line.startswith("- ")


def _is_table(lines: list[str]) -> bool:
    return len(lines) > 1 and all(" | " in line for line in lines[:3])
