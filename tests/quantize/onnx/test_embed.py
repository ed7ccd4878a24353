"""An ONNX encoder's vectors of texts: the mean of the tokens', whatever the graph's shape."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_slm.errors import EdgeSlmError, IntegrityError, UsageError
from edge_slm.gguf_layout import read_layout
from edge_slm_quantize.onnx.embed import embed_onnx
from edge_slm_quantize.sources import tokenizers
from edge_slm_quantize.sources.pooling import pooling_of
from edge_slm_quantize.sources.vocabulary import read_vocabulary
from tests.quantize.sources.small_gguf import vocabulary, write_gguf

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
_WORDS = vocabulary("bert", "default")
_TABLE = np.random.default_rng(0).standard_normal((len(_WORDS["tokens"]), 8)).astype(np.float32)
_TEXTS = ["the capital", "a", "", "la ville, 2024"]


def a_model(folder: Path, shape: tuple[int | str, int | str] = ("n", "s"), bits: int = 64) -> Path:
    """Write an encoder whose vector of a token is a row of _TABLE, and its tokenizer."""
    kind = onnx.TensorProto.INT64 if bits == 64 else onnx.TensorProto.INT32
    make = onnx.helper
    names = ("input_ids", "attention_mask", "token_type_ids")
    node = make.make_node("Gather", ["table", "input_ids"], ["last_hidden_state"])
    graph = make.make_graph(
        [node],
        "tiny",
        [make.make_tensor_value_info(name, kind, shape) for name in names],
        [make.make_tensor_value_info("last_hidden_state", onnx.TensorProto.FLOAT, (*shape, 8))],
        [onnx.numpy_helper.from_array(_TABLE, "table")],
    )
    opset = [make.make_opsetid("", 18)]
    onnx.save(make.make_model(graph, opset_imports=opset, ir_version=10), folder / "model.onnx")
    gguf = write_gguf(folder / "v.gguf", "bert", _WORDS)
    tokenizers.write(read_vocabulary(gguf, read_layout(gguf)), 64, folder)
    return folder


def expected(folder: Path, text: str, longest: int = 512) -> Any:
    tokenizer = tokenizers.load(folder / tokenizers.FILE)
    tokenizer.enable_truncation(longest)
    mean = _TABLE[tokenizer.encode(text).ids].mean(0)
    return mean / np.linalg.norm(mean)


@pytest.mark.parametrize("shape", [("n", "s"), (1, "s"), (1, 32), ("n", 32), (3, 32)])
@pytest.mark.parametrize("bits", [32, 64])
def test_padding_changes_nothing(
    tmp_path: Path, shape: tuple[int | str, int | str], bits: int
) -> None:
    folder = a_model(tmp_path, shape, bits)
    found = embed_onnx(folder, _TEXTS, "the ", threads=1)
    np.testing.assert_allclose(
        found, [expected(folder, "the " + text) for text in _TEXTS], atol=1e-6
    )
    assert found.dtype == np.float32


def test_a_long_text_is_cut_and_keeps_its_last_token(tmp_path: Path) -> None:
    folder = a_model(tmp_path)
    text = "the capital of the village " * 200
    found = embed_onnx(folder / "model.onnx", [text], threads=1, longest=16)
    np.testing.assert_allclose(found[0], expected(folder, text, 16), atol=1e-6)
    shorter = a_model(tmp_path, (1, 8))
    found = embed_onnx(shorter, [text], threads=1, longest=16)
    np.testing.assert_allclose(found[0], expected(folder, text, 8), atol=1e-6)


def test_no_text_has_no_vector(tmp_path: Path) -> None:
    assert embed_onnx(a_model(tmp_path), [], threads=1).shape == (0, 0)


def test_the_folder_says_how_to_pool(tmp_path: Path) -> None:
    folder = a_model(tmp_path)
    assert pooling_of(folder) == "mean"
    modes = {"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}
    (folder / "pooling_config.json").write_text(json.dumps(modes))
    first = _TABLE[2] / np.linalg.norm(_TABLE[2])  # [CLS]
    np.testing.assert_allclose(embed_onnx(folder, ["a"], threads=1)[0], first, atol=1e-6)
    (folder / "pooling_config.json").write_text('{"pooling_mode_max_tokens": true}')
    with pytest.raises(UsageError, match="pooling_mode_max_tokens"):
        embed_onnx(folder, ["a"], threads=1)


def test_what_is_no_encoder_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="0 ONNX files"):
        embed_onnx(tmp_path, _TEXTS)
    folder = a_model(tmp_path)
    (folder / "tokenizer.json").unlink()
    with pytest.raises(IntegrityError, match=r"tokenizer\.json"):
        embed_onnx(folder, _TEXTS)
    folder = a_model(tmp_path)
    (folder / "model.onnx").write_bytes(b"no model")
    with pytest.raises(EdgeSlmError, match=r"model\.onnx"):
        embed_onnx(folder, _TEXTS)
    (folder / "another.onnx").touch()
    with pytest.raises(UsageError, match="2 ONNX files"):
        embed_onnx(folder, _TEXTS)


def test_a_graph_of_other_inputs_is_no_encoder(tmp_path: Path) -> None:
    folder = a_model(tmp_path)
    graph = onnx.load(folder / "model.onnx")
    graph.graph.input[0].name = graph.graph.node[0].input[1] = "pixels"
    onnx.save(graph, folder / "model.onnx")
    with pytest.raises(EdgeSlmError, match="no encoder"):
        embed_onnx(folder, _TEXTS)


def test_vectors_that_are_not_numbers_are_refused(tmp_path: Path) -> None:
    folder = a_model(tmp_path)
    graph = onnx.load(folder / "model.onnx")
    nan = onnx.numpy_helper.from_array(np.full_like(_TABLE, np.nan), "table")
    graph.graph.initializer[0].CopyFrom(nan)
    onnx.save(graph, folder / "model.onnx")
    with pytest.raises(EdgeSlmError, match="not numbers"):
        embed_onnx(folder, _TEXTS)
