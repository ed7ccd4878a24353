"""Tokens of a text by a vocabulary of llama.cpp, where no model of the engines' is open."""

from typing import Any


def tokenised(c: Any, vocabulary: Any, text: str) -> list[int]:
    """Return the tokens of a text; names of control tokens in it are text, nothing is put before.

    Args:
        c: the module llama_cpp.
        vocabulary: of `llama_model_get_vocab`.
        text: any; lone surrogates become question marks.
    """
    data = text.encode("utf-8", "replace")
    room = len(data) + 2  # nearly always enough: a token is a byte at least
    while True:
        tokens = (c.llama_token * room)()
        count = c.llama_tokenize(vocabulary, data, len(data), tokens, room, False, False)
        if count >= 0:
            return list(tokens[:count])
        room = -count
