"""A folder of safetensors as a GGUF file: matrices in F16, vectors in F32, names of llama.cpp.

The weights go through in slices, whatever the model's size. A matrix with a number that F16 cannot
hold is kept in F32. Rows of queries and keys are put in llama.cpp's order. Same folder, same bytes
out: no date, path or machine name is written.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from edge_slm.files import replacing
from edge_slm.sources import disk_full_is_a_sentence
from edge_slm_quantize.records import Source
from edge_slm_quantize.sources.folder import Folder, open_folder
from edge_slm_quantize.sources.shards import Tensor, slices
from edge_slm_quantize.sources.to_gguf_network import add_network, rope_factors
from edge_slm_quantize.sources.to_gguf_tokenizer import add_tokenizer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_ROTATED = re.compile(r"model\.layers\.\d+\.self_attn\.([qk])_proj\.(weight|bias)")
# llama.cpp turns pairs of neighbours in these, transformers the two halves of a head.
_NEIGHBOURS = ("llama", "smollm3")
_POSITIONS = "embeddings.position_embeddings.weight"
# Tables that llama.cpp adds to floats, and so wants as floats.
_TABLES = ("position_embd.weight", "token_types.weight")


def to_gguf(source: Source, path: Path) -> None:
    """Write the model of a folder of safetensors at `path`, whole or not at all.

    Raises:
        UsageError: it cannot be written as GGUF so that llama.cpp computes the same.
        MissingError, IntegrityError: a file is absent, cut or damaged.
        EdgeSlmError: the disk is full.
    """
    folder = open_folder(Path(source.path))
    with disk_full_is_a_sentence(path.parent), replacing(path) as temporary:
        wide = _write(folder, source, temporary, frozenset())
        if wide:
            _write(folder, source, temporary, wide)


def _write(folder: Folder, source: Source, path: Path, wide: Collection[str]) -> set[str]:
    """Write the file; return the tensors that overflowed F16 and are not in `wide`."""
    from gguf import GGMLQuantizationType, GGUFWriter

    network = folder.network
    writer = GGUFWriter(path, network.architecture)
    try:
        add_network(writer, folder, source)
        add_tokenizer(writer, folder.path, network.vocabulary)
        factors = rope_factors(folder)
        if factors is not None:
            writer.add_tensor("rope_freqs.weight", factors)
        streams = []
        for name, tensor, heads in _planned(folder):
            small = len(tensor.shape) < 2 or name.endswith("_norm.weight") or name in _TABLES
            stream = _Stream(name, tensor, "<f4" if small or name in wide else "<f2", heads)
            streams.append(stream)
            kind = GGMLQuantizationType.F16 if stream.halved else GGMLQuantizationType.F32
            writer.add_tensor(name, stream, raw_dtype=kind)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
    finally:
        writer.close()
    return {stream.name for stream in streams if stream.overflowed}


def _planned(folder: Folder) -> Iterator[tuple[str, Tensor, int]]:
    """Yield llama.cpp's name of each tensor, its place, and the heads whose rows change order."""
    from gguf import MODEL_ARCH_NAMES, get_tensor_name_map

    network = folder.network
    kind = next(kind for kind, name in MODEL_ARCH_NAMES.items() if name == network.architecture)
    names = get_tensor_name_map(kind, network.layers)
    for given, tensor in folder.tensors.items():
        name = names.get_name(given, try_suffixes=(".weight", ".bias"))
        assert name is not None, given  # all that shapes.py knows has one
        if given == _POSITIONS:
            tensor = _without_first(tensor, network.first_position)
        rotated = _ROTATED.fullmatch(given) if network.architecture in _NEIGHBOURS else None
        heads = 0
        if rotated:
            heads = network.heads if rotated[1] == "q" else network.kv_heads
        yield name, tensor, heads


def _without_first(tensor: Tensor, rows: int) -> Tensor:
    shape = (tensor.shape[0] - rows, *tensor.shape[1:])
    return tensor._replace(shape=shape, start=tensor.start + rows * tensor.shape[1] * tensor.width)


@dataclass
class _Stream:
    """What GGUFWriter asks of an array, of one that is never whole in memory."""

    name: str
    tensor: Tensor
    kind: str
    heads: int
    overflowed: bool = field(default=False, init=False)

    @property
    def halved(self) -> bool:
        return self.kind == "<f2"

    @property
    def shape(self) -> tuple[int, ...]:
        return self.tensor.shape

    @property
    def dtype(self) -> "np.dtype[Any]":
        import numpy as np

        return np.dtype(self.kind)

    @property
    def nbytes(self) -> int:
        return self.tensor.numbers * self.dtype.itemsize

    def tofile(self, out: IO[bytes]) -> None:
        import numpy as np

        head = self.tensor.shape[0] // self.heads if self.heads else 1
        for rows in slices(self.tensor, head):
            ordered = _neighbours(rows, head) if self.heads else rows
            with np.errstate(over="ignore"):
                written = ordered.astype(self.dtype, copy=False)
            if self.halved and not bool(np.isfinite(written).all()):
                self.overflowed = True
            out.write(np.ascontiguousarray(written).data)


def _neighbours(rows: "NDArray[np.float32]", head: int) -> "NDArray[np.float32]":
    """Put the rows of each head in pairs: the first of each half, the second of each half…"""
    halves = rows.reshape(-1, 2, head // 2, *rows.shape[1:])
    return halves.swapaxes(1, 2).reshape(rows.shape)
