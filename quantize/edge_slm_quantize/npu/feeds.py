"""What an NPU's graphs are fed: texts to tensors; and what becomes of what they give.

The host of a real NPU has to do the same; the artefact's manifest says so. Knows no back end.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from edge_slm.errors import UsageError
from edge_slm.i18n import t
from edge_slm_quantize.npu.graphs import BLOCKED

Feed = dict[str, NDArray[Any]]
Floats = NDArray[np.float32]
_FEWEST = 3


class Rotary(msgspec.Struct, frozen=True):
    """What rotary tables are computed from: the frequencies [D / 2], and their scale."""

    frequencies: Floats
    scale: float

    def tables(self, first: int, number: int) -> Feed:
        """Return cos and sin [1, 1, number, D] of `number` positions from `first` on."""
        angles = np.outer(np.arange(first, first + number), self.frequencies)
        angles = np.concatenate([angles, angles], -1)[None, None]
        return {
            "cos": (np.cos(angles) * self.scale).astype(np.float32),
            "sin": (np.sin(angles) * self.scale).astype(np.float32),
        }


class Sink(msgspec.Struct, frozen=True):
    """Keys and values of the tokens that come before every text (sink.py).

    tokens: their ids. past: by the graph's name, `past_k_0`…, [1, Hkv, C, D].
    """

    tokens: tuple[int, ...]
    past: Feed
    rotary: Rotary


def texts_to_judge(texts: Sequence[str], most: int) -> Sequence[str]:
    """Return the first texts, `most` of them.

    Raises:
        UsageError: there are fewer than three, among which a nearest neighbour means nothing.
    """
    if len(texts) < _FEWEST:
        raise UsageError(
            t(
                "There are {n} texts to judge on, and at least {least} are needed: give more with "
                "--text.",
                "Il y a {n} textes pour juger, et il en faut au moins {least} : donnez-en plus "
                "avec --text.",
                n=len(texts),
                least=_FEWEST,
            )
        )
    return texts[:most]


def encoder_feeds(words: Any, texts: Sequence[str], sequence: int) -> list[Feed]:
    """Return the inputs of the encoder's graph for each text, cut or padded to `sequence` tokens.

    Args:
        words: a tokenizer (sources/tokenizers.load).
        texts: with the prefix that the model wants.
    """
    words.enable_truncation(sequence)
    words.no_padding()
    return [_padded(words.encode(text).ids, sequence) for text in texts]


def _padded(ids: list[int], sequence: int) -> Feed:
    row = np.zeros((1, sequence), np.int64)
    mask = np.zeros((1, sequence), np.int64)
    row[0, : len(ids)] = ids
    mask[0, : len(ids)] = 1
    return {"input_ids": row, "attention_mask": mask}


def windows(words: Any, texts: Sequence[str], sequence: int, most: int) -> list[list[int]]:
    """Return at most `most` runs of `sequence` tokens of the texts, one after the other.

    Args:
        words: a tokenizer (sources/tokenizers.load).
        texts: joined, without tokens between them.
        sequence: tokens of one run. most: runs.
    Raises:
        UsageError: the texts hold fewer tokens than one run.
    """
    words.no_truncation()
    words.no_padding()
    ids: list[int] = []
    for text in texts:
        ids += words.encode(text, add_special_tokens=False).ids
        if len(ids) >= sequence * most:
            break
    if len(ids) < sequence:
        raise UsageError(
            t(
                "The texts hold {n} tokens and one sequence of the NPU takes {least}: give more "
                "text.",
                "Les textes comptent {n} jetons et une séquence du NPU en prend {least} : donnez "
                "plus de texte.",
                n=len(ids),
                least=sequence,
            )
        )
    return [ids[at : at + sequence] for at in range(0, len(ids) - sequence + 1, sequence)][:most]


def reading_feed(ids: Sequence[int], sink: Sink) -> Feed:
    """Return the inputs of the graph that reads a whole window after the sink."""
    number, past = len(ids), len(sink.tokens)
    mask = np.triu(np.full((number, past + number), BLOCKED, np.float32), past + 1)
    return {
        "input_ids": np.array([ids], np.int64),
        "mask": mask[None, None],
        **sink.rotary.tables(past, number),
        **sink.past,
    }


def writing_feed(ids: Sequence[int], at: int, new: Feed, sink: Sink, room: int) -> Feed:
    """Return the inputs of the graph that takes one token, after the sink and `at` others.

    Args:
        ids: of a window that was read. at: which of them is the token.
        new: what reading the window gave, `new_k_0`…
        room: past keys that the graph takes; those that are not there yet are masked.
    """
    past = len(sink.tokens)
    feed: Feed = {"input_ids": np.array([[ids[at]]], np.int64)}
    mask = np.full((1, 1, 1, room + 1), BLOCKED, np.float32)
    mask[..., : past + at] = 0
    mask[..., room] = 0
    feed |= {"mask": mask, **sink.rotary.tables(past + at, 1)}
    for name, value in new.items():
        kept = np.zeros((*value.shape[:2], room, value.shape[3]), np.float32)
        called = name.replace("new_", "past_", 1)
        if past:
            kept[:, :, :past] = sink.past[called]
        kept[:, :, past : past + at] = value[:, :, :at]
        feed[called] = kept
    return feed


def places(sequence: int, past: int) -> tuple[int, ...]:
    """Return where in a window the graph of one token is tried: after a third, two thirds, all.

    The last leaves the sink and the token within the `sequence` keys that this graph sees.
    """
    last = sequence - 1 - past
    return tuple(sorted({max(1, last // 3), max(1, 2 * last // 3), last}))
