"""Rows of a JSON lines file of questions."""

import codecs
import random
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import msgspec

from edge_slm.errors import UsageError
from edge_slm.i18n import t

Row = TypeVar("Row", bound=msgspec.Struct)
Item = TypeVar("Item")


def read_rows(path: Path, kind: type[Row]) -> list[Row]:
    """Return the rows of a file; keys that the kind does not know are passed over.

    Raises:
        UsageError: the file cannot be read, or a line is not such a row.
    """
    try:
        lines = path.read_bytes().removeprefix(codecs.BOM_UTF8).splitlines()
    except OSError as error:
        raise UsageError(
            t(
                "{path} cannot be read: {error}.",
                "{path} ne se lit pas : {error}.",
                path=path,
                error=error.strerror,
            )
        ) from None
    rows = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            rows.append(msgspec.json.decode(line, type=kind))
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise UsageError(
                t(
                    "Line {number} of {path} is not a valid row: {error}.",
                    "La ligne {number} de {path} n'est pas valable : {error}.",
                    number=number,
                    path=path,
                    error=error,
                )
            ) from None
    if not rows:
        raise UsageError(t("{path} holds no row.", "{path} ne contient aucune ligne.", path=path))
    return rows


def sampled(rows: Sequence[Item], count: int | None) -> list[Item]:
    """Return `count` of the rows in their order, always the same ones; all of them for None."""
    if count is None or count >= len(rows):
        return list(rows)
    return [rows[place] for place in sorted(random.Random(0).sample(range(len(rows)), count))]
