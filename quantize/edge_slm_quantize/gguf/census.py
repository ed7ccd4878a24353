"""The real types of the tensors of a GGUF file: what a recipe made, whatever its name says.

llama.cpp falls back to another type where a row does not divide into blocks (`tensor_type_fallback`
of llama-quant.cpp), and its mixtures keep some tensors wider on purpose.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from math import prod

from edge_slm.gguf_layout import Layout, Tensor
from edge_slm.i18n import t
from edge_slm_quantize.gguf.types import NUMBERS, TYPES, Override, bytes_of, name_of

# By recipe, the types that its name announces (llama-quant.cpp, `llama_tensor_get_type_impl`): the
# first for most matrices, the others for those that are kept wider.
_MIXTURES: dict[str, tuple[str, ...]] = {
    "F16": ("F16",),
    "Q8_0": ("Q8_0",),
    "Q6_K": ("Q6_K",),
    "Q5_K_M": ("Q5_K", "Q6_K"),
    "Q4_K_M": ("Q4_K", "Q5_K", "Q6_K"),
    "Q4_0": ("Q4_0",),
    "IQ4_XS": ("IQ4_XS",),
    "Q3_K_M": ("Q3_K", "Q4_K", "Q5_K", "Q6_K"),
    "Q2_K": ("Q2_K", "Q3_K", "Q4_K", "Q6_K"),
}
_NAMED = 3  # tensors that a sentence names


def weight_bytes(tensor: Tensor) -> int:
    """Return a tensor's bytes, without padding where its type is known."""
    exact = bytes_of(tensor.shape, tensor.type)
    return tensor.size if exact is None else exact


def matrices(layout: Layout) -> dict[str, Tensor]:
    """Return the weights that are multiplied with; a table that is only looked up is not one.

    The embeddings count where there is no matrix of their own for the output: then they are it.
    """
    found = {name: one for name, one in layout.tensors.items() if _is_matrix(name, one)}
    if "output.weight" in found:
        found.pop("token_embd.weight", None)
    return found


def shares(layout: Layout) -> dict[str, float]:
    """Return the share of the weights' bytes by type, the largest first; they sum to 1."""
    room: Counter[str] = Counter()
    for one in layout.tensors.values():
        room[name_of(one.type)] += weight_bytes(one)
    total = room.total() or 1
    return {kind: count / total for kind, count in room.most_common()}


def bits_per_weight(layout: Layout) -> float:
    """Return 8 × bytes of all tensors over the number of their values."""
    values = sum(prod(one.shape) for one in layout.tensors.values())
    return 8 * sum(map(weight_bytes, layout.tensors.values())) / max(values, 1)


def fallbacks(layout: Layout, base: str, overrides: Sequence[Override] = ()) -> tuple[str, ...]:
    """Tell what is not as the recipe's name says, one sentence a reason.

    Args:
        layout: of the file that was made.
        base: the recipe's first part, such as “Q4_K_M”.
        overrides: as they were asked for.
    """
    found: dict[str, dict[str, Tensor]] = defaultdict(dict)
    weights = {name: one for name, one in layout.tensors.items() if _is_matrix(name, one)}
    for name, one in weights.items():
        if why := _departure(name, one, base, overrides):
            found[why][name] = one
    return tuple(_SENTENCES[why](found[why], len(weights)) for why in _SENTENCES if why in found)


def _is_matrix(name: str, tensor: Tensor) -> bool:
    return len(tensor.shape) > 1 and tensor.shape[1] > 1 and name.endswith("weight")


def _departure(name: str, tensor: Tensor, base: str, overrides: Sequence[Override]) -> str | None:
    """Return why a tensor's type is not what was asked for; None where it is."""
    asked = next((one.type for one in overrides if re.search(one.pattern, name)), None)
    wanted = (asked,) if asked else _MIXTURES[base]
    kind = name_of(tensor.type)
    if kind in wanted:
        return None
    block = TYPES[NUMBERS[wanted[0]]].block
    if tensor.shape[0] % block == 0:
        return "own"
    return "rows" if kind not in ("F16", "F32", "BF16") else "odd"


def _kinds(tensors: Mapping[str, Tensor]) -> str:
    return ", ".join(
        kind for kind, _ in Counter(name_of(x.type) for x in tensors.values()).most_common()
    )


def _rows(tensors: Mapping[str, Tensor], of: int) -> str:
    return t(
        "Matrices with a wider type because their rows are no multiple of 256: {count} of {of}, "
        "{kinds}.",
        "Matrices d'un type plus large, leurs lignes n'étant pas un multiple de 256 : {count} sur "
        "{of}, {kinds}.",
        count=len(tensors),
        of=of,
        kinds=_kinds(tensors),
    )


def _odd(tensors: Mapping[str, Tensor], of: int) -> str:
    return t(
        "Matrices not quantised because their rows are no multiple of 32: {count} of {of}, "
        "{kinds}.",
        "Matrices non quantifiées, leurs lignes n'étant pas un multiple de 32 : {count} sur {of}, "
        "{kinds}.",
        count=len(tensors),
        of=of,
        kinds=_kinds(tensors),
    )


def _own(tensors: Mapping[str, Tensor], of: int) -> str:
    named = [*list(tensors)[:_NAMED], *["…"][: len(tensors) > _NAMED]]
    return t(
        "Matrices with another type by llama.cpp's own mixture: {count} of {of}, {kinds} "
        "({names}).",
        "Matrices d'un autre type, d'après le mélange propre à llama.cpp : {count} sur {of}, "
        "{kinds} ({names}).",
        count=len(tensors),
        of=of,
        kinds=_kinds(tensors),
        names=", ".join(named),
    )


_SENTENCES = {"rows": _rows, "odd": _odd, "own": _own}
