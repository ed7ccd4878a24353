"""Which weights llama.cpp's Hexagon back end (Snapdragon's NPU) takes, told from the file alone.

Facts: `ggml_hexagon_supported_mul_mat` of ggml-hexagon.cpp, as of the llama.cpp that
llama-cpp-python 0.3.36 holds. What it does not know: whether a product also fits the NPU's memory
(VTCM), which is decided on the device; speed. Rows are padded to 32 there, so that their number
does not matter.
"""

from collections import Counter
from typing import NamedTuple

from edge_slm.gguf_layout import Layout
from edge_slm_quantize.gguf.census import matrices, weight_bytes
from edge_slm_quantize.gguf.types import name_of

# By type, what a row's length must be a multiple of.
_TAKEN = {
    **dict.fromkeys(("F32", "F16"), 1),
    **dict.fromkeys(("Q4_0", "Q4_1", "Q8_0", "IQ4_NL", "MXFP4"), 32),
    **dict.fromkeys(("Q4_K", "Q5_K", "Q6_K"), 256),
}


class Share(NamedTuple):
    """Share of the matrices' bytes that is taken, 0 to 1; tensors taken of all; refused by type."""

    share: float
    tensors: int
    of: int
    refused: dict[str, int]


def hexagon_share(layout: Layout) -> Share:
    """Count the matrices that are multiplied with and whose type and shape the NPU takes."""
    multiplied = matrices(layout)
    taken = {name for name, one in multiplied.items() if _takes(name_of(one.type), one.shape[0])}
    total = sum(map(weight_bytes, multiplied.values()))
    there = sum(weight_bytes(multiplied[name]) for name in taken)
    refused = Counter(name_of(multiplied[name].type) for name in multiplied.keys() - taken)
    return Share(there / total if total else 0.0, len(taken), len(multiplied), dict(refused))


def _takes(kind: str, row: int) -> bool:
    return kind in _TAKEN and row % _TAKEN[kind] == 0
