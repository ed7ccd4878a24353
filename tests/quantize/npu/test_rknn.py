"""RKNN recipes: the toolkit's table is read, orders are checked, its process is kept apart."""

import json
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_slm import paths
from edge_slm.errors import CrashError, EdgeSlmError, MissingError, UsageError
from edge_slm_quantize.npu import make_rknn, measure_rknn, rknn_build, rknn_home, rknn_table
from edge_slm_quantize.records import Artefact, Npu, Order
from tests.quantize.orders import an_order

ROCKCHIP = Npu(backend="rknn", platform="rk3588", sequence=16)


def _row(number: int, operation: str, kind: str, target: str, shapes: str) -> str:
    return (
        f"D RKNN: [17:29:01.809] {number:<4} {operation:<18} {kind:<8} {target:<6} {shapes:<40} "
        f"(1,128)                20845/36864/36864        385          {operation}:/x"
    )


TABLE = "\n".join(
    [
        "D RKNN: [17:29:01.809]        Network Layer Information Table   ",
        "D RKNN: [17:29:01.809] ID   OpType DataType Target InputShape OutputShape",
        _row(0, "InputOperator", "INT64", "CPU", "\\"),
        _row(1, "Gather", "FLOAT16", "CPU", "(100,8),(1,128)"),
        _row(2, "Cast", "INT64", "CPU", "(1,128,1,1)"),
        _row(3, "Add", "FLOAT16", "NPU", "(1,128,1,8),(1,128,1,8)"),
        _row(4, "ConvAdd", "FLOAT16", "NPU", "(1,8,1,128),(8,8,1,1),(8),..."),
        _row(5, "Reshape", "FLOAT", "CPU", "(1,8,1,128),(4)"),
        _row(6, "exNorm", "FLOAT16", "NPU", "(1,8,1,128),(1,8,1,1),..."),
        _row(7, "OutputOperator", "FLOAT16", "CPU", "(1,128,8)"),
        "D RKNN: [17:29:01.809] -----",
        "D RKNN: [17:29:02.158]        Feature Tensor Information Table",
        "D RKNN: [17:29:02.158] 2   Gather   input_ids   INT64   UNDEFINED  (1,128) (1,128)",
    ]
)


def test_the_table_tells_where_layers_and_weights_lie() -> None:
    layers = rknn_table.read(TABLE)
    assert [one.operation for one in layers][1:3] == ["Gather", "Cast"]
    found = rknn_table.delegation(layers)
    assert found.nodes == {"CPU": 3, "NPU": 3}
    assert found.bytes == {"CPU": 100 * 8 * 2, "NPU": (64 + 8 + 8) * 2}
    assert found.islands == 2
    assert rknn_table.share(found) == 0.5
    assert {one.operation for one in found.fallen} == {"Gather", "Cast", "Reshape"}
    assert "64-bit" in next(one.why for one in found.fallen if one.operation == "Cast")
    assert rknn_table.types(layers) == {"float16": 1.0}


def test_the_last_table_counts() -> None:
    short = "\n".join(TABLE.splitlines()[:4])
    assert len(rknn_table.read(TABLE + "\n" + short)) == 2


@given(st.text())
def test_other_text_is_no_table(text: str) -> None:
    assert rknn_table.read(text) == []
    layers = rknn_table.read(TABLE + text)
    assert len(layers) == 8
    assert rknn_table.share(rknn_table.delegation([])) == 0


def _order(folder: Path, task: str = "embed", npu: Npu | None = ROCKCHIP) -> Order:
    order = an_order(folder, "rknn-fp16")
    source = msgspec.convert(
        {**msgspec.to_builtins(order.source), "task": task}, type(order.source)
    )
    target = msgspec.structs.replace(order.target, npu=npu)
    return msgspec.structs.replace(order, source=source, target=target)


