"""The safetensors format: which tensors a file holds, and their numbers, a slice at a time.

An 8-byte length, a JSON header of that length, then the bytes of the tensors (format:
huggingface/safetensors, README). Every length is checked against the file before it is believed.
Nothing is mapped into memory: what is read is let go, so that a model larger than the memory can be
gone through. Knows nothing of models.
"""

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from edge_slm.errors import IntegrityError
from edge_slm.i18n import t

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SLICE_BYTES = 16 << 20
_LONGEST_HEADER = 100_000_000  # of the reference implementation (MAX_HEADER_SIZE)
_MOST_DIMENSIONS = 8
# Bytes a number, of the types that weights are published in. Others are packed or quantised.
_WIDTHS = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1}
_WIDTHS |= {"U8": 1, "BOOL": 1, "U16": 2, "U32": 4, "U64": 8, "F8_E4M3": 1, "F8_E5M2": 1}
FLOATS = ("F64", "F32", "F16", "BF16")
_READ_AS = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2"}


class Tensor(NamedTuple):
    """A tensor of a file: its type as the format names it, sizes, and first byte in the file."""

    file: Path
    dtype: str
    shape: tuple[int, ...]
    start: int

    @property
    def numbers(self) -> int:
        """How many numbers it has."""
        return math.prod(self.shape)

    @property
    def width(self) -> int:
        """Bytes of one of them."""
        return _WIDTHS[self.dtype]


def read_header(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a safetensors file by name, in the order of their bytes.

    Raises:
        IntegrityError: the file is cut, its header is damaged, or it lies about its lengths.
        OSError: it cannot be read.
    """
    total = path.stat().st_size
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if not 2 <= length <= min(_LONGEST_HEADER, total - 8):
                raise ValueError("length of the header")
            header = json.loads(file.read(length))
        return _tensors(path, header, 8 + length, total)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise IntegrityError(
            t(
                "{path} is cut or damaged: it is not a whole safetensors file; copy it again.",
                "{path} est coupé ou abîmé : ce n'est pas un fichier safetensors entier ; "
                "recopiez-le.",
                path=path,
            )
        ) from error


def _tensors(path: Path, header: dict[str, Any], begin: int, total: int) -> dict[str, Tensor]:
    found = {}
    at = 0
    entries = [(name, entry) for name, entry in header.items() if name != "__metadata__"]
    for name, entry in sorted(entries, key=lambda pair: pair[1]["data_offsets"]):
        shape = entry["shape"]
        start, end = entry["data_offsets"]
        numbers = [start, end, *shape]
        if len(shape) > _MOST_DIMENSIONS or any(type(n) is not int or n < 0 for n in numbers):
            raise ValueError(name)
        # The format has no gaps and no overlaps: each tensor starts where the one before it ends.
        if start != at or end - start != math.prod(shape) * _WIDTHS[entry["dtype"]]:
            raise ValueError(name)
        found[name] = Tensor(path, entry["dtype"], tuple(shape), begin + start)
        at = end
    if begin + at != total or not found:
        raise ValueError("end of the file")
    return found


def slices(tensor: Tensor, unit: int = 1) -> "Iterator[NDArray[np.float32]]":
    """Yield a tensor's rows in order as float32, some at a time.

    Args:
        tensor: of one of the types FLOATS; its first size counts the rows.
        unit: rows that must stay together; their number must be a multiple of it.

    Yields:
        Arrays [rows, …], of about SLICE_BYTES in the file.

    Raises:
        IntegrityError: the file has become shorter.
        OSError: it cannot be read.
    """
    import numpy as np

    rows = tensor.shape[0] if tensor.shape else 1
    row = tensor.numbers // rows if rows else 0
    kind = np.dtype(_READ_AS[tensor.dtype])
    step = max(1, SLICE_BYTES // max(1, row * kind.itemsize * unit)) * unit
    with tensor.file.open("rb") as file:
        file.seek(tensor.start)
        for first in range(0, rows, step):
            taken = min(step, rows - first)
            raw = np.fromfile(file, kind, taken * row)
            if len(raw) != taken * row:
                raise IntegrityError(
                    t(
                        "{path} has become shorter while it was read.",
                        "{path} a raccourci pendant sa lecture.",
                        path=tensor.file,
                    )
                )
            yield _as_float32(raw, tensor.dtype).reshape(taken, *tensor.shape[1:])


def _as_float32(raw: "NDArray[Any]", dtype: str) -> "NDArray[np.float32]":
    import numpy as np

    if dtype == "BF16":  # the upper half of a float32
        return (raw.astype(np.uint32) << 16).view(np.float32)
    with np.errstate(over="ignore"):
        return raw.astype(np.float32, copy=False)
