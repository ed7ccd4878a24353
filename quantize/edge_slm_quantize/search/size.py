"""How large a recipe's files will be, before anything is made.

GGUF: from the tensors' shapes and the types that llama.cpp gives them (src/llama-quant.cpp:
`llama_tensor_get_type_impl` and, for rows that are no multiple of 256, `tensor_type_fallback`).
Other formats: roughly (`_BITS`). It reads headers only, and knows no quality.
"""

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from edge_slm.gguf_layout import read_layout
from edge_slm_quantize.gguf.types import NUMBERS, TYPES, Type
from edge_slm_quantize.recipe import Recipe
from edge_slm_quantize.records import Source
from edge_slm_quantize.sources.folder import shard_files
from edge_slm_quantize.sources.shards import read_header

Shapes = Mapping[str, tuple[int, ...]]  # the length of a row first

_FALLBACK = {
    **{"Q2_K": "Q4_0", "Q3_K": "Q4_0", "IQ4_XS": "IQ4_NL", "Q4_K": "Q5_0", "Q5_K": "Q5_1"},
    "Q6_K": "Q8_0",
}
_TYPE = {
    **{"F16": "F16", "Q8_0": "Q8_0", "Q6_K": "Q6_K", "Q5_K_M": "Q5_K", "Q4_K_M": "Q4_K"},
    **{"Q4_0": "Q4_0", "IQ4_XS": "IQ4_XS", "Q3_K_M": "Q3_K", "Q2_K": "Q2_K"},
}
# Types that parts of a layer get instead, for the recipes that have such; the share of the layers
# that do is left out: it is counted as if half of them did.
_RICHER = {
    ("Q5_K_M", "v"): ("Q6_K", 0.5),
    ("Q5_K_M", "down"): ("Q6_K", 0.5),
    ("Q4_K_M", "v"): ("Q6_K", 0.5),
    ("Q4_K_M", "down"): ("Q6_K", 0.5),
    ("Q3_K_M", "v"): ("Q4_K", 1.0),
    ("Q3_K_M", "down"): ("Q4_K", 1.0),
    ("Q3_K_M", "out"): ("Q4_K", 1.0),
    ("Q2_K", "v"): ("Q3_K", 1.0),
    ("Q2_K", "down"): ("Q3_K", 1.0),
    ("Q2_K", "out"): ("Q3_K", 1.0),
}
_PARTS = (
    ("v", re.compile(r"attn_v\.|\.v_proj\.|attention\.self\.value\.")),
    ("down", re.compile(r"ffn_down\.|\.down_proj\.|layer\.\d+\.output\.dense\.")),
    ("out", re.compile(r"attn_output\.|\.o_proj\.|attention\.output\.dense\.")),
    ("head", re.compile(r"^output\.weight|lm_head\.")),
    ("words", re.compile(r"token_embd\.|embed_tokens\.|word_embeddings\.|\.wte\.")),
    ("kept", re.compile(r"position_embd|token_types|position_embeddings|token_type_emb|norm")),
)
# Bits a weight of embeddings and of the other matrices. Rough guesses: the type's own bits, and for
# scales, graphs and what stays wider a little more, rounded after files of MiniLM and SmolLM2. What
# is left out because of them is left out on `least` only.
_BITS: dict[str, tuple[float, float]] = {
    "onnx-fp32": (32, 32),
    "onnx-int8-dynamic": (8, 8.3),
    "onnx-int8-dynamic-all": (8, 8.1),
    "onnx-int8-static": (8, 8.3),
    "onnx-int8": (32, 9),
    "onnx-int4": (32, 5),
    "ct2-float16": (16, 16),
    "ct2-int8": (8, 8.2),
    "ct2-int8_float32": (8, 8.2),
    "qnn-fp16": (16, 16),
    "qnn-a16w8": (16, 8.3),
    "rknn-fp16": (16, 16),
    "rknn-w8a8": (8, 8.5),
}


class Expected(NamedTuple):
    """Bytes of a recipe's files: as expected, and at least."""

    bytes: int
    least: int


class Weights(NamedTuple):
    """Shapes of a source's tensors by name, and bytes of all that is no weight."""

    shapes: Shapes
    rest: int


def weights_of(source: Source) -> Weights | None:
    """Read the shapes of a source; None where its format tells none.

    Raises:
        IntegrityError: a header is damaged.
        MissingError: a file is absent.
    """
    path = Path(source.path)
    if source.format == "gguf":
        layout = read_layout(path)
        taken = sum(tensor.size for tensor in layout.tensors.values())
        shapes = {name: tensor.shape for name, tensor in layout.tensors.items()}
        return Weights(shapes, path.stat().st_size - taken)
    if source.format == "safetensors":
        found = {
            name: one.shape[::-1]
            for file in shard_files(path)
            for name, one in read_header(file).items()
        }
        rest = [path / "tokenizer.json", path / "vocab.txt"]
        return Weights(found, sum(one.stat().st_size for one in rest if one.is_file()))
    return None


def expected(source: Source, recipe: Recipe, weights: Weights | None) -> Expected:
    """Return what a recipe's files will weigh.

    Args:
        source: the model.
        recipe: what would be made.
        weights: of `weights_of`; None counts all weights as matrices.
    """
    if recipe.format == "gguf" and weights:
        size = _gguf(recipe, weights.shapes)
        return Expected(size + weights.rest, int(0.95 * size))
    words, matrices = _BITS.get(recipe.base, (16.0, _bits(_TYPE.get(recipe.base, "F16"))))
    rows = (
        sum(math.prod(s) for n, s in weights.shapes.items() if _part(n) == "words")
        if weights
        else 0
    )
    size = int((rows * words + max(0, source.parameters - rows) * matrices) / 8)
    # Exporters duplicate, fold and pack as they please: nothing is left out within 30 %.
    return Expected(size, int(0.7 * size))


def _gguf(recipe: Recipe, shapes: Shapes) -> int:
    tied = not any(_part(name) == "head" for name in shapes)
    total = 0.0
    for name, shape in shapes.items():
        for kind, share in _types(recipe, name, shape, tied):
            total += share * math.prod(shape) * _bits(kind) / 8
    return int(total)


def _types(
    recipe: Recipe, name: str, shape: tuple[int, ...], tied: bool
) -> list[tuple[str, float]]:
    part = _part(name)
    # Vectors, norms and the small tables of places stay as they are.
    if len(shape) < 2 or part == "kept":
        return [("F32", 1.0)]
    for pattern, kind in recipe.overrides:
        if pattern in name:
            return [(_fitting(kind, shape[0]), 1.0)]
    base = _TYPE[recipe.base]
    if base == "F16":
        return [("F16", 1.0)]
    if part == "head" or (part == "words" and tied):
        return [(_head(base, shape[0]), 1.0)]
    richer, share = _RICHER.get((recipe.base, part), (base, 0.0))
    return [(_fitting(richer, shape[0]), share), (_fitting(base, shape[0]), 1 - share)]


def _head(base: str, row: int) -> str:
    return "Q8_0" if base == "Q8_0" or row % _type(base).block else _fitting("Q6_K", row)


def _fitting(kind: str, row: int) -> str:
    if row % _type(kind).block:
        kind = _FALLBACK.get(kind, kind)
    return "F16" if row % _type(kind).block else kind


def _part(name: str) -> str:
    return next((part for part, pattern in _PARTS if pattern.search(name)), "")


def _bits(kind: str) -> float:
    known = _type(kind)
    return 8 * known.size / known.block


def _type(kind: str) -> Type:
    return TYPES[NUMBERS[kind]]
