"""What a source says, as a number: plain text, a column, a field of a JSON document.

Pure. Whatever is not one plain, finite number of zero or more is no figure: ValueError.
"""

import json
import re
from decimal import Decimal
from typing import Any, NoReturn

MOST_BYTES = 65536  # of one document, message or line; a Shelly's whole status is a tenth of it

_NUMBER = re.compile(r"([+-]?\d{1,20}(\.\d{0,20})?([eE][+-]?\d{1,3})?)\s*[A-Za-z]{0,3}", re.ASCII)


def number(text: str, *, comma: bool = False) -> Decimal:
    """Return the number of a text that holds nothing else but perhaps its unit (“12.5 W”).

    Args:
        text: of any origin.
        comma: its decimal mark is a comma. Only where commas do not separate: “230,12” may be two
            numbers.

    Raises:
        ValueError: it holds something else, or a number below zero.
    """
    found = _NUMBER.fullmatch((text.replace(",", ".") if comma else text).strip())
    if not found:
        raise ValueError("no number")
    return _positive(Decimal(found.group(1)))


def delimiter(line: str) -> str | None:
    """Return what separates the cells of a line; None where blanks do."""
    return next((mark for mark in (";", "\t", ",") if mark in line), None)


def cells(line: str, mark: str | None) -> list[str]:
    """Return the cells of a line, without quotes and blanks around them."""
    return [cell.strip().strip('"') for cell in line.split(mark)]


def field(document: bytes, path: str) -> Decimal:
    """Return the number at a dotted path of a JSON document, such as “aenergy.total”.

    Items of lists are named by their index: “meters.0.power”.

    Raises:
        ValueError: no JSON, nothing at the path, or nothing that is a number.
    """
    if len(document) > MOST_BYTES:
        raise ValueError("too large")
    try:
        value = json.loads(document, parse_float=Decimal, parse_constant=_no_constant)
    except (RecursionError, ArithmeticError) as error:  # nested too deep; an absurd exponent
        raise ValueError("no JSON of a meter") from error
    for name in path.split("."):
        value = _within(value, name)
    if isinstance(value, str):
        return number(value)
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ValueError(f"“{path}” is no number")
    return _positive(Decimal(value))


def decimals(value: Decimal) -> int:
    """Return how many digits stand after the point."""
    exponent = value.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _within(value: Any, name: str) -> Any:
    if isinstance(value, dict) and name in value:
        return value[name]
    if isinstance(value, list) and name.isdecimal() and int(name) < len(value):
        return value[int(name)]
    raise ValueError(f"“{name}” is not there")


def _positive(value: Decimal) -> Decimal:
    if not value.is_finite() or value < 0 or value.adjusted() > 20:
        raise ValueError("no figure of a meter")
    return value


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)
