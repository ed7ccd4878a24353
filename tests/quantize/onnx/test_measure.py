"""Measures of tiny and of real ONNX models."""

from pathlib import Path

import msgspec
import pytest

pytest.importorskip("torch")
pytest.importorskip("optimum.exporters.onnx")

from edge_slm_quantize.measure.speed import Figures
from edge_slm_quantize.onnx.make import make
from edge_slm_quantize.onnx.measure import measure
from edge_slm_quantize.records import Artefact, Order, Source
from tests.quantize.onnx.tiny_hf import an_order, tiny, write_tokenizer
from tests.quantize.tiny import tiny_gguf

CHAT = ("size", "kld", "top1_agreement", "tokens_per_second", "cpu_seconds_per_100", "faq_accuracy")
PROSE = "the time of that which they said was not in their will and some other had been there "


def made(order: Order, folder: Path) -> tuple[Artefact, Path]:
    """Make a recipe in a new folder; return the artefact and where it lies."""
    out = folder / order.recipe
    out.mkdir()
    artefact = make(order, out)
    return artefact, out / artefact.path


@pytest.fixture
def gguf(tmp_path: Path) -> Source:
    """A tiny llama model as a GGUF file of float32."""
    path = tiny_gguf(tmp_path / "tiny.gguf", half=False)
    return Source(
        name="tiny",
        task="chat",
        architecture="llama",
        format="gguf",
        path=str(path),
        sha256="d" * 64,
        quantisation=None,
        parameters=100_000,
        context=1024,
    )


def test_the_fp32_graph_says_what_llama_cpp_says_of_the_same_file(
    gguf: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Its vocabulary is of a kind that is not rebuilt; only the speed needs one, of any words.
    monkeypatch.setattr(
        "edge_slm_quantize.sources.tokenizers.write",
        lambda vocabulary, context, folder: write_tokenizer(folder / "tokenizer.json"),
    )
    order = an_order(tmp_path, gguf, "onnx-fp32", *CHAT)
    texts = msgspec.structs.replace(order.texts, evaluation=(PROSE * 40,))
    order = msgspec.structs.replace(order, texts=texts)
    found = measure(order, *made(order, tmp_path))
    assert found.values["kld"] < 1e-4
    assert found.values["top1_agreement"] > 0.98
    assert found.values["tokens_per_second"] > 0
    assert found.values["cpu_seconds_per_100"] > 0
    assert "GGUF" in found.absent["faq_accuracy"]


def test_each_absent_figure_keeps_its_own_reason(
    gguf: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    speed: Figures = ({"tokens_per_second": 9.0}, {}, {"joules_per_100": "no meter"})
    monkeypatch.setattr("edge_slm_quantize.onnx.measure._speed", lambda *_: speed)
    order = an_order(tmp_path, gguf, "onnx-fp32", "joules_per_100", "refusals")
    made_of_none = Artefact(
        recipe="onnx-fp32", format="onnx", path="x", bytes=1, bits_per_weight=32
    )
    found = measure(order, made_of_none, tmp_path)
    assert found.absent["joules_per_100"] == "no meter"
    assert "GGUF" in found.absent["refusals"]


def test_vectors_are_compared_with_those_of_the_fp32_graph(tmp_path: Path) -> None:
    source = tiny(tmp_path / "hf", "bert")
    metrics = ("cosine", "neighbours", "seconds_per_item", "ram", "wer")
    order = an_order(tmp_path, source, "onnx-int8", *metrics)
    found = measure(order, *made(order, tmp_path))
    assert 0.99 < found.values["cosine"] < 1
    assert found.values["seconds_per_item"] > 0 and found.values["ram"] > 10**7
    assert set(found.absent) == {"wer"}


def test_a_translation_model_has_a_sentence_instead_of_figures(tmp_path: Path) -> None:
    source = tiny(tmp_path / "hf", "marian")
    order = an_order(tmp_path, source, "onnx-fp32", "chrf", "size")
    found = measure(order, *made(order, tmp_path))
    assert found.values["size"] > 0
    assert "ct2 recipe" in found.absent["chrf"]


@pytest.mark.model
def test_dynamic_int8_keeps_what_minilm_says(tmp_path: Path) -> None:
    from edge_slm.store import Store

    if not Store().installed("all-minilm-l6-v2"):
        pytest.skip("all-minilm-l6-v2 is not installed")
    folder = Store().path("all-minilm-l6-v2")
    source = Source(
        name="all-minilm-l6-v2",
        task="embed",
        architecture="bert",
        format="safetensors",
        path=str(folder),
        sha256="e" * 64,
        quantisation=None,
        parameters=22_713_216,
        context=256,
    )
    order = an_order(tmp_path, source, "onnx-int8-dynamic", "cosine", "neighbours")
    artefact, path = made(order, tmp_path)
    found = measure(order, artefact, path)
    assert artefact.bytes < 0.3 * 90_868_376
    assert found.values["cosine"] > 0.98
