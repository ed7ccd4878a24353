"""How the bytes of a GGUF model are laid out: numbers of its header, and the size of each tensor.

The vocabulary is stepped over, not decoded: a header of 150,000 tokens takes a fraction of a second
instead of the eight seconds of the `gguf` package's reader. Format: ggml's docs/gguf.md, versions
2 and 3, little-endian. Loads no model.
"""

import mmap
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from edge_slm.errors import IntegrityError
from edge_slm.i18n import t

Value = int | float | str | tuple[int | float, ...]

_NUMBERS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q"}
_NUMBERS[12] = "d"
_STRING, _ARRAY = 8, 9
_LONGEST_KEPT = 4096  # numbers of a list; one a layer is kept, one a word of the vocabulary is not
_LONGEST_NAME = 65_535  # bytes of a key, by the format
_ALIGNMENT = 32
_MAGIC = int.from_bytes(b"GGUF", "little")


class Tensor(NamedTuple):
    """A tensor: its sizes, the fastest first, its bytes in the file (padding included), its type.

    The type is ggml's number of it (`ggml_type` in ggml.h): 2 is Q4_0. `start` is its first byte.
    """

    shape: tuple[int, ...]
    size: int
    type: int = 0
    start: int = 0


@dataclass(frozen=True)
class Layout:
    """Fields of the header without texts of the vocabulary, and the tensors by name."""

    fields: Mapping[str, Value]
    tensors: Mapping[str, Tensor]

    @property
    def file_type(self) -> str:
        """What the file says that it is quantised as, such as “Q4_K_M”; “unknown” else."""
        from gguf import LlamaFileType

        try:
            number = self.fields["general.file_type"]
            return str(LlamaFileType(number).name).removeprefix("MOSTLY_").removeprefix("ALL_")
        except (KeyError, ValueError):
            return "unknown"

    def number(self, name: str, default: int = 0) -> int:
        """Return a whole number of the architecture's, such as `block_count`."""
        value = self.fields.get(f"{self.fields.get('general.architecture')}.{name}", default)
        return value if isinstance(value, int) else default

    def numbers(self, name: str, count: int) -> tuple[int, ...]:
        """Return one whole number a layer, where the header tells one for all or a list."""
        value = self.fields.get(f"{self.fields.get('general.architecture')}.{name}", 0)
        if isinstance(value, tuple):
            return tuple(int(x) for x in value)
        return (value if isinstance(value, int) else 0,) * count


def read_layout(path: Path) -> Layout:
    """Read the header of a GGUF file; that its last tensor is whole is not checked.

    Raises:
        IntegrityError: the file is not GGUF, ends too early, or its header is damaged.
    """
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return _layout(data)
    except (struct.error, ValueError, OverflowError) as error:
        raise IntegrityError(
            t(
                "{path} is not a whole GGUF file: check it with edge-slm models verify.",
                "{path} n'est pas un fichier GGUF entier : vérifiez-le avec "
                "edge-slm models verify.",
                path=path,
            )
        ) from error


def _layout(data: mmap.mmap) -> Layout:
    cursor = _Cursor(data)
    magic, version, tensor_count, field_count = cursor.take("IIQQ")
    if magic != _MAGIC or version not in (2, 3):
        raise ValueError("not GGUF")
    fields: dict[str, Value] = {}
    for _ in range(field_count):
        name = cursor.text(_LONGEST_NAME)
        value = cursor.value(*cursor.take("I"))
        if value is not None:
            fields[name] = value
    starts: dict[str, tuple[tuple[int, ...], int, int]] = {}
    for _ in range(tensor_count):
        name = cursor.text(_LONGEST_NAME)
        (dimensions,) = cursor.take("I")
        shape = cursor.take(f"{_checked(dimensions, 8)}Q")
        kind, start = cursor.take("IQ")
        starts[name] = shape, start, kind
    alignment = fields.get("general.alignment", _ALIGNMENT)
    if not isinstance(alignment, int) or alignment < 1:
        raise ValueError("alignment")
    begin = -(-cursor.at // alignment) * alignment
    return Layout(fields, _sized(starts, begin, len(data) - begin))


def _sized(
    starts: Mapping[str, tuple[tuple[int, ...], int, int]], begin: int, end: int
) -> dict[str, Tensor]:
    """Give each tensor the bytes up to the next one: that needs no table of quantisations."""
    order = sorted(starts, key=lambda name: starts[name][1])
    ends = [*(starts[name][1] for name in order[1:]), end]
    sizes = {name: after - starts[name][1] for name, after in zip(order, ends, strict=True)}
    if any(size <= 0 for size in sizes.values()):
        raise ValueError("a tensor of no byte, or beyond the end of the file")
    return {
        name: Tensor(starts[name][0], size, starts[name][2], begin + starts[name][1])
        for name, size in sizes.items()
    }


class _Cursor:
    def __init__(self, data: mmap.mmap) -> None:
        self._data = data
        self.at = 0

    def take(self, form: str) -> tuple[int, ...]:
        values = struct.unpack_from(f"<{form}", self._data, self.at)
        self.at += struct.calcsize(f"<{form}")
        return values

    def text(self, longest: int) -> str:
        (length,) = self.take("Q")
        (raw,) = struct.unpack_from(f"<{_checked(length, longest)}s", self._data, self.at)
        self.at += length
        return str(raw, "utf-8", "replace")

    def skip(self, size: int) -> None:
        if size > len(self._data) - self.at:
            raise ValueError("beyond the end of the file")
        self.at += size

    def value(self, kind: int) -> Value | None:
        """Take a value; None for a list of texts, of lists, or too long to be worth keeping."""
        if kind == _STRING:
            start = self.at
            (length,) = self.take("Q")
            self.skip(length)
            return str(
                self._data[start + 8 : min(self.at, start + 8 + _LONGEST_NAME)], "utf-8", "replace"
            )
        if kind == _ARRAY:
            return self._list(*self.take("IQ"))
        return self.take(_code(kind))[0]

    def _list(self, kind: int, count: int) -> tuple[int | float, ...] | None:
        if kind == _STRING:
            for _ in range(count):
                self.skip(self.take("Q")[0])
            return None
        code = _code(kind)  # the format has no lists of lists in use
        if count <= _LONGEST_KEPT:
            return self.take(f"{count}{code}")
        self.skip(count * struct.calcsize(f"<{code}"))
        return None


def _code(kind: int) -> str:
    if kind not in _NUMBERS:
        raise ValueError(f"unknown type {kind}")
    return _NUMBERS[kind]


def _checked(count: int, most: int) -> int:
    if count > most:
        raise ValueError(f"{count} where {most} is the most")
    return count
