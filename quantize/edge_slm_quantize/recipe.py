"""Recipes: what can be made of a model, by name.

    Q4_K_M                                   a GGUF file type of llama.cpp
    Q4_K_M+imatrix                           weighted by an importance matrix
    Q4_0+imatrix+ffn_down=Q6_K+output=Q8_0   types of some tensors set apart, by part of their name
    onnx-int8-dynamic, onnx-int4…            onnxruntime
    ct2-int8, ct2-float16…                   CTranslate2
    qnn-a16w8, rknn-fp16…                    compiled for an NPU

A name never holds a comma, so that a list of names is separated by commas.
"""

import difflib
import re
from typing import Literal, get_args

import msgspec

from edge_slm.errors import UsageError
from edge_slm.i18n import t

Format = Literal["gguf", "onnx", "ctranslate2", "qnn", "rknn"]
Task = Literal["chat", "embed", "speech", "translate"]
TASKS: tuple[Task, ...] = get_args(Task)

# The smallest last. Names of llama.cpp's `llama_ftype` (llama.h); f16 keeps what the source has.
GGUF = ("F16", "Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M", "Q4_0", "IQ4_XS", "Q3_K_M", "Q2_K")
ONNX = (
    "onnx-fp32",
    "onnx-int8-dynamic",
    "onnx-int8-dynamic-all",
    "onnx-int8-static",
    "onnx-int8",
    "onnx-int4",
)
CT2 = ("ct2-float16", "ct2-int8", "ct2-int8_float32")
QNN = ("qnn-fp16", "qnn-a16w8")
RKNN = ("rknn-fp16", "rknn-w8a8")
_FORMATS: dict[str, Format] = {
    **dict.fromkeys(GGUF, "gguf"),
    **dict.fromkeys(ONNX, "onnx"),
    **dict.fromkeys(CT2, "ctranslate2"),
    **dict.fromkeys(QNN, "qnn"),
    **dict.fromkeys(RKNN, "rknn"),
}
_FOLDED = {name.lower(): name for name in _FORMATS}
_PATTERN = re.compile(r"[a-z0-9_.]{1,60}")
# Types that one tensor may be given (`ggml_type`), in the files that CPUs and Hexagon read.
TENSOR_TYPES = (
    *("F32", "F16", "BF16", "Q8_0", "Q6_K", "Q5_K", "Q5_1", "Q5_0", "Q4_K", "Q4_1", "Q4_0"),
    *("IQ4_NL", "IQ4_XS", "Q3_K", "Q2_K"),
)


class Recipe(msgspec.Struct, frozen=True, kw_only=True):
    """One way to shrink a model.

    name: as a user types it, in its canonical writing; `base` its first part.
    format: what it makes.
    imatrix: whether an importance matrix weighs the rounding (GGUF only).
    overrides: (part of a tensor's name, type) pairs, the first that fits wins (GGUF only).
    """

    name: str
    base: str
    format: Format
    imatrix: bool = False
    overrides: tuple[tuple[str, str], ...] = ()

    @property
    def slug(self) -> str:
        """The name as that of a folder or the end of an id: lowercase, no plus or equals sign."""
        return re.sub(r"[^a-z0-9._-]+", "-", self.name.lower())


def parse(name: str) -> Recipe:
    """Read a recipe's name.

    Raises:
        UsageError: there is no such recipe; it names the nearest.
    """
    first, *rest = name.strip().split("+")
    base = _FOLDED.get(first.lower())
    if base is None:
        raise UsageError(_unknown(first))
    imatrix = False
    overrides: list[tuple[str, str]] = []
    for part in rest:
        pattern, equals, kind = part.partition("=")
        if part.lower() == "imatrix":
            imatrix = True
        elif equals and _PATTERN.fullmatch(pattern) and kind.upper() in TENSOR_TYPES:
            overrides.append((pattern, kind.upper()))
        else:
            raise UsageError(_bad_part(part, name))
    if (imatrix or overrides) and _FORMATS[base] != "gguf":
        raise UsageError(_bad_part(rest[0], name))
    canonical = "+".join([base, *["imatrix"][:imatrix], *(f"{a}={b}" for a, b in overrides)])
    return Recipe(
        name=canonical,
        base=base,
        format=_FORMATS[base],
        imatrix=imatrix,
        overrides=tuple(overrides),
    )


def parse_list(names: str) -> list[Recipe]:
    """Read names separated by commas, each recipe once.

    Raises:
        UsageError: one is no recipe, or there is none.
    """
    found = [parse(name) for name in names.split(",") if name.strip()]
    if not found:
        raise UsageError(
            t(
                "No recipe is named; there are: {names}.",
                "Aucune recette n'est nommée ; il y a : {names}.",
                names=", ".join(_FORMATS),
            )
        )
    return list(dict.fromkeys(found))


def _unknown(name: str) -> str:
    near = difflib.get_close_matches(name.lower(), _FOLDED, n=3, cutoff=0.5)
    return t(
        "There is no recipe {name}; there are: {names}.",
        "Il n'y a pas de recette {name} ; il y a : {names}.",
        name=name or "''",
        names=", ".join([_FOLDED[one] for one in near] or list(_FORMATS)),
    )


def _bad_part(part: str, name: str) -> str:
    return t(
        "{part} in the recipe {name} is not understood: after a GGUF type may come +imatrix and "
        "+NAME=TYPE, as in Q4_0+imatrix+ffn_down=Q6_K.",
        "{part} n'est pas compris dans la recette {name} : après un type GGUF peuvent venir "
        "+imatrix et +NOM=TYPE, comme dans Q4_0+imatrix+ffn_down=Q6_K.",
        part=part or "''",
        name=name,
    )
