"""Passages of an exact number of tokens, from the sample handbook that ships with the project.

Each starts with another document, so that two of them share no beginning that a cache could keep.
"""

from collections.abc import Callable
from functools import cache

from edge_slm.errors import MissingError
from edge_slm.i18n import t
from edge_slm.paths import examples_dir


def passage(tokens: int, count_tokens: Callable[[str], int], number: int = 0) -> str:
    """Return a text of exactly `tokens` tokens.

    Args:
        tokens: how many, by the model's own tokenizer.
        count_tokens: `ChatEngine.count_tokens`; it is asked about twenty times.
        number: which passage; each begins with another document, as long as there are any.
    Raises:
        MissingError: the sample documents are not there, or hold too little text.
    """
    documents = _documents()
    start = number % len(documents) if documents else 0
    words = "\n\n".join(documents[start:] + documents[:start])
    low, high = 0, min(len(words), 8 * tokens)
    if not high or count_tokens(words[:high]) < tokens:
        raise MissingError(
            t(
                "The sample documents hold less than {tokens} tokens: reinstall Edge-SLM.",
                "Les documents d'exemple font moins de {tokens} jetons : réinstallez Edge-SLM.",
                tokens=tokens,
            )
        )
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if count_tokens(words[:middle]) >= tokens else (middle, high)
    return _exact(words, high, tokens, count_tokens)


def _exact(words: str, about: int, tokens: int, count_tokens: Callable[[str], int]) -> str:
    """Return the text of `tokens` tokens whose end lies nearest to `about`.

    One letter more can make two tokens of one or one of two, so the count may jump over a number.
    """
    for away in range(200):
        for end in (max(0, about - away), about + away):
            if count_tokens(words[:end]) == tokens:
                return words[:end]
    raise MissingError(
        t(
            "No passage of exactly {tokens} tokens was found with this model: try another number.",
            "Aucun passage d'exactement {tokens} jetons avec ce modèle : essayez un autre nombre.",
            tokens=tokens,
        )
    )


@cache
def _documents() -> tuple[str, ...]:
    """Return the Markdown documents of the sample handbook, without their headers, by name."""
    paths = sorted((examples_dir() / "rh").glob("*.md"))
    return tuple(path.read_text("utf-8").split("---\n", 2)[-1].strip() for path in paths)
