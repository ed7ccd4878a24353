"""Weights in int8, activations rounded while the model runs (MatMulInteger); nothing calibrated.

`plain` rounds everything that onnxruntime can, as its quantiser does unless told otherwise. On a
decoder that ruins the model: the inputs of the layers down_proj hold a few values a thousand times
larger than all others (M. Sun et al., “Massive Activations in Large Language Models”, 2024), and
the one scale of their rounding leaves nothing of the rest. `careful` leaves those and the last
layer in float32.
"""

from pathlib import Path
from typing import Any

from edge_slm_quantize.extra import need
from edge_slm_quantize.onnx import graph
from edge_slm_quantize.onnx.quiet import quiet

# Parts of the names of layers whose inputs hold massive activations, and of the last layer.
SPARED = ("down_proj", "lm_head")


def plain(source: Path, out: Path) -> None:
    """Round every weight that onnxruntime's quantiser rounds by default."""
    model = graph.load(source)
    graph.untie(model)
    _quantise(model, out)


def careful(source: Path, out: Path) -> None:
    """Round a decoder's matrices only, without those that `SPARED` names."""
    model = graph.load(source)
    spared = graph.named(model, *SPARED)
    _quantise(model, out, op_types_to_quantize=["MatMul"], nodes_to_exclude=spared)


def _quantise(model: Any, out: Path, **how: Any) -> None:
    quantization = need("onnxruntime.quantization")
    large = graph.shares([model])[1] > graph.PROTOBUF_BYTES
    # A decoder with two branches, with and without past, keeps its products in graphs within.
    within = len(list(graph.graphs(model.graph))) > 1
    with quiet():
        quantization.quantize_dynamic(
            model,
            str(out),
            per_channel=True,
            weight_type=quantization.QuantType.QInt8,
            use_external_data_format=large,
            extra_options={"EnableSubgraph": within},
            **how,
        )
