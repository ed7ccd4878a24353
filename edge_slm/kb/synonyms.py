"""A base's own synonyms: what its people say, and the words that its documents use for it.

They are stored in the base's `meta`, so that a base made before there were any opens as it is, and
copying the file copies them. How they widen a question is in vocabulary.py.
"""

import csv
import io
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from edge_slm.errors import UsageError
from edge_slm.i18n import t
from edge_slm.kb import schema
from edge_slm.kb.readers.source import decode, read_bytes
from edge_slm.kb.vocabulary import Synonym, flat

if TYPE_CHECKING:
    from edge_slm.kb.base import KnowledgeBase

KEY = "synonyms"
LONGEST = 200  # characters of each side
MOST = 2000  # in one base: each is looked for in each question
_TITLES = (["said", "written"], ["dit", "écrit"], ["dit", "ecrit"])


@schema.explained()
def synonyms_of(base: "KnowledgeBase") -> tuple[Synonym, ...]:
    """Return the synonyms of a base, in the order they were added.

    Raises:
        IntegrityError: what the base holds is no list of synonyms.
    """
    row = base.connection.execute("SELECT value FROM meta WHERE key = ?", (KEY,)).fetchone()
    if row is None:
        return ()
    try:
        return msgspec.json.decode(row[0], type=tuple[Synonym, ...])
    except msgspec.MsgspecError as error:
        raise schema.damaged(error) from None


def add(base: "KnowledgeBase", synonyms: Iterable[Synonym]) -> tuple[Synonym, ...]:
    """Add synonyms to a base, all or none; return those that it did not hold yet.

    Raises:
        UsageError: a side is empty, too long or no word, or there are too many.
    """
    asked = [_checked(item) for item in synonyms]

    def added(held: tuple[Synonym, ...]) -> tuple[Synonym, ...]:
        known = {_key(item) for item in held}
        fresh = {_key(item): item for item in asked if _key(item) not in known}
        if len(held) + len(fresh) > MOST:
            raise UsageError(
                t(
                    "A base holds {most} synonyms at most: remove some first.",
                    "Une base contient {most} synonymes au plus : retirez-en d'abord.",
                    most=MOST,
                )
            )
        return (*held, *fresh.values())

    before, after = _change(base, added)
    return after[len(before) :]


def remove(base: "KnowledgeBase", said: Iterable[str]) -> tuple[Synonym, ...]:
    """Remove all synonyms of what people say; return those that were removed."""
    gone = {flat(text) for text in said}
    before, after = _change(
        base, lambda held: tuple(item for item in held if flat(item.said) not in gone)
    )
    return tuple(item for item in before if item not in after)


def read_csv(path: Path) -> list[Synonym]:
    """Return the synonyms of a CSV file: two columns, what is said and what is written.

    The separator is a comma, a semicolon or a tab; a first row of titles (said, written) and
    blank rows are passed over.

    Raises:
        UsageError: the file cannot be read, or a row has not two columns.
    """
    text = decode(read_bytes(path), path)
    first = next((line for line in text.splitlines() if line.strip()), "")
    separator = max(";\t,", key=first.count)
    found = []
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
    except csv.Error as error:
        raise _bad_row(path, 1, str(error)) from None
    for number, row in enumerate(rows, 1):
        cells = [cell.strip() for cell in row]
        if not any(cells) or [cell.lower() for cell in cells] in _TITLES:
            continue
        if len(cells) != 2 or not all(cells):
            raise _bad_row(path, number, t("two columns are needed", "il faut deux colonnes"))
        found.append(_checked(Synonym(*cells)))
    return found


def _change(
    base: "KnowledgeBase", change: Callable[[tuple[Synonym, ...]], tuple[Synonym, ...]]
) -> tuple[tuple[Synonym, ...], tuple[Synonym, ...]]:
    with schema.transaction(base.connection) as db:
        before = synonyms_of(base)
        after = change(before)
        if after != before:
            value = msgspec.json.encode(after).decode()
            db.table("meta").insert({"key": KEY, "value": value}, pk="key", replace=True)
    return before, after


def _checked(item: Synonym) -> Synonym:
    said, written = (" ".join(side.split()) for side in (item.said, item.written))
    for side in (said, written):
        if not any(char.isalnum() for char in side) or len(side) > LONGEST:
            raise UsageError(
                t(
                    "“{side}” cannot be a synonym: give words, {most} characters at most.",
                    "« {side} » ne peut pas être un synonyme : donnez des mots, {most} caractères "
                    "au plus.",
                    side=side[:40],
                    most=LONGEST,
                )
            )
    return Synonym(said, written)


def _key(item: Synonym) -> tuple[str, str]:
    return flat(item.said), flat(item.written)


def _bad_row(path: Path, number: int, reason: str) -> UsageError:
    return UsageError(
        t(
            "Row {number} of {path} is not “said, written”: {reason}.",
            "La ligne {number} de {path} n'est pas « dit, écrit » : {reason}.",
            number=number,
            path=path,
            reason=reason,
        )
    )
