"""Which language a text is in, and what languages are called."""

from functools import cache
from typing import Any

# code -> (English, French): the languages that can be named in a request.
NAMES: dict[str, tuple[str, str]] = {
    "fr": ("French", "français"),
    "en": ("English", "anglais"),
    "es": ("Spanish", "espagnol"),
    "de": ("German", "allemand"),
    "it": ("Italian", "italien"),
    "pt": ("Portuguese", "portugais"),
    "nl": ("Dutch", "néerlandais"),
}
# A word or two may be of any language: below this, the caller's fallback decides.
SHORTEST = 12


def detect(text: str, among: tuple[str, ...] = ("fr", "en"), fallback: str = "fr") -> str:
    """Return the code of the language of a text.

    Args:
        text: any text; only its first 2,000 characters are looked at.
        among: codes to choose from.
        fallback: what a text too short to tell is taken for.
    """
    if len(text.strip()) < SHORTEST or not any(char.isalpha() for char in text):
        return fallback
    identifier = _identifier()
    identifier.set_languages(list(NAMES))
    ranked = [code for code, _ in identifier.rank(text[:2000]) if code in among]
    return str(ranked[0]) if ranked else fallback


def code_of(name: str) -> str | None:
    """Return the code of a language by its code or its French or English name, or None."""
    wanted = name.strip().lower()
    for code, names in NAMES.items():
        if wanted in (code, *(n.lower() for n in names)):
            return code
    return None


@cache
def _identifier() -> Any:
    import py3langid

    return py3langid
