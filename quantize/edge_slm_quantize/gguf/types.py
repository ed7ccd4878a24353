"""Types of tensors by ggml's number, and the room that each takes.

Numbers: `enum ggml_type` of ggml.h; numbers of a block and its bytes: the `block_*` structures of
ggml-common.h, as of the llama.cpp that llama-cpp-python 0.3.36 holds.
"""

from collections.abc import Sequence
from math import prod
from typing import NamedTuple


class Type(NamedTuple):
    """A type: its name, the numbers of one block (along a row), the bytes of one block."""

    name: str
    block: int
    size: int


class Override(NamedTuple):
    """Tensors whose name a pattern (ECMAScript, searched) is found in get a type."""

    pattern: str
    type: str


TYPES: dict[int, Type] = {
    0: Type("F32", 1, 4),
    1: Type("F16", 1, 2),
    2: Type("Q4_0", 32, 18),
    3: Type("Q4_1", 32, 20),
    6: Type("Q5_0", 32, 22),
    7: Type("Q5_1", 32, 24),
    8: Type("Q8_0", 32, 34),
    10: Type("Q2_K", 256, 84),
    11: Type("Q3_K", 256, 110),
    12: Type("Q4_K", 256, 144),
    13: Type("Q5_K", 256, 176),
    14: Type("Q6_K", 256, 210),
    16: Type("IQ2_XXS", 256, 66),
    17: Type("IQ2_XS", 256, 74),
    18: Type("IQ3_XXS", 256, 98),
    19: Type("IQ1_S", 256, 50),
    20: Type("IQ4_NL", 32, 18),
    21: Type("IQ3_S", 256, 110),
    22: Type("IQ2_S", 256, 82),
    23: Type("IQ4_XS", 256, 136),
    24: Type("I8", 1, 1),
    25: Type("I16", 1, 2),
    26: Type("I32", 1, 4),
    27: Type("I64", 1, 8),
    28: Type("F64", 1, 8),
    29: Type("IQ1_M", 256, 56),
    30: Type("BF16", 1, 2),
    34: Type("TQ1_0", 256, 54),
    35: Type("TQ2_0", 256, 66),
    39: Type("MXFP4", 32, 17),
    40: Type("NVFP4", 64, 36),
    41: Type("Q1_0", 128, 18),
}
NUMBERS: dict[str, int] = {known.name: number for number, known in TYPES.items()}


def name_of(number: int) -> str:
    """Return a type's name; one that is not known is told by its number."""
    known = TYPES.get(number)
    return known.name if known else f"type-{number}"


def bytes_of(shape: Sequence[int], number: int) -> int | None:
    """Return the bytes of a tensor without padding; None where the type is not known.

    Args:
        shape: its sizes, the fastest first.
        number: of its type.
    """
    known = TYPES.get(number)
    row, *rest = shape or (1,)
    if known is None or row % known.block:
        return None
    return row // known.block * known.size * prod(rest)
