"""The interface's language: French or English, by locale.

Both texts stand side by side where they are used, so that neither can be forgotten
(docs/decisions/0003-two-languages-inline.md).
"""

import os
from typing import Literal

Language = Literal["fr", "en"]


def interface_language() -> Language:
    """Return the language of the interface.

    The first that is set of EDGE_SLM_LANG, LC_ALL, LC_MESSAGES and LANG decides; anything that
    is not French is English.
    """
    for name in ("EDGE_SLM_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        value = os.environ.get(name)
        if value:
            return "fr" if value.lower().startswith("fr") else "en"
    return "en"


def t(en: str, fr: str, /, **values: object) -> str:
    """Return `en` or `fr`, by the interface's language, with `{name}` fields filled in."""
    return say(interface_language(), en, fr, **values)


def say(language: str, en: str, fr: str, /, **values: object) -> str:
    """Like `t`, in a given language: an answer speaks the language of its question."""
    text = fr if language == "fr" else en
    return text.format(**values) if values else text


def decimal(value: float, digits: int = 1, language: str | None = None) -> str:
    """Return a number with the decimal mark of a language, the interface's by default."""
    text = f"{value:.{digits}f}"
    return text.replace(".", ",") if (language or interface_language()) == "fr" else text


def size(number: float) -> str:
    """Return a size in bytes as a person reads it, in decimal units (1 MB = 10**6 bytes)."""
    units = t("B kB MB GB TB", "o ko Mo Go To").split()
    unit = 0
    while number >= 1000 and unit < len(units) - 1:
        number /= 1000
        unit += 1
    return f"{decimal(number, 0 if unit < 2 else 1)} {units[unit]}"
