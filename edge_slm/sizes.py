"""Amounts of memory and disk as a person writes them."""

import re

from edge_slm.errors import UsageError
from edge_slm.i18n import t

_UNITS = {
    **{"": 1, "b": 1, "o": 1},
    **{"kb": 10**3, "mb": 10**6, "gb": 10**9, "ko": 10**3, "mo": 10**6, "go": 10**9},
    **{"kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30, "kio": 1 << 10, "mio": 1 << 20},
    **{"gio": 1 << 30, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30},
}
_SIZE = re.compile(r"\s*([0-9]{1,15}(?:[.,][0-9]{1,9})?)\s*([a-zA-Z]{0,3})\s*")


def parse_size(text: str) -> int:
    """Return the bytes of "3GiB", "3 000 MB" written without spaces inside, "1.5GB" or "3000000".

    Raises:
        UsageError: it is no size, or none above zero.
    """
    found = _SIZE.fullmatch(text)
    unit = _UNITS.get(found[2].lower()) if found else None
    number = float(found[1].replace(",", ".")) * unit if found and unit else 0
    if number < 1:
        raise UsageError(
            t(
                "“{text}” is no amount of memory: write it like 3GiB, 3000MB or in bytes.",
                "« {text} » n'est pas une quantité de mémoire : écrivez 3Gio, 3000Mo ou en octets.",
                text=text,
            )
        )
    return int(number)
