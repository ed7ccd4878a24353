"""Which tensor types llama.cpp lays out anew for a processor's own instructions.

Source: ggml/src/ggml-cpu/repack.cpp (`ggml_repack_get_optimal_repack_type`) of the llama.cpp that
llama-cpp-python 0.3.36 carries. Other types run too, by slower kernels. Q4_0 was the fastest where
it was measured; behind it they stand as the file has them.
"""

from collections.abc import Iterable

# Names of instructions that tell processors apart here, as Linux writes them in /proc/cpuinfo.
KNOWN = ("avx2", "fma", "f16c", "avx512f", "avx512_vnni", "asimd", "asimddp", "i8mm", "sve")

# (instructions that must all be there, types). Processors with i8mm get other kernels than those
# with the dot product alone, but for the same types.
_KERNELS: tuple[tuple[frozenset[str], tuple[str, ...]], ...] = (
    (frozenset({"avx2"}), ("Q4_0", "Q4_K", "IQ4_NL")),
    (frozenset({"avx2", "avx512f"}), ("Q2_K",)),
    (frozenset({"asimddp"}), ("Q4_0", "Q4_K", "IQ4_NL", "Q5_K", "Q6_K", "Q8_0")),
)


def fast(features: Iterable[str]) -> tuple[str, ...]:
    """Return the types with kernels of their own on a processor with these instructions."""
    have = frozenset(features)
    return tuple(kind for needed, kinds in _KERNELS if needed <= have for kind in kinds)
