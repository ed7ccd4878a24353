"""ggml's tensor as a ctypes structure, checked against the library that runs.

The structure is that of ggml.h as of the llama.cpp that llama-cpp-python 0.3.36 holds. ggml gives
no promise about it: before anything is read through it, a product of two tensors is built whose
fields are known, and what is read must be what the library says of it.
"""

import ctypes
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from edge_slm.errors import EdgeSlmError
from edge_slm.i18n import t


class Tensor(ctypes.Structure):
    """`struct ggml_tensor`: ne are sizes, the fastest first; nb are steps in bytes."""


Tensor._fields_ = [
    ("type", ctypes.c_int),
    ("buffer", ctypes.c_void_p),
    ("ne", ctypes.c_int64 * 4),
    ("nb", ctypes.c_size_t * 4),
    ("op", ctypes.c_int),
    ("op_params", ctypes.c_int32 * 16),
    ("flags", ctypes.c_int32),
    ("src", ctypes.POINTER(Tensor) * 10),
    ("view_src", ctypes.c_void_p),
    ("view_offs", ctypes.c_size_t),
    ("data", ctypes.c_void_p),
    ("name", ctypes.c_char * 64),
    ("extra", ctypes.c_void_p),
    ("padding", ctypes.c_char * 8),
]
_OBJECT = 32  # bytes that ggml_tensor_overhead() counts beside the tensor: struct ggml_object


class _Init(ctypes.Structure):
    """`struct ggml_init_params`."""

    _fields_ = (
        ("mem_size", ctypes.c_size_t),
        ("mem_buffer", ctypes.c_void_p),
        ("no_alloc", ctypes.c_bool),
    )


class Ggml(NamedTuple):
    """ggml's base library, and its number of the operation MUL_MAT."""

    base: Any
    product: int


@cache
def ggml(c: Any) -> Ggml:
    """Return ggml's base library, checked to hold tensors as `Tensor` does.

    Args:
        c: the module llama_cpp, which brings the library.
    Raises:
        EdgeSlmError: the library is not found, or holds tensors otherwise.
    """
    from llama_cpp._ctypes_extensions import load_shared_library

    try:
        base = load_shared_library("ggml-base", Path(c.__file__).parent / "lib")
        _declare(base)
        number = _product_number(base)
    except (OSError, RuntimeError, AttributeError, ValueError):
        number = None
    if number is None:
        raise EdgeSlmError(
            t(
                "This llama-cpp-python lays tensors out in another way than edge-slm knows, so no "
                "importance matrix can be computed: use recipes without +imatrix.",
                "Ce llama-cpp-python dispose les tenseurs autrement que edge-slm ne le sait : "
                "aucune matrice d'importance ne peut être calculée, prenez des recettes sans "
                "+imatrix.",
            )
        )
    return Ggml(base, number)


def _declare(base: Any) -> None:
    pointer, integer = ctypes.c_void_p, ctypes.c_int
    for name, result, arguments in (
        ("ggml_init", pointer, [_Init]),
        ("ggml_free", None, [pointer]),
        ("ggml_tensor_overhead", ctypes.c_size_t, []),
        ("ggml_new_tensor_2d", pointer, [pointer, integer, ctypes.c_int64, ctypes.c_int64]),
        ("ggml_mul_mat", pointer, [pointer, pointer, pointer]),
        ("ggml_set_name", pointer, [pointer, ctypes.c_char_p]),
        ("ggml_get_data", pointer, [pointer]),
        ("ggml_op_name", ctypes.c_char_p, [integer]),
        ("ggml_backend_buffer_is_host", ctypes.c_bool, [pointer]),
    ):
        function = getattr(base, name)
        function.restype, function.argtypes = result, arguments


def _product_number(base: Any) -> int | None:
    """Return the number of MUL_MAT; None where a product does not read as it was made."""
    if base.ggml_tensor_overhead() != ctypes.sizeof(Tensor) + _OBJECT:
        return None
    context = base.ggml_init(_Init(1 << 16, None, False))  # 64 KiB: three small tensors
    if not context:
        return None
    try:
        left = base.ggml_new_tensor_2d(context, 0, 64, 8)
        right = base.ggml_new_tensor_2d(context, 0, 64, 24)
        base.ggml_set_name(left, b"blk.0.left")
        product = Tensor.from_address(base.ggml_mul_mat(context, left, right))
        agrees = _reads(Tensor.from_address(left), base.ggml_get_data(left)) and (
            tuple(product.ne) == (8, 24, 1, 1)
            and product.type == 0
            and ctypes.addressof(product.src[0].contents) == left
            and ctypes.addressof(product.src[1].contents) == right
            and not product.src[2]
            and base.ggml_op_name(product.op) == b"MUL_MAT"
        )
        return int(product.op) if agrees else None
    finally:
        base.ggml_free(context)


def _reads(tensor: Tensor, data: int) -> bool:
    return bool(
        tuple(tensor.ne) == (64, 8, 1, 1)
        and tuple(tensor.nb) == (4, 256, 2048, 2048)
        and tensor.name == b"blk.0.left"
        and tensor.data == data
        and tensor.type == 0
    )
