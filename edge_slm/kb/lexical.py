"""Words as the full-text index sees them: stemmed, accents folded, without function words.

SQLite's FTS5 has no French stemmer, so passages are stemmed here before they are indexed and
questions are stemmed the same way.
"""

import re
import unicodedata
from functools import cache, lru_cache
from typing import Any

from edge_slm.i18n import Language
from edge_slm.stop_words import STOP_WORDS
from edge_slm.text import fold

_WORD = re.compile(r"[^\W_]+")


def stems(text: str, language: Language = "fr") -> list[str]:
    """Return the stems of a text's content words, in order, lower case and without accents."""
    words = (word.lower() for word in _WORD.findall(unicodedata.normalize("NFC", text)))
    return [_stem(word, language) for word in words if word not in STOP_WORDS[language]]


def match_expression(words: list[str]) -> str:
    """Return the FTS5 query that matches any of the stems; without stems, nothing."""
    return " OR ".join(f'"{word}"' for word in dict.fromkeys(words)) or '""'


@lru_cache(maxsize=50_000)
def _stem(word: str, language: Language) -> str:
    # Snowball wants the accents; the index wants none.
    return fold(_stemmer(language).stemWord(word))


@cache
def _stemmer(language: Language) -> Any:
    import snowballstemmer

    return snowballstemmer.stemmer({"fr": "french", "en": "english"}[language])
