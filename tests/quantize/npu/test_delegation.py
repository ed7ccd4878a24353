"""The delegation report says what runs where, and why not."""

from pathlib import Path

import pytest

from edge_slm_quantize.npu import delegation, qnn_session
from edge_slm_quantize.npu.delegation import Delegation, Fallen
from edge_slm_quantize.npu.qnn_session import PROVIDER
from edge_slm_quantize.records import Npu

onnx = pytest.importorskip("onnx", reason="the extra quantize is not installed")

V73 = Npu(backend="qnn", soc_model=60, htp_arch=73)
V68 = Npu(backend="qnn", soc_model=30, htp_arch=68)


def a_graph(path: Path, length: int | str) -> Path:
    """Write x [1, length, 8] -> MatMul -> Sigmoid -> y, in float32."""
    import numpy as np
    from onnx import TensorProto, helper, numpy_helper

    weights = numpy_helper.from_array(np.eye(8, dtype=np.float32), "w")
    graph = helper.make_graph(
        [
            helper.make_node("MatMul", ["x", "w"], ["a"], "product"),
            helper.make_node("Sigmoid", ["a"], ["y"], "curve"),
        ],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, length, 8])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, length, 8])],
        [weights],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, path)
    return path


def test_a_static_graph_is_one_island(hexagon: None, tmp_path: Path) -> None:
    graph = a_graph(tmp_path / "g.onnx", 4)
    made = qnn_session.compile_graph(graph, V73, tmp_path / "out_ctx.onnx")
    found = delegation.report(graph, made.session, V73)
    assert made.strict
    assert found == Delegation({PROVIDER: 2}, {PROVIDER: 256}, 1)
    assert found.share == 1
    assert delegation.sentence("g", found) is None
    assert {one.name for one in tmp_path.glob("out_ctx*")} == {"out_ctx.onnx", "out_ctx_qnn.bin"}


def test_a_dimension_that_is_not_fixed_leaves_products_to_the_cpu(
    hexagon: None, tmp_path: Path
) -> None:
    graph = a_graph(tmp_path / "g.onnx", "length")
    made = qnn_session.compile_graph(graph, V73, tmp_path / "out_ctx.onnx")
    found = delegation.report(graph, made.session, V73)
    assert not made.strict
    assert found.share < 1
    assert found.bytes == {delegation.CPU: 256}
    assert "MatMul" in {one.operation for one in found.fallen}
    assert all("not fixed" in one.why for one in found.fallen)
    said = delegation.sentence("g", found)
    assert said and "MatMul × 1" in said


@pytest.mark.parametrize(
    ("operation", "facts", "npu", "said"),
    [
        ("GroupQueryAttention", (), V73, "no such operation"),
        ("MatMul", ("dynamic",), V73, "not fixed"),
        ("MatMul", ("floats",), V68, "v68 does not compute with floats"),
        ("MatMul", ("floats",), V73, "not known"),
        ("LayerNormalization", ("signed gamma",), V73, "signed 8-bit"),
    ],
)
def test_each_known_reason_has_its_sentence(
    operation: str, facts: tuple[str, ...], npu: Npu, said: str
) -> None:
    assert said in delegation.why(operation, facts, npu)


def test_a_report_in_french(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGE_SLM_LANG", "fr")
    found = Delegation({PROVIDER: 3, delegation.CPU: 1}, {}, 2, (Fallen("If", 1, ""),))
    said = delegation.sentence("lecture", found)
    assert said and "3 nœuds sur 4 tournent sur le NPU, en 2 parties" in said
