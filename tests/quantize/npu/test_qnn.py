"""QNN recipes from a folder to a judged artefact, on small models and on MiniLM."""

import json
import platform
import shutil
from pathlib import Path

import msgspec
import pytest

from edge_slm.errors import IntegrityError, MissingError, UsageError
from edge_slm.files import sha256_of
from edge_slm_quantize.npu import (
    judge_encoder,
    make_qnn,
    measure_qnn,
    qdq,
    qnn_graphs,
    static_encoder,
)
from edge_slm_quantize.records import Artefact, Measured, Npu, Order
from tests.quantize.npu.small import SEQUENCE, order_for

pytest.importorskip("torch", reason="the extra quantize is not installed")

VECTORS = ("delegated", "cosine", "neighbours", "simulated_cosine", "seconds_per_item", "size")
TOKENS = ("delegated", "kld", "kld_high", "top1_agreement", "simulated_kld", "joules_per_100")


def made(order: Order, folder: Path) -> Artefact:
    """Make an artefact in a folder of its own."""
    folder.mkdir()
    return make_qnn.make(order, folder)


def judged(order: Order, artefact: Artefact, folder: Path, metrics: tuple[str, ...]) -> Measured:
    """Measure it."""
    return measure_qnn.measure(msgspec.structs.replace(order, metrics=metrics), artefact, folder)


@pytest.mark.parametrize("recipe", ["qnn-a16w8", "qnn-fp16"])
def test_an_encoder_is_wholly_delegated_and_right(
    hexagon: None, encoder: Path, tmp_path: Path, recipe: str
) -> None:
    order = order_for(tmp_path / "job", encoder, recipe)
    folder = tmp_path / "out"
    artefact = made(order, folder)
    assert {one.name for one in folder.iterdir()} == {
        *("encoder_ctx.onnx", "encoder_ctx_qnn.bin", "tokenizer.json", "artefact.json")
    }
    assert artefact.bytes == sum(one.stat().st_size for one in folder.iterdir())
    manifest = msgspec.json.decode((folder / "artefact.json").read_bytes())
    assert (manifest["soc_model"], manifest["htp_arch"]) == (60, 73)
    assert manifest["versions"]["qairt"]
    assert manifest["shapes"]["encoder"]["inputs"]["input_ids"] == [1, SEQUENCE]
    for name, file in manifest["files"].items():
        assert file["sha256"] == sha256_of(folder / name)
    found = judged(order, artefact, folder, VECTORS)
    assert found.values["delegated"] == 1
    assert artefact.details["delegation"]["encoder"]["islands"] == 1
    assert found.values["simulated_cosine"] > 0.99
    assert found.values["cosine"] > 0.99
    assert list(found.absent) == ["seconds_per_item"]
    assert "not measurable" in found.absent["seconds_per_item"]


def test_a_chat_model_becomes_two_graphs_that_are_delegated_and_right(
    hexagon: None, decoder: Path, tmp_path: Path
) -> None:
    order = order_for(tmp_path / "job", decoder, task="chat")
    folder = tmp_path / "out"
    artefact = made(order, folder)
    assert {"read_ctx.onnx", "write_ctx.onnx", "sink.npz"} <= {one.name for one in folder.iterdir()}
    shapes = artefact.details["shapes"]
    assert shapes["read"]["inputs"]["past_k_0"] == (1, 2, 1, 16)
    assert shapes["write"]["inputs"]["past_v_1"] == (1, 2, SEQUENCE - 1, 16)
    assert any("twice" in one for one in artefact.fallbacks)
    assert artefact.types["int8"] > 0.5
    found = judged(order, artefact, folder, TOKENS)
    assert found.values["delegated"] == 1
    assert 0 < found.values["kld"] < 0.05
    assert 0 < found.values["simulated_kld"] < 0.05
    assert max(found.details["written_kld"] + found.details["simulated_written_kld"]) < 0.05
    assert list(found.absent) == ["joules_per_100"]


