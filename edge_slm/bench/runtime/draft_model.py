"""A small model that drafts for a larger one, beside plain decoding and prompt lookup.

Both models live in one process of their own. Each way writes the same replies to the same prompts;
the reading of the prompt is left out for both models, as their states would come from the store.
"""

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from msgspec import Struct

from edge_slm.bench.runtime.apart import run_apart, serve_order
from edge_slm.bench.runtime.lookup import ratio
from edge_slm.engines import Message
from edge_slm.engines.llama.chat_format import ChatFormat
from edge_slm.engines.llama.conversations import common_length
from edge_slm.engines.llama.lookup import Proofs
from edge_slm.engines.llama.model import Context, Model
from edge_slm.engines.llama.writing import with_drafts
from edge_slm.engines.settings import Settings
from edge_slm.engines.workers.spec import Spec
from edge_slm.errors import MissingError
from edge_slm.i18n import t

Tokens = Callable[[], Iterator[int]]


class DraftModel:
    """Drafts what a model finds most probable; its context follows the text that it is given."""

    def __init__(self, context: Context) -> None:
        """Draft with `context`, which has the vocabulary of the model that verifies."""
        self._context = context

    def __call__(self, tokens: Sequence[int], longest: int) -> list[int]:
        """Return `longest` tokens at most that may follow all `tokens`; none after the end.

        Args:
            tokens: all that was read and written, one at least.
            longest: one at least.
        """
        held = common_length(self._context.tokens, tokens)
        self._context.rewind(min(held, len(tokens) - 1))  # the last one is read for its logits
        self._context.read(tokens[len(self._context.tokens) :])
        drafted: list[int] = []
        while True:
            token = int(self._context.logits().argmax())
            if self._context.model.ends(token):
                return drafted
            drafted.append(token)
            if len(drafted) == longest:
                return drafted
            self._context.read([token])


class _Order(Struct, frozen=True):
    path: str
    settings: Settings
    draft_path: str
    draft_settings: Settings
    template: str | None
    prompts: tuple[tuple[Message, ...], ...]
    max_tokens: int


class _Way(NamedTuple):
    name: str
    tokens: Tokens


def drafting(
    spec: Spec, small: Spec, prompts: Sequence[Sequence[Message]], max_tokens: int
) -> dict[str, Any]:
    """Measure replies of one model, drafted by another.

    Args:
        spec: the model that writes.
        small: the model that drafts; its settings are its own.
        prompts: conversations.
        max_tokens: of each reply.
    Returns:
        tokens per second of all replies, plain, by lookup and by drafts, and their ratios.
    Raises:
        MissingError: the vocabularies differ.
        EdgeSlmError: the process failed.
    """
    order = _Order(
        str(spec.path),
        spec.load.settings,
        str(small.path),
        small.load.settings,
        spec.load.template,
        tuple(tuple(prompt) for prompt in prompts),
        max_tokens,
    )
    row = run_apart(__spec__.name, order)
    if not row.pop("same_vocabulary"):
        raise MissingError(
            t(
                "{small} has another vocabulary than {model} and cannot draft for it: install a "
                "model of the same family.",
                "{small} n'a pas le vocabulaire de {model} et ne peut ébaucher pour lui : "
                "installez un modèle de la même famille.",
                small=small.model,
                model=spec.model,
            )
        )
    row["ratio"] = ratio(row["draft_tokens_per_s"], row["plain_tokens_per_s"])
    row["lookup_ratio"] = ratio(row["lookup_tokens_per_s"], row["plain_tokens_per_s"])
    return {"by": small.model, **row}


def _answer(order: _Order) -> dict[str, Any]:
    with ExitStack() as stack:
        model, small = Model(Path(order.path)), Model(Path(order.draft_path))
        stack.callback(model.close)
        stack.callback(small.close)
        if not _same_vocabulary(model, small):
            return {"same_vocabulary": False}
        context = Context(model, order.settings)
        stack.callback(context.close)
        draft_context = Context(small, order.draft_settings)
        stack.callback(draft_context.close)
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        proofs = Proofs("draft_model", Path(folder) / "exact.json")
        drafter = DraftModel(draft_context)
        ways = [
            _Way("plain", lambda: _plain(context)),
            _Way("lookup", lambda: with_drafts(context, proofs)),
            _Way("draft", lambda: with_drafts(context, proofs, drafter)),
        ]
        formatted = ChatFormat(model, order.template)
        prompts = [formatted.tokens(prompt).all for prompt in order.prompts]
        return {"same_vocabulary": True, **_measure(context, drafter, ways, prompts, order)}


def _measure(
    context: Context,
    drafter: DraftModel,
    ways: Sequence[_Way],
    prompts: Sequence[list[int]],
    order: _Order,
) -> dict[str, Any]:
    seconds = dict.fromkeys((way.name for way in ways), 0.0)
    written, identical = 0, True
    for prompt in prompts:
        _read(context, prompt)
        drafter(prompt, 1)
        _write(context, prompt, ways[1], order.max_tokens)  # proves what there is to prove
        replies = []
        for way in ways:
            reply, taken = _write(context, prompt, way, order.max_tokens)
            replies.append(reply)
            seconds[way.name] += taken
        written += max(0, len(replies[0]) - 1)
        identical = identical and all(reply == replies[0] for reply in replies)
    speeds = {f"{name}_tokens_per_s": round(written / s, 2) for name, s in seconds.items() if s}
    return {**speeds, "identical": identical, "reply_tokens": written}


def _write(context: Context, prompt: list[int], way: _Way, most: int) -> tuple[list[int], float]:
    """Return the tokens of a reply, and the seconds from its first token to its last."""
    _read(context, prompt)
    reply: list[int] = []
    begin = end = time.perf_counter()
    for token in islice(way.tokens(), most):
        end = time.perf_counter()
        begin = begin if reply else end
        reply.append(token)
        if context.model.ends(token):
            break
    return reply, end - begin


def _read(context: Context, prompt: list[int]) -> None:
    """Bring the context to the end of a prompt; the last token is read alone, in each way."""
    held = common_length(context.tokens, prompt)
    context.rewind(min(held, len(prompt) - 1))
    if len(prompt) - 1 > len(context.tokens):
        context.read(prompt[len(context.tokens) : -1])
    context.read(prompt[-1:])


def _plain(context: Context) -> Iterator[int]:
    while True:
        token = int(np.argmax(context.logits()))
        yield token
        context.read([token])


def _same_vocabulary(model: Model, other: Model) -> bool:
    if model.words != other.words:
        return False
    return all(
        model.piece(token, special=True) == other.piece(token, special=True)
        for token in range(0, model.words, 101)
    )


if __name__ == "__main__":
    serve_order(_Order, _answer)
