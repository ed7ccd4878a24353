"""A folder of safetensors becomes a GGUF file that computes the same: llama.cpp is asked."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edge_slm.errors import IntegrityError, UsageError
from edge_slm.gguf_layout import read_layout
from edge_slm_quantize.sources.opening import open_source
from edge_slm_quantize.sources.to_gguf import to_gguf
from tests.quantize.sources import tiny

LLAMA3 = {
    "rope_type": "llama3",
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 32,
}
DECODERS: list[tuple[str, dict[str, Any]]] = [
    ("Llama", {}),
    ("Llama", {"tie_word_embeddings": False, "num_key_value_heads": 4}),
    ("Llama", {"attention_bias": True, "mlp_bias": True}),
    ("Llama", {"rope_scaling": LLAMA3}),
    ("Llama", {"rope_scaling": {"rope_type": "linear", "factor": 4.0}}),
    ("Mistral", {"sliding_window": None, "head_dim": 32}),
    ("Qwen2", {}),
    ("Qwen2", {"tie_word_embeddings": False}),
    ("Qwen3", {"head_dim": 32}),
    ("SmolLM3", {"num_hidden_layers": 4}),
]
# Of the spread of the numbers, as root mean square. llama.cpp rounds what goes into a product to
# half precision: 0.002 at most is seen; without the factors of Llama 3's positions, 0.7.
CLOSE = 0.01


def converted(folder: Path) -> Path:
    path = folder.parent / "out" / "made.gguf"
    to_gguf(open_source(str(folder)), path)
    return path


def llama(path: Path, **options: Any) -> Any:
    from llama_cpp import Llama

    return Llama(str(path), n_threads=1, n_ctx=128, verbose=False, **options)


def far(given: NDArray[Any], wanted: NDArray[Any]) -> float:
    """Return the distance of two arrays, as a share of the spread of the second."""
    return float(np.sqrt(((given - wanted) ** 2).mean()) / wanted.std())


def logits_of(path: Path, ids: list[int]) -> NDArray[np.float32]:
    model = llama(path, logits_all=True)
    model.eval(ids)
    scores = np.array(model.scores[: len(ids)])
    model.close()
    return scores


def expected_logits(model: Any, ids: list[int]) -> NDArray[np.float32]:
    import torch

    with torch.no_grad():
        found: NDArray[np.float32] = model(torch.tensor([ids])).logits[0].numpy()
    return found


@pytest.mark.parametrize(("architecture", "options"), DECODERS)
def test_a_decoder_gives_the_logits_of_transformers(
    tmp_path: Path, architecture: str, options: dict[str, Any]
) -> None:
    folder = tmp_path / "model"
    model = tiny.write_decoder(folder, architecture, **options)
    tiny.write_bytes_tokenizer(folder)
    ids = np.random.default_rng(3).integers(0, 500, 90).tolist()
    wanted = expected_logits(model, ids)
    given = logits_of(converted(folder), ids)
    assert far(given, wanted) < CLOSE


@pytest.mark.parametrize("architecture", ["Bert", "XLMRoberta"])
@pytest.mark.parametrize("pooling", ["mean_tokens", "cls_token"])
def test_an_encoder_gives_the_vectors_of_transformers(
    tmp_path: Path, architecture: str, pooling: str
) -> None:
    import torch

    folder = tmp_path / "model"
    model = tiny.write_encoder(folder, architecture)
    write = tiny.write_wordpiece if architecture == "Bert" else tiny.write_unigram
    tokenizer = write(folder)
    modules = [
        {"path": "", "type": "sentence_transformers.models.Transformer"},
        {"path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
    ]
    (folder / "modules.json").write_text(json.dumps(modules))
    (folder / "1_Pooling").mkdir()
    asked = {f"pooling_mode_{pooling}": True, "pooling_mode_max_tokens": False}
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(asked))
    text = "the office opens at 9"
    ids = tokenizer.encode(text).ids
    with torch.no_grad():
        states = model(torch.tensor([ids])).last_hidden_state[0].numpy()
    wanted = states.mean(axis=0) if pooling == "mean_tokens" else states[0]
    runner = llama(converted(folder), embedding=True)
    given = np.array(runner.embed(text))
    runner.close()
    assert far(given, wanted) < CLOSE


@pytest.mark.parametrize("cut", tiny.CUTS)
@pytest.mark.parametrize("bos", [False, True])
def test_a_byte_level_tokenizer_gives_the_same_ids(tmp_path: Path, cut: str, bos: bool) -> None:
    folder = tmp_path / "model"
    tiny.write_decoder(folder)
    tokenizer = tiny.write_bytes_tokenizer(folder, cut, bos=bos)
    runner = llama(converted(folder), vocab_only=True)
    for text in [*tiny.TEXTS, "<|im_start|>user\nSalut<|im_end|><tool>x"]:
        given = runner.tokenize(text.encode(), add_bos=True, special=True)
        assert given == tokenizer.encode(text).ids, text
    runner.close()


@pytest.mark.parametrize("lowercase", [True, False])
def test_a_wordpiece_tokenizer_gives_the_same_ids(tmp_path: Path, lowercase: bool) -> None:
    folder = tmp_path / "model"
    tiny.write_encoder(folder)
    tokenizer = tiny.write_wordpiece(folder, lowercase=lowercase)
    runner = llama(converted(folder), vocab_only=True)
    for text in tiny.TEXTS:
        given = runner.tokenize(text.encode(), add_bos=True, special=False)
        assert given == tokenizer.encode(text).ids, text
    runner.close()


def test_a_unigram_tokenizer_gives_the_same_ids(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    tiny.write_encoder(folder, "XLMRoberta")
    tokenizer = tiny.write_unigram(folder)
    runner = llama(converted(folder), vocab_only=True)
    normalise = tokenizer.normalizer.normalize_str  # done by the engine for such a file
    for text in tiny.TEXTS:
        given = runner.tokenize(normalise(text).encode(), add_bos=True, special=False)
        assert given == tokenizer.encode(text).ids, text
    runner.close()


def test_the_character_map_of_a_unigram_tokenizer_is_kept(tmp_path: Path) -> None:
    import base64

    import tokenizers as tk

    folder = tmp_path / "model"
    tiny.write_encoder(folder, "XLMRoberta")
    tiny.write_unigram(folder)
    charsmap = _charsmap(tmp_path)
    path = folder / "tokenizer.json"
    rule = {"type": "Precompiled", "precompiled_charsmap": base64.b64encode(charsmap).decode()}
    spaces = {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "}
    cuts = [{"type": "WhitespaceSplit"}, json.loads(path.read_text())["pre_tokenizer"]]
    tiny.edit(
        path,
        normalizer={"type": "Sequence", "normalizers": [rule, spaces]},
        pre_tokenizer={"type": "Sequence", "pretokenizers": cuts},
    )
    tokenizer = tk.Tokenizer.from_file(str(path))
    runner = llama(converted(folder), vocab_only=True)
    for text in [*tiny.TEXTS, "ﬁn ½ Ａ①"]:
        given = runner.tokenize(text.encode(), add_bos=True, special=False)
        assert given == tokenizer.encode(text).ids, text
    runner.close()


def _charsmap(folder: Path) -> bytes:
    """Return SentencePiece's own map of nmt_nfkc."""
    import sentencepiece as sp
    from sentencepiece import sentencepiece_model_pb2 as proto

    (folder / "text").write_text("\n".join(tiny.LINES))
    prefix = str(folder / "pieces")
    sp.SentencePieceTrainer.train(
        input=str(folder / "text"), model_prefix=prefix, vocab_size=80, minloglevel=2
    )
    model = proto.ModelProto()
    model.ParseFromString(Path(prefix + ".model").read_bytes())
    found: bytes = model.normalizer_spec.precompiled_charsmap
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the folder of a small chat model."""
    folder = tmp_path / "model"
    tiny.write_decoder(folder)
    tiny.write_bytes_tokenizer(folder)
    return folder


def test_the_same_folder_gives_the_same_bytes(folder: Path) -> None:
    first = converted(folder).read_bytes()
    assert converted(folder).read_bytes() == first


def test_shards_and_bfloat16_give_the_same_numbers(folder: Path, tmp_path: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    whole = converted(folder).read_bytes()
    model = AutoModelForCausalLM.from_pretrained(folder)
    (folder / "model.safetensors").unlink()
    model.save_pretrained(folder, max_shard_size="100KB")
    assert len(list(folder.glob("*.safetensors"))) > 1
    assert converted(folder).read_bytes() == whole
    ids = [5, 9, 300, 44]
    short = tmp_path / "short"
    model = model.to(torch.bfloat16)
    model.save_pretrained(short)
    tiny.write_bytes_tokenizer(short)
    wanted = expected_logits(model.float(), ids)
    assert far(logits_of(converted(short), ids), wanted) < CLOSE


def test_a_matrix_that_half_precision_cannot_hold_stays_whole(folder: Path) -> None:
    from safetensors.numpy import load_file, save_file

    tensors = load_file(folder / "model.safetensors")
    tensors["model.layers.1.mlp.up_proj.weight"][0, 0] = 70000.0
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})
    path = converted(folder)
    kinds = {name: tensor.type for name, tensor in read_layout(path).tensors.items()}
    assert kinds["blk.1.ffn_up.weight"] == 0
    assert kinds["blk.0.ffn_up.weight"] == 1
    assert np.isfinite(logits_of(path, [3, 4, 5])).all()


def test_the_chat_template_is_kept(folder: Path) -> None:
    fields = read_layout(converted(folder)).fields
    assert fields["tokenizer.chat_template"] == tiny.TEMPLATE
    assert fields["tokenizer.ggml.pre"] == "smollm"


@pytest.mark.model
def test_a_real_encoder_gives_the_ids_and_vectors_of_transformers(tmp_path: Path) -> None:
    import tokenizers as tk
    import torch
    from transformers import AutoModel

    source = open_source("all-minilm-l6-v2")
    path = tmp_path / "minilm.gguf"
    to_gguf(source, path)
    tokenizer = tk.Tokenizer.from_file(str(Path(source.path) / "tokenizer.json"))
    tokenizer.no_padding()
    model = AutoModel.from_pretrained(source.path).eval()
    runner = llama(path, embedding=True)
    for text in tiny.TEXTS:
        given = runner.tokenize(text.encode(), add_bos=True)
        assert given == tokenizer.encode(text).ids, text
    text = "How do I renew my passport before it expires?"
    with torch.no_grad():
        states = model(torch.tensor([tokenizer.encode(text).ids])).last_hidden_state[0].numpy()
    assert far(np.array(runner.embed(text)), states.mean(axis=0)) < CLOSE
    runner.close()


def refused(folder: Path, kind: type[Exception], words: str) -> None:
    """Check that a folder is refused in a sentence, and that nothing is left of it."""
    out = folder.parent / "out"
    with pytest.raises(kind, match=words):
        converted(folder)
    assert not out.exists() or not list(out.iterdir())


def test_a_tokenizer_that_llama_cpp_does_not_have_is_refused(folder: Path) -> None:
    path = folder / "tokenizer.json"
    good = json.loads(path.read_text())
    tiny.edit(path, pre_tokenizer={"type": "Whitespace"})
    refused(folder, UsageError, "pre_tokenizer")
    tiny.edit(path, pre_tokenizer=good["pre_tokenizer"], normalizer={"type": "Lowercase"})
    refused(folder, UsageError, "normalizer")
    tiny.edit(path, normalizer=None, model=good["model"] | {"byte_fallback": True})
    refused(folder, UsageError, "byte_fallback")
    tiny.edit(path, model=good["model"] | {"type": "WordLevel"})
    refused(folder, UsageError, "WordLevel")


@pytest.mark.parametrize(
    "change",
    [
        {"model": {"type": "BPE"}},
        {"model": "BPE"},
        {"added_tokens": [{"content": "x", "id": -1, "special": True}]},
        {"added_tokens": [{"content": "x", "id": 10**12, "special": True}]},
        {"added_tokens": None},
        {"post_processor": {"type": "TemplateProcessing", "single": 3}},
    ],
)
def test_a_damaged_tokenizer_is_refused(folder: Path, change: dict[str, Any]) -> None:
    tiny.edit(folder / "tokenizer.json", **change)
    refused(folder, IntegrityError, "tokenizer.json is damaged")


def test_two_words_with_one_id_are_refused(folder: Path) -> None:
    path = folder / "tokenizer.json"
    model = json.loads(path.read_text())["model"]
    model["vocab"]["again"] = 7
    tiny.edit(path, model=model)
    refused(folder, IntegrityError, "tokenizer.json is damaged")


def test_positions_of_an_unknown_kind_are_refused(folder: Path) -> None:
    tiny.edit(folder / "config.json", rope_scaling={"rope_type": "longrope", "factor": 2.0})
    refused(folder, UsageError, "positions of a kind")
    tiny.edit(folder / "config.json", rope_scaling={"rope_type": "linear", "factor": "NaN"})
    refused(folder, IntegrityError, "rope")


def test_a_pooling_that_llama_cpp_does_not_have_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    tiny.write_encoder(folder)
    tiny.write_wordpiece(folder)
    for modules in (
        [{"path": "../..", "type": "x.Pooling"}],
        [{"path": "2_Dense", "type": "x.Dense"}],
        ["x"],
    ):
        (folder / "modules.json").write_text(json.dumps(modules))
        refused(folder, UsageError, "choose ONNX")
    (folder / "modules.json").write_text("{}")
    refused(folder, IntegrityError, "JSON")


def test_a_file_that_stands_there_stays_when_the_new_one_fails(folder: Path) -> None:
    path = converted(folder)
    before = path.read_bytes()
    source = open_source(str(folder))
    shutil.copy(folder / "config.json", folder / "tokenizer.json")
    with pytest.raises(IntegrityError):
        to_gguf(source, path)
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]
