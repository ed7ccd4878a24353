"""The one call of llama.cpp that quantises a file, and why it failed, as a sentence.

Whether its answer is a whole file is checked here: some failures only show in its log.
"""

import ctypes
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from edge_slm.engines.llama.model import library
from edge_slm.errors import EdgeSlmError, IntegrityError
from edge_slm.gguf_layout import Layout, read_layout
from edge_slm.i18n import t
from edge_slm.machine import compute_threads
from edge_slm_quantize.gguf.failures import failure, other
from edge_slm_quantize.gguf.llama_log import captured
from edge_slm_quantize.gguf.types import NUMBERS, Override, bytes_of

# Bytes of rows held at once, beside the mapped file. llama.cpp's own 8 GiB hold the whole matrix of
# embeddings as float32; the file is the same byte for byte.
_BUFFER = 256 << 20
_PADDING = 32  # bytes that tensors are aligned to


class Done(NamedTuple):
    """What the call made: the file's layout, and the seconds in the call."""

    layout: Layout
    seconds: float


def quantise(
    source: Path,
    path: Path,
    kind: str,
    *,
    overrides: Sequence[Override] = (),
    matrix: Mapping[str, Any] | None = None,
    threads: int = 0,
) -> Done:
    """Write `source` anew as the file type `kind`; tensors already quantised are dequantised first.

    Args:
        source: a GGUF file. path: the file to write; nothing is left of it on failure.
        kind: name of a `llama_ftype`, such as “Q4_K_M”.
        overrides: the first that fits a tensor wins over the mixture of `kind`.
        matrix: importance of each input, by name of the matrix: float32 arrays (columns,).
        threads: 0 takes the physical cores.
    Raises:
        UsageError: llama.cpp knows no such architecture, or the type needs an importance matrix.
        IntegrityError: the source is damaged, or holds numbers that are not finite.
        EdgeSlmError: it failed for another reason, such as a full disk.
    """
    c = library()
    parameters = c.llama_model_quantize_default_params()
    parameters.nthread = threads or compute_threads()
    parameters.ftype = getattr(c, f"LLAMA_FTYPE_MOSTLY_{kind}")
    parameters.allow_requantize = True
    parameters.max_buf_size = _BUFFER
    # Kept in variables until the call ends: ctypes holds no reference to what it points to.
    held = _overrides(c, overrides), _matrix(c, matrix)
    if overrides:
        parameters.tt_overrides = ctypes.cast(
            held[0], ctypes.POINTER(c.llama_model_tensor_override)
        )
    if matrix:
        parameters.imatrix = ctypes.cast(held[1], ctypes.POINTER(c.llama_model_imatrix_data))
    try:
        with captured(c) as said:
            begin = time.perf_counter()
            code = c.llama_model_quantize(
                os.fsencode(source), os.fsencode(path), ctypes.byref(parameters)
            )
            seconds = time.perf_counter() - begin
        if code:
            raise failure("".join(said), source, kind, path.parent)
        return Done(_whole(path, source, kind), seconds)
    except EdgeSlmError:
        path.unlink(missing_ok=True)
        raise


def _overrides(c: Any, overrides: Sequence[Override]) -> Any:
    array = (c.llama_model_tensor_override * (len(overrides) + 1))()  # the last stays empty: an end
    for slot, one in zip(array, overrides, strict=False):
        slot.pattern, slot.type = one.pattern.encode(), NUMBERS[one.type]
    return array


def _matrix(c: Any, matrix: Mapping[str, Any] | None) -> Any:
    import numpy as np

    array = (c.llama_model_imatrix_data * (len(matrix or {}) + 1))()
    array.kept = []
    for slot, (name, values) in zip(array, (matrix or {}).items(), strict=False):
        row = np.ascontiguousarray(values, dtype=np.float32)
        array.kept.append(row)
        slot.name, slot.size = name.encode(), row.size
        slot.data = row.ctypes.data_as(ctypes.POINTER(ctypes.c_float))
    return array


def _whole(path: Path, source: Path, kind: str) -> Layout:
    """Return the layout of a file in which every tensor has all its bytes."""
    try:
        layout = read_layout(path)
    except (IntegrityError, OSError):
        layout = None
    if layout is None or not layout.tensors or not all(map(_complete, layout.tensors.values())):
        raise other(source, kind, t("its file is not whole", "son fichier n'est pas entier"))
    return layout


def _complete(tensor: Any) -> bool:
    size = bytes_of(tensor.shape, tensor.type)
    return size is None or size <= tensor.size < size + _PADDING
