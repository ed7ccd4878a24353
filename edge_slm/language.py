"""Which language a text is in, and what languages are called."""

import re
from functools import cache
from typing import Any

from edge_slm.i18n import Language
from edge_slm.stop_words import STOP_WORDS

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

_WORD = re.compile(r"[^\W\d_]+")
_QUOTED = re.compile(r"«[^»]*»|“[^”]*”|\"[^\"]*\"")

# Beside the function words: those of requests, which short ones are made of. None is a word of the
# other language too.
_REQUESTS: dict[Language, str] = {
    "fr": """affiche allume arrête aujourd baisse besoin bonjour bonsoir bonne bonnes
        coucou demain demande donne donnez envoie éteins ferme fermer hier lance merci mets
        mettre monte montre ouvre ouvrir plaît salut stp supprime svp
        traduis transcris trouve vas écoute écris""",
    "en": """bye call cancel doing find flip give going good goodbye got hello help hey hi
        let look make many much need next off old open order play please put read remind say see
        send set show sign start stop talk tell thank thanks time today tomorrow translate turn
        want whats write ya yes yesterday""",
}
_CUES: dict[Language, frozenset[str]] = {
    "fr": frozenset(_REQUESTS["fr"].split()),
    "en": frozenset(_REQUESTS["en"].split()),
}


def detect(text: str, among: tuple[str, ...] = ("fr", "en"), fallback: str = "fr") -> str:
    """Return the code of the language of a text.

    Args:
        text: any text; only its first 2,000 characters are looked at.
        among: codes to choose from.
        fallback: what a text that does not tell is taken for.
    """
    if set(among) == STOP_WORDS.keys() and (voted := _vote(text[:2000])):
        return voted
    if len(text.strip()) < SHORTEST or not any(char.isalpha() for char in text):
        return fallback
    identifier = _identifier()
    identifier.set_languages(list(NAMES))
    ranked = [code for code, _ in identifier.rank(text[:2000]) if code in among]
    return str(ranked[0]) if ranked else fallback


def of_request(text: str) -> str:
    """Return the code of the language that a request is made in, French or English.

    What a request quotes may be in another language, and only counts where there is nothing else.
    """
    own = _QUOTED.sub(" ", text[:2000])
    return detect(own if _WORD.search(own) else text)


def code_of(name: str) -> str | None:
    """Return the code of a language by its code or its French or English name, or None."""
    wanted = name.strip().lower()
    for code, names in NAMES.items():
        if wanted in (code, *(n.lower() for n in names)):
            return code
    return None


def _vote(text: str) -> str | None:
    """Return French or English by the commonest words of a text, or None where they do not tell."""
    words = set(_WORD.findall(text.lower()))
    french, english = (len(words & (STOP_WORDS[code] | _CUES[code])) for code in _CUES)
    if french == english:
        return None
    return "fr" if french > english else "en"


@cache
def _identifier() -> Any:
    import py3langid

    return py3langid
