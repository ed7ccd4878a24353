"""A GGUF file as a Hugging Face folder: transformers computes what llama.cpp computes."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edge_slm import paths
from edge_slm.errors import EdgeSlmError, IntegrityError, UsageError
from edge_slm.files import sha256_of
from edge_slm_quantize.records import Source
from edge_slm_quantize.sources import to_hf as module
from edge_slm_quantize.sources.to_hf import to_hf
from tests.quantize.sources import small_gguf

pytest.importorskip("transformers")
_WORDS = small_gguf.vocabulary("gpt2", "qwen2")


def a_source(path: Path, kind: str = "gguf") -> Source:
    return Source(
        name="small",
        task="chat",
        architecture="llama",
        format=kind,  # type: ignore[arg-type]
        path=str(path),
        sha256=sha256_of(path) if path.is_file() else "0" * 64,
        quantisation=None,
        parameters=1,
        context=64,
    )


def logits_of(folder: Path, ids: list[int]) -> NDArray[np.float32]:
    import torch
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    with torch.no_grad():
        found: NDArray[np.float32] = model(torch.tensor([ids])).logits[0].numpy()
    return found


def vector_of(folder: Path, text: str) -> NDArray[np.float32]:
    import torch
    from transformers import AutoModel, AutoTokenizer

    model = AutoModel.from_pretrained(folder, dtype=torch.float32)
    given = AutoTokenizer.from_pretrained(folder)(text, return_tensors="pt")
    with torch.no_grad():
        mean = model(**given).last_hidden_state[0].mean(0).numpy()
    found: NDArray[np.float32] = mean / np.linalg.norm(mean)
    return found


def llama_logits(path: Path, ids: list[int]) -> NDArray[np.float32]:
    from edge_slm.engines.llama.model import MOST_OUTPUTS, Context, Model
    from edge_slm.engines.settings import Settings

    model = Model(path)
    context = Context(model, Settings(context=512, kv_type="f16"))
    rows = []
    for begin in range(0, len(ids), MOST_OUTPUTS):
        part = ids[begin : begin + MOST_OUTPUTS]
        context.read(part, every=True)
        rows += [context.logits(row).copy() for row in range(len(part))]
    context.close()
    model.close()
    return np.stack(rows)


@pytest.mark.parametrize("architecture", ["llama", "qwen2", "qwen3"])
def test_logits_are_those_of_llama_cpp(tmp_path: Path, architecture: str) -> None:
    gguf = small_gguf.decoder_gguf(tmp_path / "m.gguf", architecture, _WORDS)
    folder = to_hf(a_source(gguf), tmp_path)
    ids = small_gguf.llama_ids(gguf, [small_gguf.TEXT])[0][:40]
    # llama.cpp keeps keys and values in half precision; the logits themselves are about 1.
    np.testing.assert_allclose(logits_of(folder, ids), llama_logits(gguf, ids), atol=3e-2)
    config = json.loads((folder / "config.json").read_text())
    assert config["rope_theta"] == 5000.0
    assert config["rms_norm_eps"] == 1e-5
    assert config["tie_word_embeddings"] is True
    assert config["eos_token_id"] == 0


@pytest.mark.parametrize("kind", ["t5", "bert"])
def test_vectors_are_those_of_llama_cpp(tmp_path: Path, kind: str) -> None:
    from edge_slm.engines.llama.embedding import LlamaEmbedder

    gguf = small_gguf.encoder_gguf(tmp_path / "m.gguf", small_gguf.vocabulary(kind, "default"))
    folder = to_hf(a_source(gguf), tmp_path)
    engine = LlamaEmbedder(gguf)
    engine.LONGEST = small_gguf.CONTEXT
    theirs = engine.embed_query("the capital is in la ville")
    engine.close()
    # llama.cpp approximates the GELU, and looks it up in a table of half precision.
    assert vector_of(folder, "query: the capital is in la ville") @ theirs > 0.9999
    assert json.loads((folder / "1_Pooling/config.json").read_text())["pooling_mode_mean_tokens"]


def test_the_folder_is_made_once_and_nothing_else_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gguf = small_gguf.decoder_gguf(tmp_path / "m.gguf", "llama", _WORDS)
    folder = to_hf(a_source(gguf), tmp_path)
    assert [path.name for path in (tmp_path / "shared").iterdir()] == [folder.name]
    names = {"config.json", "model.safetensors", "special_tokens_map.json"}
    names |= {"tokenizer.json", "tokenizer_config.json"}
    assert {path.name for path in folder.iterdir()} == names
    monkeypatch.setattr(module, "_convert", lambda *_: pytest.fail("made again"))
    assert to_hf(a_source(gguf), tmp_path) == folder


def test_another_step_that_was_quicker_wins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gguf = small_gguf.decoder_gguf(tmp_path / "m.gguf", "llama", _WORDS)
    real = module._convert

    def meanwhile(path: Path, folder: Path) -> None:
        real(path, folder)
        other = tmp_path / "shared" / f"hf-{sha256_of(gguf)[:16]}"
        other.mkdir()
        (other / "config.json").touch()

    monkeypatch.setattr(module, "_convert", meanwhile)
    folder = to_hf(a_source(gguf), tmp_path)
    assert [path.name for path in folder.iterdir()] == ["config.json"]
    assert [path.name for path in (tmp_path / "shared").iterdir()] == [folder.name]


def test_a_folder_of_safetensors_is_taken_as_it_is(tmp_path: Path) -> None:
    for name in ("config.json", "tokenizer.json"):
        with pytest.raises(UsageError, match=re.escape(name)):
            to_hf(a_source(tmp_path, "safetensors"), tmp_path)
        (tmp_path / name).write_text("{}")
    assert to_hf(a_source(tmp_path, "safetensors"), tmp_path) == tmp_path
    with pytest.raises(UsageError, match="ctranslate2"):
        to_hf(a_source(tmp_path, "ctranslate2"), tmp_path)


@pytest.mark.parametrize(
    ("changed", "kind", "said"),
    [
        ({"block_count": 3}, IntegrityError, "blk.2"),
        ({"block_count": 1}, UsageError, "blk.1"),
        ({"block_count": 0}, IntegrityError, "block_count"),
        ({"block_count": 2**31 - 1}, IntegrityError, "blk.2"),
        ({"block_count": "two"}, IntegrityError, "block_count"),
        ({"attention.head_count": [4, 4]}, IntegrityError, "head_count"),
        ({"attention.head_count": 5}, IntegrityError, "attention"),
        ({"embedding_length": 128}, IntegrityError, "token_embd"),
        ({"rope.freq_base": -1.0}, IntegrityError, "freq_base"),
        ({"rope.freq_base": float("nan")}, IntegrityError, "freq_base"),
        ({"rope.dimension_count": 8}, UsageError, "dimension_count"),
        ({"rope.scaling.type": "yarn"}, UsageError, "yarn"),
        ({"expert_count": 8}, UsageError, "expert_count"),
    ],
)
def test_what_cannot_be_turned_back_is_one_sentence_and_leaves_nothing(
    tmp_path: Path, changed: dict[str, Any], kind: type[EdgeSlmError], said: str
) -> None:
    gguf = small_gguf.decoder_gguf(tmp_path / "m.gguf", "llama", _WORDS, **changed)
    with pytest.raises(kind, match=re.escape(said)):
        to_hf(a_source(gguf), tmp_path)
    assert list((tmp_path / "shared").iterdir()) == []


def _with_tensor(path: Path, name: str, tensor: NDArray[Any]) -> Path:
    tensors = small_gguf.decoder_tensors("llama", len(_WORDS["tokens"]))
    numbers = {
        "block_count": 2,
        "context_length": 64,
        "embedding_length": 64,
        "feed_forward_length": 96,
        "attention.head_count": 4,
        "attention.head_count_kv": 2,
        "attention.layer_norm_rms_epsilon": 1e-5,
    }
    return small_gguf.write_gguf(path, "llama", _WORDS, tensors | {name: tensor}, **numbers)


@pytest.mark.parametrize(
    ("name", "tensor", "kind"),
    [
        ("output_norm.weight", np.full(64, np.nan, np.float32), IntegrityError),
        ("output_norm.weight", np.ones(63, np.float32), IntegrityError),
        ("output_norm.weight", np.ones(64, np.int32), UsageError),
        ("blk.0.attn_q.weight", np.ones((32, 64), np.float32), IntegrityError),
        ("rope_freqs.weight", np.ones(8, np.float32), UsageError),
        ("token_embd.weight", np.ones((5, 64), np.float32), IntegrityError),
    ],
)
def test_an_odd_tensor_is_one_sentence_that_names_it(
    tmp_path: Path, name: str, tensor: NDArray[Any], kind: type[EdgeSlmError]
) -> None:
    gguf = _with_tensor(tmp_path / "m.gguf", name, tensor)
    with pytest.raises(kind, match="tokens" if name.startswith("token_embd") else re.escape(name)):
        to_hf(a_source(gguf), tmp_path)
    assert list((tmp_path / "shared").iterdir()) == []


def test_an_unknown_architecture_names_those_that_are_known(tmp_path: Path) -> None:
    gguf = small_gguf.decoder_gguf(tmp_path / "m.gguf", "gemma3", _WORDS)
    with pytest.raises(UsageError, match=r"gemma3.*llama, qwen2, qwen3, bert"):
        to_hf(a_source(gguf), tmp_path)


@pytest.mark.parametrize("kept", [0.0, 0.3, 0.9])
def test_a_cut_file_is_refused(tmp_path: Path, kept: float) -> None:
    gguf = small_gguf.decoder_gguf(tmp_path / "m.gguf", "llama", _WORDS)
    raw = gguf.read_bytes()
    gguf.write_bytes(raw[: int(len(raw) * kept)])
    with pytest.raises(EdgeSlmError):
        to_hf(a_source(gguf), tmp_path)
    assert list((tmp_path / "shared").iterdir()) == []


def test_a_full_disk_is_told_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gguf = small_gguf.decoder_gguf(tmp_path / "m.gguf", "llama", _WORDS)
    monkeypatch.setattr("edge_slm_quantize.workspace.free_disk", lambda _: 1000)
    with pytest.raises(EdgeSlmError, match="disk"):
        to_hf(a_source(gguf), tmp_path)
    assert list((tmp_path / "shared").iterdir()) == []


@pytest.mark.model
def test_smollm2_computes_and_counts_as_llama_cpp_does(tmp_path: Path) -> None:
    name = "smollm2-135m-instruct-q4_1"
    gguf = paths.store_dir() / "models" / name / f"{name}.gguf"
    folder = to_hf(a_source(gguf), tmp_path)
    from edge_slm_quantize.sources import tokenizers

    text = small_gguf.TEXT * 2
    ids = tokenizers.load(folder / tokenizers.FILE).encode(text).ids
    assert [ids] == small_gguf.llama_ids(gguf, [text])
    ours, theirs = logits_of(folder, ids[:40]), llama_logits(gguf, ids[:40])
    # llama.cpp rounds activations to 8 bits before it multiplies them by Q4_1.
    assert (ours.argmax(-1) == theirs.argmax(-1)).mean() > 0.9
    assert np.corrcoef(ours.ravel(), theirs.ravel())[0, 1] > 0.99
