"""ONNX graphs: read, write, find weights, count how they are kept.

A matrix that a model uses twice, as table of its tokens and as last layer, stands twice in what
torch exports. `tie` keeps it once, behind a Transpose; `untie` gives it back to those quantisers
that only see weights which are given to a MatMul as they are. It runs nothing.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from edge_slm.errors import EdgeSlmError, MissingError
from edge_slm.i18n import t
from edge_slm_quantize.extra import need

# Protocol buffers hold at most 2 GiB (protobuf.dev, “Proto Limits”): beyond, weights lie beside.
PROTOBUF_BYTES = 2**31 - 1
_GRAPH_BYTES = 64_000_000
# Nodes that tell how a graph computes; the rest is shapes and sums.
TOLD = (
    *("MatMul", "Gemm", "Conv", "Gather", "MatMulInteger", "ConvInteger", "DynamicQuantizeLinear"),
    *("QLinearMatMul", "QLinearConv", "QuantizeLinear", "DequantizeLinear", "MatMulNBits"),
    *("GatherBlockQuantized", "DynamicQuantizeMatMul", "MatMulIntegerToFloat"),
)
_PACKED = {"MatMulNBits": 1, "GatherBlockQuantized": 0}  # which input is packed into bytes


def load(path: Path) -> Any:
    """Return the `ModelProto` of a file, with its weights.

    Raises:
        MissingError: the file or onnx is not there.
        EdgeSlmError: it is no ONNX file.
    """
    onnx = need("onnx")
    message = need("google.protobuf.message")
    try:
        return onnx.load(str(path))
    except FileNotFoundError as error:
        raise MissingError(
            t("{path} does not exist.", "{path} n'existe pas.", path=error.filename or path)
        ) from error
    except (message.DecodeError, onnx.checker.ValidationError, ValueError) as error:
        raise EdgeSlmError(
            t(
                "{path} is no ONNX file that can be read: make it again.",
                "{path} n'est pas un fichier ONNX lisible : refaites-le.",
                path=path,
            )
        ) from error


def save(model: Any, path: Path) -> None:
    """Write a model; its weights go to a file beside it where they pass 2 GiB."""
    onnx = need("onnx")
    # ByteSize itself fails beyond the limit; the graph without weights is a few megabytes.
    if shares([model])[1] + _GRAPH_BYTES > PROTOBUF_BYTES:
        onnx.save(model, str(path), save_as_external_data=True, location=path.name + "_data")
    else:
        onnx.save(model, str(path))


def graphs(graph: Any) -> Iterator[Any]:
    """Yield a graph and those within its nodes (If, Loop)."""
    yield graph
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("g"):
                yield from graphs(attribute.g)


def initialisers(model: Any) -> dict[str, Any]:
    """Return the weights of a model and of the graphs within it, by name."""
    return {one.name: one for graph in graphs(model.graph) for one in graph.initializer}


def weighted(model: Any, kind: str = "MatMul") -> list[tuple[Any, Any]]:
    """Return (node, weight) of the nodes of a kind that multiply by a weight."""
    known = initialisers(model)
    pairs = []
    for graph in graphs(model.graph):
        for node in graph.node:
            names = [name for name in node.input if name in known]
            if node.op_type == kind and names:
                pairs.append((node, known[names[0]]))
    return pairs


def floating(model: Any) -> list[tuple[Any, Any]]:
    """Return (node, weight) of the MatMul and Gemm nodes whose weight is a matrix of floats.

    A weight that reaches its node through a Transpose counts, one through DequantizeLinear does
    not: that node is computed in integers.
    """
    onnx = need("onnx")
    known = initialisers(model)
    all_nodes = [node for one in graphs(model.graph) for node in one.node]
    behind = {
        node.output[0]: known[node.input[0]]
        for node in all_nodes
        if node.op_type == "Transpose" and node.input[0] in known
    }
    weights = known | behind
    return [
        (node, weights[node.input[1]])
        for node in all_nodes
        if node.op_type in ("MatMul", "Gemm")
        and node.input[1] in weights
        and len(weights[node.input[1]].dims) > 1
        and weights[node.input[1]].data_type == onnx.TensorProto.FLOAT
    ]


def named(model: Any, *parts: str) -> list[str]:
    """Return the names of the MatMul nodes whose name has one of the parts in it."""
    return [
        node.name
        for graph in graphs(model.graph)
        for node in graph.node
        if node.op_type == "MatMul" and any(part in node.name for part in parts)
    ]


def tie(model: Any) -> int:
    """Keep once what stands twice: as a table and, transposed, as the weight of a MatMul.

    Returns:
        how many weights were taken out.
    """
    onnx = need("onnx")
    graph = model.graph
    tables = [weight for _, weight in weighted(model, "Gather") if len(weight.dims) == 2]
    taken = 0
    for weight in [one for one in graph.initializer if len(one.dims) == 2]:
        twin = next((one for one in tables if transposed(one, weight)), None)
        if twin is None:
            continue
        node = onnx.helper.make_node(
            "Transpose", [twin.name], [weight.name], f"{weight.name}_tied", perm=[1, 0]
        )
        graph.node.insert(0, node)
        graph.initializer.remove(weight)
        taken += 1
    return taken


def untie(model: Any) -> int:
    """Replace each Transpose of a weight by the transposed weight.

    Returns:
        how many were replaced.
    """
    onnx = need("onnx")
    graph = model.graph
    known = {one.name: one for one in graph.initializer}
    found = [one for one in graph.node if one.op_type == "Transpose" and one.input[0] in known]
    for node in found:
        axes = next((list(one.ints) for one in node.attribute if one.name == "perm"), None)
        values = onnx.numpy_helper.to_array(known[node.input[0]]).transpose(axes)
        graph.initializer.append(
            onnx.numpy_helper.from_array(np.ascontiguousarray(values), node.output[0])
        )
        graph.node.remove(node)
    prune(model)
    return len(found)


def prune(model: Any) -> None:
    """Take out the weights that no node uses."""
    used = {name for graph in graphs(model.graph) for node in graph.node for name in node.input}
    used |= {one.name for graph in graphs(model.graph) for one in graph.output}
    for graph in graphs(model.graph):
        for weight in [one for one in graph.initializer if one.name not in used]:
            graph.initializer.remove(weight)


def shares(models: list[Any]) -> tuple[dict[str, float], int]:
    """Return the share of the weights' bytes that each ONNX type takes, and all their bytes.

    What MatMulNBits and GatherBlockQuantized keep packed in bytes counts as the integers it holds.
    """
    onnx = need("onnx")
    taken: Counter[str] = Counter()
    for model in models:
        packed = _packed(model)
        for name, weight in initialisers(model).items():
            kind = onnx.TensorProto.DataType.Name(weight.data_type).lower()
            taken[packed.get(name, kind)] += bytes_of(weight)
    total = sum(taken.values())
    return {kind: round(count / total, 6) for kind, count in taken.most_common() if count}, total


def bytes_of(weight: Any) -> int:
    """Return the bytes of a `TensorProto`, wherever its data lie."""
    onnx = need("onnx")
    count = int(np.prod(list(weight.dims), dtype=np.int64))
    if weight.data_type in (onnx.TensorProto.INT4, onnx.TensorProto.UINT4):
        return (count + 1) // 2
    return count * int(onnx.helper.tensor_dtype_to_np_dtype(weight.data_type).itemsize)


def census(models: list[Any]) -> dict[str, int]:
    """Return how many nodes there are of the kinds that tell how a graph computes (`TOLD`)."""
    found = Counter(
        node.op_type for model in models for graph in graphs(model.graph) for node in graph.node
    )
    return {kind: found[kind] for kind in TOLD if found[kind]}


def _packed(model: Any) -> dict[str, str]:
    """Return, of weights whose bytes hold narrower numbers, what they hold."""
    kept = {}
    for graph in graphs(model.graph):
        for node in graph.node:
            if node.op_type in _PACKED:
                bits = next((one.i for one in node.attribute if one.name == "bits"), 4)
                kept[node.input[_PACKED[node.op_type]]] = f"int{bits}"
    return kept


def transposed(table: Any, weight: Any) -> bool:
    """Tell whether a weight is a table, transposed."""
    if list(table.dims) != list(weight.dims)[::-1] or table.data_type != weight.data_type:
        return False
    to_array = need("onnx").numpy_helper.to_array
    return bool(np.array_equal(to_array(table), to_array(weight).T))
