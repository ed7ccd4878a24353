"""The first word after a restart of everything: a new program, a new process for the model.

Only the files are left: the model's, and the states that were kept.
"""

import time
from collections.abc import Sequence
from contextlib import closing
from typing import Any

from msgspec import Struct

from edge_slm.bench.runtime.apart import run_apart, serve_order
from edge_slm.bench.runtime.timing import timed
from edge_slm.engines import Message, Options
from edge_slm.engines.loaded import Engines


class Restarted(Struct, frozen=True):
    """A reply of a new program.

    `first_s` counts from the question, the model being loaded; `whole_s` from the start of the
    program, loading included.
    """

    text: str
    first_s: float
    whole_s: float
    cached_tokens: int


class _Order(Struct, frozen=True):
    model: str
    messages: tuple[Message, ...]
    max_tokens: int
    began: float  # seconds since 1970: the only clock that two processes share everywhere


def ask_restarted(model: str, messages: Sequence[Message], max_tokens: int) -> Restarted:
    """Start a program that loads the model and asks it, with kept prefixes.

    Args:
        model: id of a chat model.
        messages: what to ask.
        max_tokens: of the reply.
    Raises:
        EdgeSlmError: the program failed.
    """
    order = _Order(model, tuple(messages), max_tokens, time.time())
    return Restarted(**run_apart(__spec__.name, order))


def _answer(order: _Order) -> dict[str, Any]:
    with closing(Engines(order.model)) as engines:
        chat, _ = engines.chat()
        chat.count_tokens("")  # loads the model
        asked = time.time()
        reply = timed(chat.stream(order.messages, order.max_tokens, Options(keep_prefix=True)))
    return {
        "text": reply.text,
        "first_s": reply.first_s,
        "whole_s": asked - order.began + reply.first_s,
        "cached_tokens": reply.usage.cached_tokens,
    }


if __name__ == "__main__":
    serve_order(_Order, _answer)
