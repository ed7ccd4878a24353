"""Every weight is a number: no NaN, no infinity, in files of any of the formats.

Of quantised blocks only the scales are read: the rest of a block is whole numbers, so that a
weight is finite when its scales are. Goes through a file in slices, whatever its size.
"""

import math
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge_slm.errors import IntegrityError
from edge_slm.gguf_layout import Layout
from edge_slm.i18n import t
from edge_slm_quantize.sources.shards import SLICE_BYTES, Tensor

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# First byte and number of the half-precision scales of a block, by ggml's name of the type
# (ggml-common.h). What is not here is dequantised by the gguf package.
_SCALES = {
    **dict.fromkeys(("Q4_0", "Q5_0", "Q8_0", "IQ4_NL", "IQ4_XS"), (0, 1)),
    **dict.fromkeys(("IQ2_XXS", "IQ2_XS", "IQ2_S", "IQ3_XXS", "IQ3_S", "IQ1_S"), (0, 1)),
    **dict.fromkeys(("Q4_1", "Q5_1", "Q4_K", "Q5_K"), (0, 2)),
    "Q2_K": (80, 2),
    "Q3_K": (108, 1),
    "Q6_K": (208, 1),
}
# The bits of the exponent, all set in infinities and NaN, by the width of the number (IEEE 754;
# bfloat16 is the upper half of a float32).
_EXPONENTS = {"F64": ("<u8", 0x7FF0 << 48), "F32": ("<u4", 0x7F80 << 16), "F16": ("<u2", 0x7C00)}
_EXPONENTS["BF16"] = ("<u2", 0x7F80)


def check_shards(
    tensors: Iterable[tuple[str, Tensor]], advance: Callable[[int], None] | None = None
) -> None:
    """Check tensors of safetensors (also those of CTranslate2, of the same types of floats).

    Args:
        tensors: names and places.
        advance: called with the bytes done since the last call.

    Raises:
        IntegrityError: a weight is not finite, or a file ends too early.
    """
    for name, tensor in tensors:
        kind, mask = _EXPONENTS[tensor.dtype]
        whole = _slices(tensor.file, tensor.start, kind, tensor.numbers, advance)
        if any(_all_set(numbers, mask) for numbers in whole):
            raise _not_a_number(tensor.file, name)


def check_gguf(path: Path, layout: Layout, advance: Callable[[int], None] | None = None) -> None:
    """Check the tensors of a GGUF file.

    Raises:
        IntegrityError: a weight is not finite, a tensor is cut, or its type is unknown.
    """
    from gguf import GGML_QUANT_SIZES, GGMLQuantizationType

    for name, tensor in layout.tensors.items():
        count = math.prod(tensor.shape)
        try:
            kind = GGMLQuantizationType(tensor.type)
            weights, block = GGML_QUANT_SIZES[kind]
        except (ValueError, KeyError) as error:
            raise _cut(path, name) from error
        if count % weights or count // weights * block > tensor.size:
            raise _cut(path, name)
        blocks = count // weights
        if _gguf_is_odd(path, tensor.start, kind, blocks, block, advance):
            raise _not_a_number(path, name)


def _gguf_is_odd(
    path: Path,
    start: int,
    kind: Any,
    blocks: int,
    block: int,
    advance: Callable[[int], None] | None,
) -> bool:
    import numpy as np

    if kind.name in _EXPONENTS:
        code, mask = _EXPONENTS[kind.name]
        return any(_all_set(x, mask) for x in _slices(path, start, code, blocks, advance))
    if kind.name.startswith("I") and kind.name[1:].isdigit():  # whole numbers
        return False
    from gguf import dequantize

    for raw in _slices(path, start, f"V{block}", blocks, advance):
        rows = raw.view(np.uint8).reshape(len(raw), block)
        if kind.name in _SCALES:
            first, many = _SCALES[kind.name]
            scales = np.ascontiguousarray(rows[:, first : first + 2 * many]).view("<u2")
            if _all_set(scales, _EXPONENTS["F16"][1]):
                return True
        else:
            with np.errstate(all="ignore"):  # of what is looked for, not of what is done with it
                odd = not np.isfinite(dequantize(rows, kind)).all()
            if odd:
                return True
    return False


def _all_set(numbers: "NDArray[Any]", mask: int) -> bool:
    """Tell whether one of the numbers has every bit of the mask."""
    kind = numbers.dtype.type
    return bool(((numbers & kind(mask)) == kind(mask)).any())


def _slices(
    path: Path, start: int, kind: str, count: int, advance: Callable[[int], None] | None
) -> "Iterable[NDArray[np.void]]":
    import numpy as np

    width = np.dtype(kind).itemsize
    with path.open("rb") as file:
        file.seek(start)
        while count:
            taken = min(count, max(1, SLICE_BYTES // width))
            raw = np.fromfile(file, kind, taken)
            if len(raw) != taken:
                raise _cut(path, "")
            if advance:
                advance(taken * width)
            yield raw
            count -= taken


def _not_a_number(path: Path, name: str) -> IntegrityError:
    return IntegrityError(
        t(
            "{path} holds weights that are no numbers (NaN or infinite) in {name}: the model is "
            "damaged or was badly converted; take another copy.",
            "{path} contient des poids qui ne sont pas des nombres (NaN ou infinis) dans {name} : "
            "le modèle est abîmé ou a été mal converti ; prenez-en une autre copie.",
            path=path,
            name=name[:120],
        )
    )


def _cut(path: Path, name: str) -> IntegrityError:
    return IntegrityError(
        t(
            "{path} is cut or damaged at its tensor {name}: copy it again.",
            "{path} est coupé ou abîmé à son tenseur {name} : recopiez-le.",
            path=path,
            name=name[:120],
        )
    )
