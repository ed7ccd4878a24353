"""Reads JSON lines: one document a row, its text in Markdown.

Rows have `id`, `title` and `text` or `text_court` (the same text without repeated paragraphs,
which wins); `url`, `updated` or `date`, and `licence` are optional.
"""

import codecs
import json
from collections.abc import Iterator
from pathlib import Path

from edge_slm.errors import UsageError
from edge_slm.i18n import t
from edge_slm.kb.documents import Document
from edge_slm.kb.readers.cleaning import clean, iso_date
from edge_slm.kb.readers.markdown import markdown_blocks
from edge_slm.kb.readers.source import binary, no_text


def read_jsonl(path: Path) -> Iterator[Document]:
    """Yield the documents of a file, row by row.

    Raises:
        UsageError: a row is bad (the sentence names its line), after the good ones before it.
    """
    found = False
    with path.open("rb") as file:
        if b"\0" in file.peek(4096):
            raise binary(path)
        for number, line in enumerate(file, start=1):
            if number == 1:
                line = line.removeprefix(codecs.BOM_UTF8)
            if b"\0" in line:
                raise binary(path)
            if line.strip():
                yield _document(line, path, number)
                found = True
    if not found:
        raise no_text(path)


def _document(line: bytes, path: Path, number: int) -> Document:
    try:
        row = json.loads(line)
    # ValueError: bad JSON, bad UTF-8, a number of too many digits.
    except (ValueError, RecursionError) as error:
        raise _bad(path, number, "this is not JSON", "ce n'est pas du JSON") from error
    if not isinstance(row, dict):
        raise _bad(path, number, "this is not a JSON object", "ce n'est pas un objet JSON")
    name, title = _field(row, "id"), _field(row, "title")
    if not name or not title:
        raise _bad(path, number, "id or title is missing", "il manque id ou title")
    _, blocks = markdown_blocks(_markdown(row), f"{path.name}:{number}", title)
    if not blocks:
        raise _bad(path, number, "text is missing or blank", "text est absent ou vide")
    return Document(
        name=name,
        title=title,
        blocks=blocks,
        origin=_field(row, "url") or str(path),
        date=iso_date(_field(row, "updated")) or iso_date(_field(row, "date")),
        licence=_field(row, "licence"),
    )


def _field(row: dict[str, object], key: str) -> str:
    value = row.get(key)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return clean(value) if isinstance(value, str) else ""


def _markdown(row: dict[str, object]) -> str:
    for key in ("text_court", "text"):
        value = row.get(key)
        if isinstance(value, str) and value.strip():
            return value
    return ""


def _bad(path: Path, number: int, reason: str, raison: str) -> UsageError:
    return UsageError(
        t(
            "“{name}”, line {number}: {reason}; mend this line.",
            "« {name} », ligne {number} : {raison} ; corrigez cette ligne.",
            name=path.name,
            number=number,
            reason=reason,
            raison=raison,
        )
    )
