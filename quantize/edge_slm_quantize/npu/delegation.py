"""The delegation report: which nodes and weights run on the NPU, which on the CPU, and why.

onnxruntime gives a list of subgraphs, each with its back end. An island is one that runs on the
NPU: between two of them, everything goes through the host. The reasons are rules, from what QNN
is said to refuse; onnxruntime does not give its own.
"""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from edge_slm.i18n import t
from edge_slm_quantize.extra import need
from edge_slm_quantize.npu.qnn_session import PROVIDER
from edge_slm_quantize.onnx import graph
from edge_slm_quantize.records import Npu

CPU = "CPUExecutionProvider"
# Operations that QNN's provider does not list among those it translates (onnxruntime-qnn 2.7's
# documentation; `Attention` is its issue 646). They were not tried one by one: the reason that a
# report gives is what is likely. Which nodes fell to the CPU is onnxruntime's own word.
_UNKNOWN = frozenset(
    {
        *("MatMulInteger", "DynamicQuantizeLinear", "ConvInteger", "Attention", "Loop", "If"),
        *("GroupQueryAttention", "MultiHeadAttention", "SkipSimplifiedLayerNormalization"),
        *("SkipLayerNormalization", "EmbedLayerNormalization", "RotaryEmbedding", "Shape"),
        *("ConstantOfShape", "Range", "Trilu", "NonZero"),
    }
)
# Hexagon computes with floats from this generation on.
_FLOATS_FROM = 69


class Fallen(msgspec.Struct, frozen=True):
    """Nodes of one operation that are left to the CPU: how many, and why as far as is known."""

    operation: str
    nodes: int
    why: str


class Delegation(msgspec.Struct, frozen=True):
    """Where a graph's nodes run.

    nodes, bytes: by back end; bytes of initialisers, each counted once.
    islands: parts of the graph on the NPU; 1 is best.
    fallen: what is on the CPU, the most frequent first.
    """

    nodes: dict[str, int]
    bytes: dict[str, int]
    islands: int
    fallen: tuple[Fallen, ...] = ()

    @property
    def share(self) -> float:
        """Share of the nodes that run on the NPU, 0 to 1."""
        return self.nodes.get(PROVIDER, 0) / max(1, sum(self.nodes.values()))


def report(path: Path, session: Any, npu: Npu) -> Delegation:
    """Return where a session runs the nodes of its graph.

    Args:
        path: the ONNX file that the session was opened from.
        session: with `session.record_ep_graph_assignment_info` (qnn_session).
        npu: the chip.
    """
    model = graph.load(path)
    parts = list(session.get_provider_graph_assignment_info())
    where = {node.name: part.ep_name for part in parts for node in part.get_nodes()}
    operations = Counter(
        node.op_type for part in parts if part.ep_name != PROVIDER for node in part.get_nodes()
    )
    nodes: Counter[str] = Counter()
    for part in parts:
        nodes[part.ep_name] += len(part.get_nodes())
    facts = _facts(model)
    return Delegation(
        nodes=dict(nodes),
        bytes=_weights(model, where),
        islands=sum(part.ep_name == PROVIDER for part in parts),
        fallen=tuple(
            Fallen(name, number, why(name, facts, npu)) for name, number in operations.most_common()
        ),
    )


def _weights(model: Any, where: dict[str, str]) -> dict[str, int]:
    sizes = {one.name: graph.bytes_of(one) for one in model.graph.initializer}
    found: Counter[str] = Counter()
    for node in model.graph.node:
        # onnxruntime folds or renames some nodes before it shares them out.
        backend = where.get(node.name, "unknown")
        for name in node.input:
            found[backend] += sizes.pop(name, 0)
    return {backend: number for backend, number in found.items() if number}


def dynamic_inputs(model: Any) -> tuple[str, ...]:
    """Return the names of a model's inputs with a dimension that is not a number."""
    constants = {one.name for one in model.graph.initializer}
    return tuple(
        one.name
        for one in model.graph.input
        if one.name not in constants
        and any(not size.dim_value for size in one.type.tensor_type.shape.dim)
    )


def _facts(model: Any) -> frozenset[str]:
    kinds = {one.data_type for one in model.graph.initializer}
    operations = {node.op_type for node in model.graph.node}
    onnx = need("onnx")
    found = set()
    if dynamic_inputs(model):
        found.add("dynamic")
    if "QuantizeLinear" not in operations:
        found.add("floats")
    if onnx.TensorProto.INT8 in kinds and "LayerNormalization" in operations and _signed(model):
        found.add("signed gamma")
    return frozenset(found)


def _signed(model: Any) -> bool:
    int8 = need("onnx").TensorProto.INT8
    kinds = {one.name: one.data_type for one in model.graph.initializer}
    made = {name: node for node in model.graph.node for name in node.output}
    for node in model.graph.node:
        if node.op_type == "LayerNormalization":
            source = made.get(node.input[1])
            if source is not None and kinds.get(source.input[0]) == int8:
                return True
    return False


def why(operation: str, facts: Iterable[str], npu: Npu) -> str:
    """Return why QNN leaves an operation to the CPU, one sentence.

    Args:
        operation: its ONNX name.
        facts: of its graph: “dynamic”, “floats”, “signed gamma”.
        npu: the chip.
    """
    if operation in _UNKNOWN:
        return t("QNN has no such operation.", "QNN n'a pas cette opération.")
    if "dynamic" in facts:
        return t(
            "A dimension of the graph's inputs is not fixed.",
            "Une dimension des entrées du graphe n'est pas fixée.",
        )
    if "floats" in facts and (npu.htp_arch or 0) < _FLOATS_FROM:
        return t(
            "Hexagon v{arch} does not compute with floats: quantise the graph.",
            "Hexagon v{arch} ne calcule pas en flottants : quantifiez le graphe.",
            arch=npu.htp_arch,
        )
    if operation == "LayerNormalization" and "signed gamma" in facts:
        return t(
            "Its gamma is signed 8-bit, which QNN refuses beside 16-bit activations.",
            "Son gamma est en 8 bits signés, que QNN refuse avec des activations en 16 bits.",
        )
    return t("The reason is not known.", "La raison n'est pas connue.")


def sentence(name: str, found: Delegation) -> str | None:
    """Return what falls short of full delegation, for a report; None when nothing does."""
    if found.share == 1:
        return None
    return t(
        "{name}: {n} of {all} nodes run on the NPU, in {islands} parts; the others on the CPU "
        "({what}).",
        "{name} : {n} nœuds sur {all} tournent sur le NPU, en {islands} parties ; les autres sur "
        "le processeur ({what}).",
        name=name,
        n=found.nodes.get(PROVIDER, 0),
        all=sum(found.nodes.values()),
        islands=found.islands,
        what=", ".join(f"{one.operation} × {one.nodes}" for one in found.fallen[:5]),
    )
