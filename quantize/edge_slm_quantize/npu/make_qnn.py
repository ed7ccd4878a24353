"""QNN recipes: a model compiled for Hexagon, with all that a host needs to run it.

    encoder_ctx.onnx, encoder_ctx_qnn.bin      an encoder; a chat model has read_* and write_*
    tokenizer.json, sink.npz                   for texts; a chat model's first keys (sink.py)
    artefact.json                              chip, versions, shapes, delegation, hashes

A context binary is tied to the chip's generation and to the QAIRT version that made it.
"""

import shutil
import time
from pathlib import Path
from typing import Any

import msgspec

from edge_slm.errors import EdgeSlmError
from edge_slm.i18n import t
from edge_slm_quantize.npu import delegation, manifest, qnn_graphs, qnn_session, sink
from edge_slm_quantize.npu.delegation import Delegation
from edge_slm_quantize.npu.graphs import BLOCKED
from edge_slm_quantize.onnx import graph
from edge_slm_quantize.records import Artefact, Npu, Order

_KINDS = {"qnn-fp16": "fp32", "qnn-a16w8": "a16w8"}
# Below, scales rest on little. A guess: no figure was taken with fewer texts.
_FEW = 16


class Compiled(msgspec.Struct, frozen=True):
    """One graph of the artefact: its files, the shapes it takes and gives, where it runs."""

    context: str
    inputs: dict[str, tuple[int, ...]]
    outputs: dict[str, tuple[int, ...]]
    seconds: float
    delegation: Delegation


def make(order: Order, folder: Path) -> Artefact:
    """Compile an order's source for its target's NPU.

    Args:
        order: recipe qnn-fp16 or qnn-a16w8; task chat or embed.
        folder: empty; the artefact is the folder itself.

    Raises:
        MissingError: this machine does not compile for QNN.
        UsageError: the model or the target is not of a kind that can be compiled.
        EdgeSlmError: too large, or nothing of it is taken.
    """
    npu = qnn_graphs.npu_of(order)
    qnn_session.require()
    about = qnn_graphs.fp32(order)
    start = time.perf_counter()
    kind = _KINDS[order.recipe]
    if kind == "a16w8":
        qnn_graphs.quantised(order)
    compiled = {name: _compile(order, name, kind, npu, folder) for name in about.names}
    seconds = time.perf_counter() - start
    _copy(order, folder)
    types, weights = graph.shares([graph.load(qnn_graphs.graph(order, about.names[0], kind))])
    details = _details(order, npu, about, compiled)
    manifest.write(order, "qnn", folder, details)
    return Artefact(
        recipe=order.recipe,
        format="qnn",
        path=".",
        bytes=sum(one.stat().st_size for one in folder.rglob("*") if one.is_file()),
        bits_per_weight=8 * weights / order.source.parameters,
        types=types,
        fallbacks=_fallbacks(order, compiled),
        call_seconds=seconds,
        details=details,
    )


def _compile(order: Order, name: str, kind: str, npu: Npu, folder: Path) -> Compiled:
    path = qnn_graphs.graph(order, name, kind)
    context = folder / f"{name}_ctx.onnx"
    made = qnn_session.compile_graph(path, npu, context)
    found = delegation.report(path, made.session, npu)
    if not found.share or not context.is_file():
        raise EdgeSlmError(
            t(
                "QNN takes nothing of this graph for Hexagon v{arch}: {why}",
                "QNN ne prend rien de ce graphe pour Hexagon v{arch} : {why}",
                arch=npu.htp_arch,
                why=found.fallen[0].why if found.fallen else "",
            )
        )
    return Compiled(
        context.name,
        {one.name: tuple(one.shape) for one in made.session.get_inputs()},
        {one.name: tuple(one.shape) for one in made.session.get_outputs()},
        made.seconds,
        found,
    )


def _copy(order: Order, folder: Path) -> None:
    shutil.copyfile(qnn_graphs.hf_folder(order) / "tokenizer.json", folder / "tokenizer.json")
    if order.source.task == "chat":
        shutil.copyfile(qnn_graphs.folder_of(order) / sink.FILE, folder / sink.FILE)


def _details(
    order: Order, npu: Npu, about: qnn_graphs.About, compiled: dict[str, Compiled]
) -> dict[str, Any]:
    return {
        "soc_model": npu.soc_model,
        "htp_arch": npu.htp_arch,
        "versions": qnn_session.versions(),
        "shapes": {
            name: {"inputs": one.inputs, "outputs": one.outputs} for name, one in compiled.items()
        },
        "delegation": {name: _table(one.delegation) for name, one in compiled.items()},
        "contexts": {name: one.context for name, one in compiled.items()},
        "compile_seconds": {name: round(one.seconds, 2) for name, one in compiled.items()},
        "difference_from_transformers": about.difference,
        "pooling": about.pooling,
        "window": npu.sequence,
        "sink": npu.sink if order.source.task == "chat" else 0,
        "blocked": BLOCKED,
    }


def _table(found: Delegation) -> dict[str, Any]:
    return {"share": found.share, **msgspec.to_builtins(found)}


def _fallbacks(order: Order, compiled: dict[str, Compiled]) -> tuple[str, ...]:
    said = [delegation.sentence(name, one.delegation) for name, one in compiled.items()]
    if len(compiled) > 1:
        said.append(
            t(
                "The weights lie in it twice: once for reading, once for writing.",
                "Les poids s'y trouvent deux fois : pour lire, et pour écrire.",
            )
        )
    if order.recipe == "qnn-a16w8" and order.source.task == "embed":
        said += manifest.few_texts(order, _FEW)
    return tuple(one for one in said if one)
