"""The few numbers of a GGUF header that say how much memory a model needs, read in milliseconds.

The `gguf` package takes 0.3 s to import and reads the whole vocabulary; here the reading ends
where the vocabulary begins. Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

import struct
from pathlib import Path
from typing import BinaryIO

from msgspec import Struct

_PLAIN = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_STRING, _ARRAY = 8, 9
_LONGEST_TEXT = 1 << 24  # bytes; chat templates are some kilobytes
_MOST_KEYS = 4096
_PIECES = "tokenizer.ggml.tokens"


class Shape(Struct, frozen=True):
    """What the sizes of the caches follow from; a head size is in numbers, not in bytes."""

    layers: int
    embedding: int
    kv_heads: int
    key_size: int
    value_size: int
    vocabulary: int


def read_shape(path: Path) -> Shape | None:
    """Return the shape of a model, or None when the file is not whole GGUF or does not tell."""
    try:
        with path.open("rb") as file:
            fields = _fields(file)
        return _shape(fields)
    except (OSError, ValueError, struct.error, KeyError, TypeError, ZeroDivisionError):
        return None


def _shape(fields: dict[str, object]) -> Shape:
    name = fields["general.architecture"]

    def number(key: str, default: int | None = None) -> int:
        value = fields.get(f"{name}.{key}", default)
        if not isinstance(value, int) or not 0 < value < 1 << 32:
            raise ValueError(f"{key}: {value!r}")
        return value

    embedding, heads = number("embedding_length"), number("attention.head_count")
    vocabulary = fields.get(_PIECES)
    return Shape(
        layers=number("block_count"),
        embedding=embedding,
        kv_heads=number("attention.head_count_kv", heads),
        key_size=number("attention.key_length", embedding // heads),
        value_size=number("attention.value_length", embedding // heads),
        vocabulary=vocabulary if isinstance(vocabulary, int) else 0,
    )


def _fields(file: BinaryIO) -> dict[str, object]:
    """Return the fields up to the vocabulary, of which only the number of pieces is kept."""
    magic, version, _tensors, count = struct.unpack("<4sIQQ", file.read(24))
    if magic != b"GGUF" or version < 2 or count > _MOST_KEYS:
        raise ValueError("not GGUF")
    fields: dict[str, object] = {}
    for _ in range(count):
        key = _text(file)
        (kind,) = struct.unpack("<I", file.read(4))
        if key == _PIECES:
            _inner, fields[key] = struct.unpack("<IQ", file.read(12))
            break
        fields[key] = _value(file, kind)
    return fields


def _value(file: BinaryIO, kind: int) -> object:
    if kind == _STRING:
        return _text(file)
    if kind == _ARRAY:
        _skip_array(file)
        return None
    form = "<" + _PLAIN[kind]
    (value,) = struct.unpack(form, file.read(struct.calcsize(form)))
    return value


def _skip_array(file: BinaryIO) -> None:
    inner, length = struct.unpack("<IQ", file.read(12))
    if inner == _STRING:
        for _ in range(length):
            _text(file)
    else:
        file.seek(length * struct.calcsize("<" + _PLAIN[inner]), 1)


def _text(file: BinaryIO) -> str:
    (length,) = struct.unpack("<Q", file.read(8))
    data = file.read(length) if length <= _LONGEST_TEXT else b""
    if len(data) < length:
        raise ValueError("a text that is cut")
    return data.decode("utf-8", "replace")
