"""Rows of text as a table: aligned for a terminal, as Markdown, as CSV that no spreadsheet runs."""

import csv
import io
import math
from collections.abc import Sequence

from edge_slm.i18n import decimal

_RUN_AS_FORMULA = ("=", "+", "-", "@")  # OWASP, “CSV Injection”
NONE = "–"  # what is not known


def aligned(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return columns as wide as their widest cell, two spaces apart."""
    lines = [[_one_line(cell) for cell in row] for row in (head, *rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table; cells cannot leave it."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(escaped(cell) for cell in line) + " |" for line in lines)


def escaped(text: str) -> str:
    """Return text on one line in which Markdown and HTML find nothing of theirs."""
    text = _one_line(text).replace("\\", "\\\\").replace("|", "\\|")
    return text.replace("<", "&lt;").replace("`", "\\`").replace("[", "\\[")


def _one_line(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)


def comma_separated(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return CSV; None is an empty cell, “'” goes before a text that a spreadsheet would run."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([_harmless(name) for name in head])
    writer.writerows([_harmless(cell) for cell in row] for row in rows)
    return text.getvalue()


def _harmless(cell: object) -> object:
    if cell is None or isinstance(cell, int | float):
        return cell
    text = _one_line(str(cell))
    return f"'{text}" if text.startswith(_RUN_AS_FORMULA) else text


def number(value: float | None, digits: int = 3) -> str:
    """Return a number with that many digits that count, in the interface's language; “–” for None.

    Whole parts are never rounded away: 12345.6 is 12346.
    """
    if value is None or not math.isfinite(value):
        return NONE
    whole = len(str(int(abs(value))))
    if abs(value) >= 1:
        return decimal(value, max(0, digits - whole))
    zeros = f"{abs(value):e}".rpartition("e-")[2] if value else "1"
    return decimal(value, min(9, digits - 1 + int(zeros)))


def between(value: float | None, low: float | None, high: float | None) -> str:
    """Return a number with its interval, if it has one."""
    if value is None or low is None or high is None:
        return number(value)
    return f"{number(value)} ({number(low)}–{number(high)})"
