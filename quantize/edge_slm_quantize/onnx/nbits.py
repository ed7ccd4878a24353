"""Weights in blocks of 32 of a row, 4 or 8 bits each, the rest in float32: MatMulNBits.

Activations are never rounded in the graph (onnxruntime may do so inside, `accuracy_level` 4). The
table of tokens goes the same way (GatherBlockQuantized), and where it is also the last layer both
read the same bytes. Nothing is calibrated: each block is rounded to its own smallest and largest
weight.
"""

from pathlib import Path
from typing import Any

import numpy as np

from edge_slm_quantize.extra import need
from edge_slm_quantize.onnx import graph

BLOCK = 32  # weights that share a scale and a zero point; GatherBlockQuantized takes 16 and more
# com.microsoft.MatMulNBits: 4 lets the kernel round activations to int8, 0 and 1 keep float32.
ACCURACY = 4


def quantise(source: Path, out: Path, bits: int, table_bits: int | None = None) -> None:
    """Write a model whose MatMul weights and tables have `bits` a weight.

    Args:
        source: the fp32 graph.
        out: the file to write.
        bits: 4 or 8.
        table_bits: of the table of tokens and of the last layer where it is the same matrix.
    """
    model = graph.load(source)
    graph.untie(model)
    table_bits = table_bits or bits
    tables = _tables(model)
    shared = _last_layers(model, [weight for _, weight in tables])
    model = _matrices(model, bits, [] if table_bits == bits else shared)
    if table_bits != bits and shared:
        model = _matrices(model, table_bits, [])
    for node, weight in tables:
        _table(model.graph, node, weight, table_bits)
    graph.prune(model)
    _opset(model)
    graph.save(model, out)


def _matrices(model: Any, bits: int, exclude: list[str]) -> Any:
    nbits = need("onnxruntime.quantization.matmul_nbits_quantizer")
    quantiser = nbits.MatMulNBitsQuantizer(
        model,
        bits=bits,
        block_size=BLOCK,
        is_symmetric=False,
        accuracy_level=ACCURACY,
        nodes_to_exclude=exclude,
        op_types_to_quantize=("MatMul",),
    )
    quantiser.process()
    return quantiser.model.model


def _tables(model: Any) -> list[tuple[Any, Any]]:
    """Return (node, weight) of the tables of tokens: float32 rows of whole blocks."""
    float32 = need("onnx").TensorProto.FLOAT
    known = {one.name: one for one in model.graph.initializer}
    found = [
        (node, known[node.input[0]])
        for node in model.graph.node
        if node.op_type == "Gather" and node.input[0] in known
    ]
    return [
        (node, weight)
        for node, weight in found
        if len(weight.dims) == 2
        and weight.dims[1] % BLOCK == 0
        and weight.data_type == float32
        and all(one.name != "axis" or one.i == 0 for one in node.attribute)
    ]


def _last_layers(model: Any, tables: list[Any]) -> list[str]:
    """Return the names of the MatMul nodes that multiply by a table, transposed."""
    return [
        node.name
        for node, weight in graph.weighted(model)
        if any(graph.transposed(table, weight) for table in tables)
    ]


def _table(found: Any, node: Any, weight: Any, bits: int) -> None:
    """Replace a Gather of a float table by one of blocks, which may be a last layer's."""
    onnx = need("onnx")
    nbits = need("onnxruntime.quantization.matmul_nbits_quantizer")
    config = nbits.DefaultWeightOnlyQuantConfig(block_size=BLOCK, is_symmetric=False, bits=bits)
    values = onnx.numpy_helper.to_array(weight)
    rows, width = values.shape
    packed, scales, zeros = nbits.DefaultWeightOnlyQuantizer(config).qbits_block_quant(
        np.ascontiguousarray(values.T)
    )
    names = [
        _kept(found, array, f"{weight.name}_{part}", shape)
        for array, part, shape in (
            (packed, f"Q{bits}", (rows, width * bits // 8)),
            (scales, "scales", (rows, width // BLOCK)),
            (zeros, "zeros", (rows, -(-(width // BLOCK) * bits // 8))),
        )
    ]
    new = onnx.helper.make_node(
        "GatherBlockQuantized",
        [names[0], node.input[1], names[1], names[2]],
        list(node.output),
        name=node.name,
        domain="com.microsoft",
        bits=bits,
        block_size=BLOCK,
        gather_axis=0,
        quantize_axis=1,
    )
    place = list(found.node).index(node)
    found.node.remove(node)
    found.node.insert(place, new)


def _kept(found: Any, values: np.ndarray, name: str, shape: tuple[int, ...]) -> str:
    """Return the name under which a weight of this shape can be read; it is stored once."""
    onnx = need("onnx")
    data = values.tobytes()
    twin = next((one for one in found.initializer if one.raw_data == data), None)
    if twin is None:
        weight = onnx.numpy_helper.from_array(np.ascontiguousarray(values.reshape(shape)), name)
        found.initializer.append(weight)
        return name
    if tuple(twin.dims) == shape:
        return str(twin.name)
    found.initializer.append(
        onnx.numpy_helper.from_array(np.array(shape, np.int64), f"{name}_shape")
    )
    found.node.insert(
        0, onnx.helper.make_node("Reshape", [twin.name, f"{name}_shape"], [name], f"{name}_view")
    )
    return name


def _opset(model: Any) -> None:
    if all(one.domain != "com.microsoft" for one in model.opset_import):
        model.opset_import.append(need("onnx").helper.make_opsetid("com.microsoft", 1))
