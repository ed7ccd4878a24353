"""A16W8: 16-bit activations, 8-bit weights, as QuantizeLinear/DequantizeLinear pairs for QNN.

The scales come from calibration (the least and the largest value seen). Eight-bit activations
destroy encoders and chat models alike (cosine 0.84, measured on MiniLM); sixteen do not.
Overrides, each of which the compiler or the quality asks for:

- LayerNormalization's gamma: unsigned 8 bits; signed is refused beside 16-bit activations;
- constants of elementwise operations (norms' weights, positions): unsigned 16 bits;
- tables of embeddings: unsigned 8 bits; other weights: signed 8 bits, symmetric, and, where
  `per_channel`, a scale for each output.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from edge_slm.files import replacing
from edge_slm_quantize.extra import need
from edge_slm_quantize.npu.feeds import Feed
from edge_slm_quantize.onnx.quiet import quiet
from edge_slm_quantize.onnx.static import calibration_reader

_ELEMENTWISE = ("Mul", "Add", "Sub", "Div", "Pow", "Sqrt")


def prepare(graph: Path, path: Path) -> None:
    """Fuse a graph's layer norms and activations as QNN's own tools do.

    Args:
        graph: a simplified fp32 graph.
        path: where to write it.
    """
    preprocess = need("onnxruntime.quantization.execution_providers.qnn").qnn_preprocess_model
    onnx = need("onnx")
    with replacing(path) as part, quiet():
        if not preprocess(str(graph), str(part), fuse_layernorm=True):
            onnx.save(onnx.load(str(graph)), str(part))


def quantise(graph: Path, feeds: Sequence[Feed], path: Path) -> None:
    """Write the A16W8 version of a graph.

    Args:
        graph: a prepared fp32 graph.
        feeds: calibration inputs, each for one run.
        path: the ONNX file to write; it appears whole or not at all.
    """
    quantization = need("onnxruntime.quantization")
    qnn = need("onnxruntime.quantization.execution_providers.qnn")
    kinds = quantization.QuantType
    with quiet():
        config = qnn.get_qnn_qdq_config(
            str(graph),
            calibration_reader(feeds),
            activation_type=kinds.QUInt16,
            weight_type=kinds.QInt8,
            per_channel=True,
            weight_symmetric=True,
            init_overrides=overrides(graph),
            calibration_providers=["CPUExecutionProvider"],
        )
        with replacing(path) as part:
            quantization.quantize(str(graph), str(part), config)


def overrides(graph: Path) -> dict[str, list[dict[str, Any]]]:
    """Return the types of a graph's constants that are not the default, by their names."""
    onnx = need("onnx")
    kinds = need("onnxruntime.quantization").QuantType
    model = onnx.load(str(graph))
    floats = {
        one.name: len(one.dims)
        for one in model.graph.initializer
        if one.data_type == onnx.TensorProto.FLOAT
    }
    found: dict[str, list[dict[str, Any]]] = {}
    for node in model.graph.node:
        for place, name in enumerate(node.input):
            if floats.get(name):
                kind = _kind(node.op_type, place, kinds)
                if kind is not None:
                    found[name] = [kind]
    return found


def _kind(operation: str, place: int, kinds: Any) -> dict[str, Any] | None:
    if operation in _ELEMENTWISE:
        return {"quant_type": kinds.QUInt16, "symmetric": False}
    if operation == "Gather" or (operation == "LayerNormalization" and place == 1):
        return {"quant_type": kinds.QUInt8, "symmetric": False}
    if operation == "MatMul" and place == 1:
        return {"quant_type": kinds.QInt8, "symmetric": True, "axis": 1}
    return None