def test_what_was_made_is_not_made_again(
    hexagon: None, encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = order_for(tmp_path / "job", encoder)
    made(order, tmp_path / "one")
    monkeypatch.setattr(static_encoder, "export_encoder", pytest.fail)
    monkeypatch.setattr(qdq, "quantise", pytest.fail)
    made(order, tmp_path / "two")


def test_an_artefact_that_was_cut_is_one_sentence(
    hexagon: None, encoder: Path, tmp_path: Path
) -> None:
    order = order_for(tmp_path / "job", encoder)
    artefact = made(order, tmp_path / "out")
    binary = tmp_path / "out" / "encoder_ctx_qnn.bin"
    binary.write_bytes(binary.read_bytes()[:1000])
    with pytest.raises(IntegrityError, match=r"encoder_ctx\.onnx"):
        judged(order, artefact, tmp_path / "out", VECTORS)


def test_elsewhere_than_on_linux_x86_64_the_recipe_says_so(
    encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    with pytest.raises(MissingError, match="x86-64"):
        made(order_for(tmp_path / "job", encoder), tmp_path / "out")
    assert not list((tmp_path / "out").iterdir())


def test_bad_input_is_one_sentence(hexagon: None, decoder: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="tokens"):
        made(order_for(tmp_path, decoder, task="chat", lines=("a", "b")), tmp_path / "short")
    with pytest.raises(UsageError, match="chat and embedding"):
        made(order_for(tmp_path, decoder, task="speech"), tmp_path / "speech")
    with pytest.raises(UsageError, match="soc_model"):
        made(
            order_for(tmp_path, decoder, "qnn-fp16", "chat", npu=Npu(backend="qnn", sequence=16)),
            tmp_path / "chip",
        )
    for sequence, sink in ((15, 1), (16, 13), (-2, 0), (16, -1)):
        npu = Npu(backend="qnn", soc_model=60, htp_arch=73, sequence=sequence, sink=sink)
        with pytest.raises(UsageError, match="even number"):
            made(order_for(tmp_path, decoder, npu=npu), tmp_path / f"{sequence} {sink}")
    with pytest.raises(UsageError, match="Hexagon"):
        made(order_for(tmp_path, decoder, npu=Npu(backend="rknn")), tmp_path / "rknn")


def test_vectors_that_are_pooled_in_another_way_are_refused_not_averaged(
    encoder: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(encoder, tmp_path / "hf"))
    (folder / "1_Pooling").mkdir(exist_ok=True)
    told = {"pooling_mode_max_tokens": True, "pooling_mode_mean_tokens": False}
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(told))
    with pytest.raises(UsageError, match="pooling_mode_max_tokens"):
        qnn_graphs.fp32(order_for(tmp_path / "job", folder))
    assert not list((tmp_path / "job").rglob("*.onnx"))


@pytest.mark.model
def test_minilm_is_wholly_delegated_and_right(
    hexagon: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from edge_slm.store import Store

    monkeypatch.setattr(qnn_graphs, "TEXTS", 12)
    monkeypatch.setattr(judge_encoder, "SIMULATED", 2)
    lines = tuple(f"{one} Request number {at}." for at, one in enumerate(_SENTENCES * 3))
    folder = Store().path("all-minilm-l6-v2")
    npu = Npu(backend="qnn", soc_model=60, htp_arch=73, sequence=64)
    order = order_for(tmp_path / "job", folder, lines=lines, npu=npu)
    artefact = made(order, tmp_path / "out")
    found = judged(order, artefact, tmp_path / "out", VECTORS)
    assert artefact.details["difference_from_transformers"] < 1e-4
    assert found.values["delegated"] == 1
    assert found.values["cosine"] > 0.99
    assert found.values["simulated_cosine"] > 0.99
    assert found.details["simulated_texts"] == 2


_SENTENCES = (
    "How many days of leave may a part-time agent carry over to next year?",
    "A manager signs the request before the tenth of the month.",
    "Expenses are paid back within thirty days, on receipt of the invoices.",
    "Remote work is allowed two days a week, after six months in the post.",
    "Who decides on a transfer to another department?",
    "The medical certificate must reach the office within forty-eight hours.",
    "Overtime is given back as rest, or paid at the rate of the order.",
    "Lunch vouchers are for days that are worked, not for leave.",
)
