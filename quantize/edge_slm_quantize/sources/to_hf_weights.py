"""Tensors of a GGUF file as one safetensors file of float32, a slice at a time.

Dequantising is the gguf package's. Memory does not grow with the model. Format of safetensors:
an 8-byte length, a JSON header of that length, the bytes (huggingface/safetensors, README).
"""

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge_slm.errors import IntegrityError, UsageError
from edge_slm.gguf_layout import Layout
from edge_slm.i18n import t

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Numbers handled at once: 16 MB of float32, and a few times that while they are unpacked.
_SLICE = 1 << 22


@dataclass(frozen=True)
class Wanted:
    """A tensor to write.

    Attributes:
        name: in the safetensors file.
        shape: (rows, columns), or (rows,).
        source: its name in the GGUF file; None for zeros.
        pairs: heads whose rows llama.cpp keeps in pairs (first half, second half interleaved);
            0 where the order is the same.
    """

    name: str
    shape: tuple[int, ...]
    source: str | None
    pairs: int = 0


def write_safetensors(gguf: Path, layout: Layout, tensors: Sequence[Wanted], path: Path) -> None:
    """Write tensors of a GGUF file as float32.

    Args:
        gguf: the file, of which `layout` is the layout.
        layout: as `read_layout` gave it; every source is in it with the wanted number of elements.
        tensors: what is written, in this order.
        path: the safetensors file; whoever calls sees to it that a cut one is not used.

    Raises:
        IntegrityError: a tensor is cut, of an odd size, or holds a number that is not finite.
        UsageError: a tensor's type is not known.
        OSError: a file cannot be read or written.
    """
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    at = 0
    for one in tensors:
        end = at + 4 * math.prod(one.shape)
        header[one.name] = {"dtype": "F32", "shape": one.shape, "data_offsets": [at, end]}
        at = end
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for one in tensors:
            for part in _slices(gguf, layout, one):
                part.tofile(file)


def _slices(gguf: Path, layout: Layout, one: Wanted) -> "Iterator[NDArray[np.float32]]":
    import numpy as np
    from gguf import GGMLQuantizationType
    from gguf.quants import dequantize

    rows, columns = one.shape if len(one.shape) == 2 else (one.shape[0], 1)
    step = max(1, _SLICE // columns)
    if one.source is None:
        for first in range(0, rows, step):
            yield np.zeros((min(step, rows - first), columns), np.float32)
        return
    tensor = layout.tensors[one.source]
    row = _row_bytes(one.source, tensor.type, columns)
    if rows * row > tensor.size:
        raise _odd(one.source)
    raw = np.memmap(gguf, np.uint8, "r", tensor.start, (rows, row))
    order = _halves(rows, one.pairs) if one.pairs else None
    for first in range(0, rows, step):
        taken = raw[first : first + step] if order is None else raw[order[first : first + step]]
        try:
            part = dequantize(np.array(taken), GGMLQuantizationType(tensor.type))
        except NotImplementedError as error:
            raise _unknown_type(one.source, tensor.type) from error
        if not bool(np.isfinite(part).all()):
            raise IntegrityError(
                t(
                    "The tensor {name} holds numbers that are not finite: the file is damaged, "
                    "fetch it again.",
                    "Le tenseur {name} contient des nombres non finis : le fichier est abîmé, "
                    "téléchargez-le à nouveau.",
                    name=one.source,
                )
            )
        yield np.ascontiguousarray(part, np.float32)


def _halves(rows: int, heads: int) -> "NDArray[np.intp]":
    """Return the rows in Hugging Face's order: of each head the first half, then the second.

    llama.cpp's converter interleaves them (`permute` of its Llama class): this is the inverse.
    """
    import numpy as np

    return np.arange(rows).reshape(heads, -1, 2).swapaxes(1, 2).reshape(-1)


def _row_bytes(name: str, kind: int, columns: int) -> int:
    from gguf import GGML_QUANT_SIZES, GGMLQuantizationType

    try:
        block, size = GGML_QUANT_SIZES[GGMLQuantizationType(kind)]
    except (ValueError, KeyError) as error:
        raise _unknown_type(name, kind) from error
    if columns % block:
        raise _odd(name)
    return int(columns // block * size)


def _odd(name: str) -> IntegrityError:
    return IntegrityError(
        t(
            "The tensor {name} has an odd size: the file is damaged, fetch it again.",
            "Le tenseur {name} a une taille anormale : le fichier est abîmé, téléchargez-le à "
            "nouveau.",
            name=name,
        )
    )


def _unknown_type(name: str, kind: int) -> UsageError:
    return UsageError(
        t(
            "The tensor {name} is of a type ({kind}) that cannot be dequantised here: give a file "
            "of another quantisation.",
            "Le tenseur {name} est d'un type ({kind}) qui ne peut pas être déquantifié ici : "
            "donnez un fichier d'une autre quantification.",
            name=name,
            kind=kind,
        )
    )
