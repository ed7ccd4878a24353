"""An importance matrix, and the GGUF file in which llama.cpp's tools keep it.

Format: `save_imatrix` of llama.cpp's tools/imatrix: for each matrix NAME two float32 tensors,
NAME.in_sum2 (sums of squares of its inputs) and NAME.counts (rows summed).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from edge_slm.errors import IntegrityError
from edge_slm.files import replacing
from edge_slm.gguf_layout import Layout, Tensor, read_layout
from edge_slm.i18n import t

_SUMS, _COUNTS = ".in_sum2", ".counts"
_FLOATS = 0  # GGML_TYPE_F32
_MOST_ROWS = 2**53  # beyond it a count is damaged: no machine reads so many tokens


@dataclass(frozen=True)
class Matrix:
    """How much each input of each matrix weighs.

    sums: by name of the matrix, the sum of squares of each input, float arrays (columns,).
    counts: rows that were summed. chunks: pieces of text of `chunk` tokens that were read.
    """

    sums: Mapping[str, Any]
    counts: Mapping[str, int]
    chunks: int
    chunk: int

    def means(self) -> dict[str, Any]:
        """Return the mean square of each input, float32 arrays (columns,): what llama.cpp takes."""
        import numpy as np

        return {
            name: (sums / self.counts[name]).astype(np.float32) for name, sums in self.sums.items()
        }

    def described(self) -> dict[str, int]:
        """Return what a report says of it."""
        return {"tensors": len(self.sums), "chunks": self.chunks, "chunk_tokens": self.chunk}


def save(path: Path, matrix: Matrix, origin: str) -> None:
    """Write a matrix as llama.cpp's tools do; `path` is whole or as it was.

    Args:
        path: the file.
        matrix: what to write.
        origin: where its texts come from.
    """
    import gguf
    import numpy as np

    with replacing(path) as temporary:
        writer = gguf.GGUFWriter(temporary, arch="imatrix")
        writer.add_type("imatrix")
        writer.add_array("imatrix.datasets", [origin])
        writer.add_uint32("imatrix.chunk_count", matrix.chunks)
        writer.add_uint32("imatrix.chunk_size", matrix.chunk)
        for name in sorted(matrix.sums):
            writer.add_tensor(name + _SUMS, matrix.sums[name].astype(np.float32).reshape(1, -1))
            writer.add_tensor(name + _COUNTS, np.array([[matrix.counts[name]]], np.float32))
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()


def load(path: Path) -> Matrix:
    """Read a matrix that this module or llama.cpp's tools wrote.

    Raises:
        IntegrityError: the file holds no whole importance matrix of finite numbers.
    """
    layout = read_layout(path)
    names = [name.removesuffix(_SUMS) for name in layout.tensors if name.endswith(_SUMS)]
    try:
        sums = {name: _values(path, layout.tensors[name + _SUMS]) for name in names}
        counts = {name: _count(_values(path, layout.tensors[name + _COUNTS])) for name in names}
    except (ValueError, KeyError) as error:
        raise IntegrityError(_unreadable(path)) from error
    if not names or not all(map(_sound, sums.values())):
        raise IntegrityError(_unreadable(path))
    return Matrix(sums, counts, _number(layout, "chunk_count"), _number(layout, "chunk_size"))


def check(matrix: Matrix, layout: Layout, path: Path) -> None:
    """Refuse a matrix of another model.

    Args:
        matrix, path: the matrix and the file it came from.
        layout: of the model that it is to weigh.
    Raises:
        IntegrityError: it names other tensors, or other sizes.
    """
    for name, sums in matrix.sums.items():
        tensor = layout.tensors.get(name)
        if tensor is None or tensor.shape[0] != len(sums):
            raise IntegrityError(
                t(
                    "The importance matrix {path} is of another model: {name} does not fit.",
                    "La matrice d'importance {path} est celle d'un autre modèle : {name} ne "
                    "convient pas.",
                    path=path.name,
                    name=name,
                )
            )


def _values(path: Path, tensor: Tensor) -> Any:
    import numpy as np

    count = prod(tensor.shape)
    if tensor.type != _FLOATS or 4 * count > tensor.size:
        raise ValueError("no float32, or not whole")
    return np.fromfile(path, "<f4", count, offset=tensor.start)


def _count(values: Any) -> int:
    """Return the one count of a matrix that is no list of experts."""
    if values.shape != (1,) or not 1 <= values[0] < _MOST_ROWS:
        raise ValueError("not one count")
    return int(values[0])


def _sound(values: Any) -> bool:
    import numpy as np

    return bool(np.isfinite(values).all() and (values >= 0).all())


def _number(layout: Layout, name: str) -> int:
    value = layout.fields.get(f"imatrix.{name}", 0)
    return value if isinstance(value, int) else 0


def _unreadable(path: Path) -> str:
    return t(
        "{path} holds no whole importance matrix: remove it, it is computed again.",
        "{path} ne contient pas de matrice d'importance entière : supprimez-le, elle sera "
        "recalculée.",
        path=path,
    )