@pytest.mark.parametrize(
    ("task", "npu", "words"),
    [
        ("chat", ROCKCHIP, "RKLLM"),
        ("speech", ROCKCHIP, "embedding models only"),
        ("embed", None, "has none"),
        ("embed", Npu(backend="qnn", soc_model=60), "has none"),
    ],
)
def test_what_cannot_be_built_is_one_sentence(
    tmp_path: Path, task: str, npu: Npu | None, words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        make_rknn.make(_order(tmp_path, task, npu), tmp_path)


def test_without_its_environment_the_command_that_makes_it_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match=r"packaging/rknn/make_rknn\.py"):
        make_rknn.make(_order(tmp_path), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_half_an_environment_is_none() -> None:
    rknn_home.python().parent.mkdir(parents=True)
    rknn_home.python().write_text("")
    with pytest.raises(MissingError):
        rknn_home.require()
    rknn_home.mark(rknn_home.folder(), "rknn-toolkit2==0")
    assert rknn_home.require() == paths.cache_dir() / "rknn" / "bin" / "python"


def test_a_toolkit_that_is_not_there_answers_with_an_error(tmp_path: Path) -> None:
    # This Python has no `rknn`, so that the process's own script says so.
    task: dict[str, Any] = {
        "graph": "none.onnx",
        "platform": "rk3588",
        "quantised": None,
        "calibration": None,
    }
    task |= {"file": None, "feeds": [], "outputs": "", "log": str(tmp_path / "log")}
    with pytest.raises(EdgeSlmError, match="rknn"):
        rknn_build.run(Path(sys.executable), task, tmp_path)


@pytest.mark.parametrize("words", ["", "exit 3", "echo not json", "echo 7", "kill -9 $$"])
def test_a_process_that_dies_or_talks_nonsense_is_one_sentence(tmp_path: Path, words: str) -> None:
    script = tmp_path / "python"
    script.write_text(f"#!/bin/sh\n{words}\n")
    script.chmod(0o755)
    with pytest.raises(CrashError, match="without an answer"):
        rknn_build.run(script, {"log": str(tmp_path / "log")}, tmp_path)


def test_speed_on_the_chip_is_said_to_be_unmeasured(tmp_path: Path) -> None:
    details = {"delegation": {"encoder": {"share": 0.9}}}
    artefact = Artefact(
        recipe="rknn-fp16", format="rknn", path=".", bytes=9, bits_per_weight=16, details=details
    )
    order = msgspec.structs.replace(
        _order(tmp_path), metrics=("delegated", "seconds_per_item", "recall_at_5")
    )
    found = measure_rknn.measure(order, artefact, tmp_path)
    assert found.values == {"delegated": 0.9}
    assert "not measurable" in found.absent["seconds_per_item"]
    assert "recall_at_5" in found.absent


@pytest.mark.model
def test_an_encoder_is_built_and_simulated(tmp_path: Path) -> None:
    try:
        rknn_home.require()
    except MissingError as error:
        pytest.skip(str(error))
    from tests.quantize.npu.small import LINES, small_encoder

    order = _order(tmp_path / "job")
    source = msgspec.structs.replace(
        order.source, format="safetensors", path=str(small_encoder(tmp_path / "encoder"))
    )
    texts = msgspec.structs.replace(order.texts, calibration=LINES[:8], evaluation=LINES[8:14])
    metrics = ("delegated", "simulated_cosine", "neighbours")
    order = msgspec.structs.replace(order, source=source, texts=texts, metrics=metrics)
    (tmp_path / "made").mkdir()
    made = make_rknn.make(order, tmp_path / "made")
    assert made.types == {"float16": 1.0}
    assert made.details["delegation"]["encoder"]["nodes"]["NPU"] > 10
    manifest = json.loads((tmp_path / "made" / "artefact.json").read_text())
    assert set(manifest["files"]) == {"model.rknn", "tokenizer.json"}
    found = measure_rknn.measure(order, made, tmp_path / "made")
    assert found.values["simulated_cosine"] > 0.99
    assert 0.5 < found.values["delegated"] < 1
