"""RKNN recipes: an encoder compiled for a Rockchip NPU, with all that a host needs to run it.

    model.rknn        the graph, its weights, and the commands of the chip
    tokenizer.json    the texts' tokens
    artefact.json     chip, version, shapes, delegation, hashes

Of chat models there are none: RKLLM, which makes them, is no package.
"""

import shutil
from pathlib import Path
from typing import Any

import msgspec

from edge_slm.errors import EdgeSlmError
from edge_slm.i18n import t
from edge_slm_quantize.npu import manifest, rknn_build, rknn_home, rknn_table
from edge_slm_quantize.npu.delegation import Delegation
from edge_slm_quantize.npu.graphs import BLOCKED
from edge_slm_quantize.records import Artefact, Order
from edge_slm_quantize.sources.to_hf import to_hf

MODEL = "model.rknn"
# Below, scales rest on little. A guess: no figure was taken with fewer texts.
_FEW = 24


def make(order: Order, folder: Path) -> Artefact:
    """Compile an order's source for its target's NPU.

    Args:
        order: recipe rknn-fp16 or rknn-w8a8; task embed.
        folder: empty; the artefact is the folder itself.

    Raises:
        MissingError: the toolkit's environment is not made, or a package is not installed.
        UsageError: the model or the target is not of a kind that can be compiled.
        EdgeSlmError: the toolkit fails.
    """
    npu = rknn_build.npu_of(order)
    rknn_home.require()  # before the graph is made, which takes longer
    about = rknn_build.graph(order).about
    built = rknn_build.build(order, folder / MODEL)
    if not built.layers:
        raise EdgeSlmError(
            t(
                "rknn-toolkit2 {version} prints no table of layers: it is not the version that "
                "packaging/rknn pins.",
                "rknn-toolkit2 {version} n'affiche pas de table des couches : ce n'est pas la "
                "version que fixe packaging/rknn.",
                version=built.version,
            )
        )
    shutil.copyfile(
        to_hf(order.source, Path(order.folder)) / "tokenizer.json", folder / "tokenizer.json"
    )
    found = rknn_table.delegation(built.layers)
    details: dict[str, Any] = {
        "platform": npu.platform,
        "versions": {"rknn-toolkit2": built.version},
        "shapes": {
            "encoder": {
                "inputs": {name: (1, npu.sequence) for name in ("input_ids", "attention_mask")}
            }
        },
        "delegation": {"encoder": {"share": rknn_table.share(found), **msgspec.to_builtins(found)}},
        "difference_from_transformers": about.difference,
        "pooling": about.pooling,
        "window": npu.sequence,
        "blocked": BLOCKED,
    }
    manifest.write(order, "rknn", folder, details)
    return Artefact(
        recipe=order.recipe,
        format="rknn",
        path=".",
        bytes=sum(one.stat().st_size for one in folder.iterdir()),
        bits_per_weight=8 * (folder / MODEL).stat().st_size / max(1, order.source.parameters),
        types=rknn_table.types(built.layers),
        fallbacks=_fallbacks(order, found),
        call_seconds=built.build_seconds,
        details=details,
    )


def _fallbacks(order: Order, found: Delegation) -> tuple[str, ...]:
    said = []
    if found.nodes.get(rknn_table.CPU):
        said.append(
            t(
                "{n} of {all} layers run on the NPU, in {islands} parts; the others on the CPU "
                "({what}).",
                "{n} couches sur {all} tournent sur le NPU, en {islands} parties ; les autres sur "
                "le processeur ({what}).",
                n=found.nodes.get(rknn_table.NPU, 0),
                all=sum(found.nodes.values()),
                islands=found.islands,
                what=", ".join(f"{one.operation} × {one.nodes}" for one in found.fallen[:5]),
            )
        )
    if order.recipe == "rknn-w8a8":
        said += manifest.few_texts(order, _FEW)
    return tuple(said)
