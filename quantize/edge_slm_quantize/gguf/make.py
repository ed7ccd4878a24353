"""Make a GGUF recipe: quantised by llama.cpp in this process, from the file as it lies on the disk.

    Q4_0+imatrix+ffn_down=Q6_K+output=Q8_0

“output” is the matrix that gives the logits: in a model that has none, the embeddings are it.
"""

import re
from pathlib import Path
from typing import Any

from edge_slm.errors import UsageError
from edge_slm.gguf_layout import Layout, read_layout
from edge_slm.i18n import t
from edge_slm_quantize.gguf import imatrix
from edge_slm_quantize.gguf.census import bits_per_weight, fallbacks, shares
from edge_slm_quantize.gguf.hexagon import hexagon_share
from edge_slm_quantize.gguf.quantise import quantise
from edge_slm_quantize.gguf.repack import repacked_shares
from edge_slm_quantize.gguf.source_file import source_gguf
from edge_slm_quantize.gguf.types import Override
from edge_slm_quantize.recipe import Recipe, parse
from edge_slm_quantize.records import Artefact, Order


def make(order: Order, folder: Path) -> Artefact:
    """Quantise the source as the recipe says; raises as `quantise` and `imatrix.matrix_of` do.

    Args:
        order: what is to be made.
        folder: empty; the file is written into it, and on failure nothing is.
    """
    recipe = parse(order.recipe)
    source = source_gguf(order)
    overrides = overrides_of(recipe, read_layout(source))
    matrix = imatrix.matrix_of(order, source) if recipe.imatrix else None
    path = folder / f"{re.sub(r'[^A-Za-z0-9._-]+', '-', order.source.name)}-{recipe.slug}.gguf"
    done = quantise(
        source,
        path,
        recipe.base,
        overrides=overrides,
        matrix=matrix.means() if matrix else None,
        threads=order.threads,
    )
    notes = fallbacks(done.layout, recipe.base, overrides)
    details: dict[str, Any] = {
        "hexagon": hexagon_share(done.layout)._asdict(),
        "repacked": repacked_shares(done.layout),
    }
    if matrix:
        details["imatrix"] = matrix.described()
        notes += imatrix.uncovered(matrix, done.layout)
    return Artefact(
        recipe=recipe.name,
        format="gguf",
        path=path.name,
        bytes=path.stat().st_size,
        bits_per_weight=bits_per_weight(done.layout),
        types=shares(done.layout),
        fallbacks=notes,
        call_seconds=done.seconds,
        details=details,
    )


def overrides_of(recipe: Recipe, layout: Layout) -> tuple[Override, ...]:
    """Return the recipe's overrides as patterns for llama.cpp, checked against the tensors.

    Raises:
        UsageError: one fits no matrix, or the recipe is F16, for which llama.cpp takes none.
    """
    if recipe.overrides and recipe.base == "F16":
        raise UsageError(
            t(
                "F16 takes no type for some tensors: start from Q8_0, as in Q8_0+output=F16.",
                "F16 ne prend pas de type pour certains tenseurs : partez de Q8_0, comme dans "
                "Q8_0+output=F16.",
            )
        )
    names = [name for name, one in layout.tensors.items() if len(one.shape) > 1]
    output = "output" if "output.weight" in layout.tensors else "token_embd"
    found = []
    for part, kind in recipe.overrides:
        whole = {"output": output, "token_embd": "token_embd"}.get(part)
        pattern = rf"^{whole}\.weight$" if whole else part.replace(".", r"\.")
        if not any(re.search(pattern, name) for name in names):
            raise UsageError(_fits_none(part, names))
        found.append(Override(pattern, kind))
    return tuple(found)


def _fits_none(part: str, names: list[str]) -> str:
    known = dict.fromkeys(
        name.removesuffix(".weight").split(".")[-1] for name in names if name.endswith(".weight")
    )
    return t(
        "No matrix has {part} in its name; there are: {names}.",
        "Aucune matrice n'a {part} dans son nom ; il y a : {names}.",
        part=part,
        names=", ".join(known),
    )
