"""The table of tensor types against the gguf package's and llama-cpp-python's."""

import ctypes

import gguf
import pytest

from edge_slm.engines.llama.model import library
from edge_slm_quantize.gguf.tensor_mirror import ggml
from edge_slm_quantize.gguf.types import NUMBERS, TYPES, bytes_of, name_of
from edge_slm_quantize.recipe import TENSOR_TYPES


@pytest.mark.parametrize("number", TYPES)
def test_every_type_is_that_of_the_gguf_package(number: int) -> None:
    kind = gguf.GGMLQuantizationType(number)
    assert TYPES[number] == (kind.name, *gguf.GGML_QUANT_SIZES[kind])


@pytest.mark.parametrize("name", TENSOR_TYPES)
def test_every_type_that_a_recipe_may_name_is_known_to_llama_cpp(name: str) -> None:
    base = ggml(library()).base
    base.ggml_type_name.restype = ctypes.c_char_p
    assert base.ggml_type_name(NUMBERS[name]).decode().upper() == name


def test_bytes_are_those_of_whole_blocks() -> None:
    assert bytes_of((64, 3), NUMBERS["Q4_0"]) == 3 * 2 * 18
    assert bytes_of((7,), NUMBERS["F32"]) == 28
    assert bytes_of((48, 3), NUMBERS["Q4_0"]) is None
    assert bytes_of((64, 3), 9999) is None
    assert name_of(9999) == "type-9999"
