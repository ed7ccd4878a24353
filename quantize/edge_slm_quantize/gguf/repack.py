"""Which weights llama.cpp lays out anew for the processor, to multiply several rows at once.

Facts: `ggml_repack_get_optimal_repack_type` of ggml-cpu/repack.cpp, as of the llama.cpp that
llama-cpp-python 0.3.36 holds. Other types run there too, with slower kernels.
"""

from edge_slm.gguf_layout import Layout, Tensor
from edge_slm_quantize.gguf.census import matrices, weight_bytes
from edge_slm_quantize.gguf.types import name_of

# By family of processors and type, what the number of rows must be a multiple of.
_ROWS: dict[str, dict[str, int]] = {
    "x86-avx2": {"Q4_0": 8, "Q4_K": 8, "IQ4_NL": 8, "MXFP4": 8},
    "x86-avx512": {"Q4_0": 8, "Q4_K": 8, "IQ4_NL": 8, "MXFP4": 8, "Q2_K": 8},
    "arm-dotprod": {
        **dict.fromkeys(("Q4_0", "Q8_0", "IQ4_NL", "MXFP4", "Q1_0"), 4),
        **dict.fromkeys(("Q4_K", "Q5_K", "Q6_K"), 8),
    },
}
_ROWS["arm-i8mm"] = _ROWS["arm-dotprod"]  # those with i8mm have dotprod too, for the other types


def repacked_shares(layout: Layout) -> dict[str, float]:
    """Return, by family of processors, the share of the matrices' bytes with repacked kernels."""
    multiplied = matrices(layout).values()
    total = sum(map(weight_bytes, multiplied)) or 1
    return {
        family: sum(weight_bytes(one) for one in multiplied if _fits(one, rows)) / total
        for family, rows in _ROWS.items()
    }


def _fits(tensor: Tensor, rows: dict[str, int]) -> bool:
    multiple = rows.get(name_of(tensor.type))
    # Matrices of experts have a third size, and are repacked too; one of a single row is not.
    return multiple is not None and len(tensor.shape) in (2, 3) and tensor.shape[1] % multiple == 0
