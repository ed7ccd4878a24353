"""Make one ONNX recipe of a source: export once, quantise, load the result, say what it holds.

The folder that comes of it is usable as it is: graphs, configuration, tokenizer, template.
"""

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from edge_slm.errors import UsageError
from edge_slm.i18n import decimal, t
from edge_slm_quantize.onnx import dynamic, graph, nbits, static
from edge_slm_quantize.onnx.export import companions, export, graphs_of, versions
from edge_slm_quantize.onnx.quiet import quiet
from edge_slm_quantize.onnx.sessions import session
from edge_slm_quantize.recipe import parse
from edge_slm_quantize.records import Artefact, Order, Source

Quantiser = Callable[[Path, Path], object]


def make(order: Order, folder: Path) -> Artefact:
    """Make what the order's recipe says, in an empty folder.

    Returns:
        the artefact; `path` is the name of a folder within `folder`.
    Raises:
        UsageError: the recipe is not for this kind of model, or the calibration text is too short.
        MissingError: a package of the extra is not installed.
        EdgeSlmError: what came of it does not load.
    """
    recipe = parse(order.recipe)
    quantiser = _quantiser(order, recipe.base)
    fp32 = export(order.source, hf_folder(order), Path(order.folder) / "shared")
    out = folder / f"{order.source.name}-{recipe.slug}"
    out.mkdir()
    seconds = 0.0
    for path in graphs_of(fp32):
        start = time.perf_counter()
        with quiet():
            quantiser(path, out / path.name)
        seconds += time.perf_counter() - start
        session(out / path.name, order.threads)  # quantisers write graphs that are none
    companions(fp32, out)
    return _artefact(order, fp32, out, seconds)


def hf_folder(order: Order) -> Path:
    """Return the source as a Hugging Face folder, made once a job where it is none."""
    from edge_slm_quantize.sources import ct2_whisper, to_hf

    change = ct2_whisper.to_hf if order.source.format == "ctranslate2" else to_hf.to_hf
    return change(order.source, Path(order.folder))


def _quantiser(order: Order, base: str) -> Quantiser:
    """Return what writes one graph as another, by recipe and task."""
    source = order.source
    chat = source.task == "chat"
    if base == "onnx-int8-static" and source.task not in ("chat", "embed"):
        raise UsageError(_not_static(source))
    found: dict[str, Quantiser] = {
        "onnx-fp32": _copy,
        "onnx-int8-dynamic": dynamic.careful if chat else dynamic.plain,
        "onnx-int8-dynamic-all": dynamic.plain,
        "onnx-int8-static": lambda path, out: static.quantise(
            path, out, order.texts.calibration, spare=chat
        ),
        "onnx-int8": lambda path, out: nbits.quantise(path, out, 8),
        "onnx-int4": lambda path, out: nbits.quantise(path, out, 4, table_bits=8),
    }
    return found[base]


def _copy(path: Path, out: Path) -> None:
    for one in path.parent.glob(f"{path.name}*"):  # with the weights beside it
        shutil.copyfile(one, out.parent / one.name)


def _artefact(order: Order, fp32: Path, out: Path, seconds: float) -> Artefact:
    models = [graph.load(path) for path in graphs_of(out)]
    shares, total = graph.shares(models)
    return Artefact(
        recipe=parse(order.recipe).name,
        format="onnx",
        path=out.name,
        bytes=sum(one.stat().st_size for one in out.rglob("*") if one.is_file()),
        bits_per_weight=round(8 * total / order.source.parameters, 4),
        types=shares,
        fallbacks=_fallbacks(order.recipe, models),
        call_seconds=round(seconds, 3),
        details={
            "files": {path.name: path.stat().st_size for path in graphs_of(out)},
            "nodes": graph.census(models),
            "opsets": _opsets(models),
            "versions": versions(),
            "fp32_bytes": sum(one.stat().st_size for one in fp32.glob("*.onnx*")),
        },
    )


def _fallbacks(recipe: str, models: list[Any]) -> tuple[str, ...]:
    """Say which products of matrices are computed in floats although the recipe promises less."""
    left = [pair for model in models for pair in graph.floating(model)]
    if recipe == "onnx-fp32" or not left:
        return ()
    total = graph.shares(models)[1]
    weights = {weight.name: graph.bytes_of(weight) for _, weight in left}
    names = ", ".join(dict.fromkeys(_layer(node.name) for node, _ in left))
    return (
        t(
            "{count} products of matrices stay in float32 ({names}): {share} % of the weights' "
            "bytes.",
            "{count} produits de matrices restent en float32 ({names}) : {share} % des octets des "
            "poids.",
            count=len(left),
            names=names,
            share=decimal(100 * sum(weights.values()) / total),
        ),
    )


def _layer(name: str) -> str:
    """Return “down_proj” of “/model/layers.3/mlp/down_proj/MatMul”."""
    parts = [part for part in name.split("/") if part]
    return parts[-2] if len(parts) > 1 else name


def _opsets(models: list[Any]) -> dict[str, int]:
    return {one.domain or "ai.onnx": one.version for model in models for one in model.opset_import}


def _not_static(source: Source) -> str:
    return t(
        "onnx-int8-static is for chat models and embedders, not for {name}, whose decoder writes "
        "token by token after a recording or a text: take onnx-int8-dynamic or onnx-int8.",
        "onnx-int8-static est pour les modèles de chat et d'encodage, pas pour {name}, dont le "
        "décodeur écrit jeton après jeton d'après un son ou un texte : prenez onnx-int8-dynamic ou "
        "onnx-int8.",
        name=source.name,
    )
