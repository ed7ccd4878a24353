"""How large a recipe's files will be, before anything is made.

GGUF: from the tensors' shapes and the types that llama.cpp gives them (src/llama-quant.cpp:
`llama_tensor_get_type_impl` and, for rows that are no multiple of 256, `tensor_type_fallback`).
Other formats: bits a weight that were measured. It reads headers only, and knows no quality.
"""

import json
import math
import re
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from edge_slm.errors import IntegrityError
from edge_slm.gguf_layout import read_layout
from edge_slm_quantize.recipe import Recipe
from edge_slm_quantize.records import Source

Shapes = Mapping[str, tuple[int, ...]]  # the length of a row first

# Bytes and weights of a block: ggml-common.h.
BLOCKS: dict[str, tuple[int, int]] = {
    **{"F32": (4, 1), "F16": (2, 1), "BF16": (2, 1), "Q8_0": (34, 32), "Q5_1": (24, 32)},
    **{"Q5_0": (22, 32), "Q4_1": (20, 32), "Q4_0": (18, 32), "IQ4_NL": (18, 32)},
    **{"Q6_K": (210, 256), "Q5_K": (176, 256), "Q4_K": (144, 256), "Q3_K": (110, 256)},
    **{"Q2_K": (84, 256), "IQ4_XS": (136, 256)},
}
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
# Bits a weight of embeddings and of the other matrices: MiniLM and SmolLM2, quantised so.
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
MOST_HEADER = 100_000_000  # bytes; the format's own limit of a safetensors header


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
    """
    path = Path(source.path)
    if source.format == "gguf":
        layout = read_layout(path)
        taken = sum(tensor.size for tensor in layout.tensors.values())
        shapes = {name: tensor.shape for name, tensor in layout.tensors.items()}
        return Weights(shapes, path.stat().st_size - taken)
    if source.format == "safetensors":
        found: dict[str, tuple[int, ...]] = {}
        for file in sorted(path.glob("*.safetensors")):
            found |= _safetensors(file)
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
    # Exporters duplicate, fold and pack as they please: sizes are known within a third.
    return Expected(size, int(0.7 * size))


def _gguf(recipe: Recipe, shapes: Shapes) -> int:
    tied = not any(_part(name) == "head" for name in shapes)
    total = 0.0
    for name, shape in shapes.items():
        for kind, share in _types(recipe, name, shape, tied):
            size, weights = BLOCKS[kind]
            total += share * math.prod(shape) * size / weights
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
    return "Q8_0" if base == "Q8_0" or row % BLOCKS[base][1] else _fitting("Q6_K", row)


def _fitting(kind: str, row: int) -> str:
    if row % BLOCKS[kind][1]:
        kind = _FALLBACK.get(kind, kind)
    return "F16" if row % BLOCKS[kind][1] else kind


def _part(name: str) -> str:
    return next((part for part, pattern in _PARTS if pattern.search(name)), "")


def _bits(kind: str) -> float:
    size, weights = BLOCKS[kind]
    return 8 * size / weights


def _safetensors(path: Path) -> dict[str, tuple[int, ...]]:
    """Read the shapes of a file; format: huggingface/safetensors, README, “Format”."""
    try:
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            if length > MOST_HEADER:
                raise ValueError("header")
            header = json.loads(file.read(length))
        return {
            name: tuple(reversed([int(x) for x in one["shape"]]))
            for name, one in header.items()
            if name != "__metadata__"
        }
    except (OSError, ValueError, struct.error, TypeError, KeyError, AttributeError) as error:
        raise damaged(path) from error


def damaged(path: Path) -> IntegrityError:
    """Return the error of a file of weights whose header cannot be read."""
    from edge_slm.i18n import t

    return IntegrityError(
        t(
            "{path} is not a whole safetensors file: copy it again.",
            "{path} n'est pas un fichier safetensors entier : copiez-le de nouveau.",
            path=path,
        )
    )
