"""Small GGUF files with real tokenizers and random weights, and llama.cpp's answers on them."""

import ctypes
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

TEXT = """
The capital of France is Paris, and 2024 had 366 days. L'été, à l'aube, où êtes-vous ? def f(x):
    return x**2  # « guillemets » don't WE'LL 12345 naïve cœur
"""
SAMPLES = (
    TEXT,
    "",
    " ",
    "  two  spaces\n\n\tand a tab\r\n",
    "日本語 🙂 ﬁn ①② ～ é e\u0301",
    "it's 3.14€; +33 6 12 34 56 78",
    "a" * 300,
)
HIDDEN, LAYERS, HEADS, SHARED, INNER, CONTEXT = 64, 2, 4, 2, 96, 64


def vocabulary(kind: str, pre: str = "gpt-2") -> dict[str, Any]:
    """Return the header's tokenizer fields of a small vocabulary: gpt2, t5 or bert."""
    makers = {"gpt2": _byte_level, "t5": _unigram, "bert": _wordpiece}
    return {"model": kind, "pre": pre} | makers[kind]()


def write_gguf(
    path: Path,
    architecture: str,
    words: Mapping[str, Any],
    tensors: Mapping[str, NDArray[np.float32]] | None = None,
    **numbers: Any,
) -> Path:
    """Write a GGUF file; `words` are tokenizer fields, `numbers` other ones (their last part)."""
    from gguf import GGUFWriter

    writer = GGUFWriter(path, architecture)
    for name, value in words.items():
        _add(writer, f"tokenizer.ggml.{name}", value)
    for name, value in numbers.items():
        _add(writer, f"{architecture}.{name}", value)
    for name, tensor in (tensors or {"a": np.ones(8, np.float32)}).items():
        writer.add_tensor(name, tensor)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def decoder_gguf(path: Path, architecture: str, words: Mapping[str, Any], **changed: Any) -> Path:
    """Write a small model that writes; `changed` numbers replace those of its header."""
    count = len(words["tokens"])
    numbers = {
        "block_count": LAYERS,
        "context_length": CONTEXT,
        "embedding_length": HIDDEN,
        "feed_forward_length": INNER,
        "attention.head_count": HEADS,
        "attention.head_count_kv": SHARED,
        "attention.layer_norm_rms_epsilon": 1e-5,
        "rope.freq_base": 5000.0,
        **changed,
    }
    return write_gguf(path, architecture, words, decoder_tensors(architecture, count), **numbers)


def decoder_tensors(architecture: str, count: int) -> dict[str, NDArray[np.float32]]:
    """Return random tensors of `count` tokens, tied embeddings; biases where Qwen2 has them."""
    head = HIDDEN // HEADS
    found = {"token_embd.weight": _matrix(count, HIDDEN), "output_norm.weight": _norm(HIDDEN)}
    for i in range(LAYERS):
        sizes = {"attn_q": HEADS * head, "attn_k": SHARED * head, "attn_v": SHARED * head}
        sizes |= {"ffn_gate": INNER, "ffn_up": INNER}
        found |= {f"blk.{i}.{name}.weight": _matrix(rows, HIDDEN) for name, rows in sizes.items()}
        found[f"blk.{i}.attn_output.weight"] = _matrix(HIDDEN, HEADS * head)
        found[f"blk.{i}.ffn_down.weight"] = _matrix(HIDDEN, INNER)
        norms = {"attn_norm": HIDDEN, "ffn_norm": HIDDEN}
        if architecture == "qwen3":
            norms |= {"attn_q_norm": head, "attn_k_norm": head}
        found |= {f"blk.{i}.{name}.weight": _norm(size) for name, size in norms.items()}
        if architecture == "qwen2":
            for name in ("attn_q", "attn_k", "attn_v"):
                found[f"blk.{i}.{name}.bias"] = _norm(sizes[name])
    return found


def encoder_gguf(path: Path, words: Mapping[str, Any], **changed: Any) -> Path:
    """Write a small BERT that gives vectors."""
    numbers = {
        "block_count": LAYERS,
        "context_length": CONTEXT,
        "embedding_length": HIDDEN,
        "feed_forward_length": INNER,
        "attention.head_count": HEADS,
        "attention.layer_norm_epsilon": 1e-12,
        "attention.causal": False,
        "pooling_type": 1,
        **changed,
    }
    found = {
        "token_embd.weight": _matrix(len(words["tokens"]), HIDDEN),
        "position_embd.weight": _matrix(CONTEXT, HIDDEN),
        "token_types.weight": _matrix(2, HIDDEN),
        "token_embd_norm.weight": _norm(HIDDEN),
        "token_embd_norm.bias": _norm(HIDDEN),
    }
    for i in range(LAYERS):
        shapes = {name: (HIDDEN, HIDDEN) for name in ("attn_q", "attn_k", "attn_v", "attn_output")}
        shapes |= {"ffn_up": (INNER, HIDDEN), "ffn_down": (HIDDEN, INNER)}
        for name, (rows, columns) in shapes.items():
            found[f"blk.{i}.{name}.weight"] = _matrix(rows, columns)
            found[f"blk.{i}.{name}.bias"] = _norm(rows)
        for name in ("attn_output_norm", "layer_output_norm"):
            found[f"blk.{i}.{name}.weight"] = _norm(HIDDEN)
            found[f"blk.{i}.{name}.bias"] = _norm(HIDDEN)
    return write_gguf(path, "bert", {**words, "token_type_count": 2}, found, **numbers)


def llama_ids(path: Path, texts: Sequence[str]) -> list[list[int]]:
    """Return the ids that llama.cpp gives to texts, with what it puts around them."""
    import llama_cpp as c

    parameters = c.llama_model_default_params()
    parameters.vocab_only = True
    model = c.llama_model_load_from_file(str(path).encode(), parameters)
    assert model
    words = c.llama_model_get_vocab(model)
    found = []
    for text in texts:
        data = text.encode()
        room = (ctypes.c_int32 * (len(data) + 8))()
        count = c.llama_tokenize(words, data, len(data), room, len(room), True, False)
        found.append(list(room[:count]))
    c.llama_model_free(model)
    return found


def _add(writer: Any, name: str, value: Any) -> None:
    if isinstance(value, list):
        writer.add_array(name, value)
    elif isinstance(value, bool):
        writer.add_bool(name, value)
    elif isinstance(value, int):
        writer.add_uint32(name, value)
    elif isinstance(value, float):
        writer.add_float32(name, value)
    else:
        writer.add_string(name, value)


_RANDOM = np.random.default_rng(6)


def _matrix(rows: int, columns: int) -> NDArray[np.float32]:
    return _RANDOM.standard_normal((rows, columns), np.float32) / np.float32(columns**0.5)


def _norm(size: int) -> NDArray[np.float32]:
    return np.float32(1) + _RANDOM.standard_normal(size, np.float32) / np.float32(10)


def _byte_level() -> dict[str, Any]:
    import json

    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=340,
        special_tokens=["<|end|>", "<|im_start|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([TEXT * 3], trainer)
    model = json.loads(tokenizer.to_str())["model"]
    tokens = sorted(model["vocab"], key=model["vocab"].get)
    return {
        "tokens": tokens,
        "token_type": [3, 3] + [1] * (len(tokens) - 2),
        "merges": [" ".join(pair) for pair in model["merges"]],
        "bos_token_id": 0,
        "eos_token_id": 0,
        "add_bos_token": False,
    }


def _unigram() -> dict[str, Any]:
    named = ["<s>", "<pad>", "</s>", "<unk>"]
    words = [
        "▁",
        *"abcdefghijklmnopqrstuvwxyz0123456789.,'?àéêœ€</>[]|_",
        "▁the",
        "▁la",
        "th",
        "is",
        "in",
    ]
    words += ["▁capital", "日", "～"]
    tokens = [*named, *words, "[PAD0]"]
    return {
        "tokens": tokens,
        "scores": [0.0] * 4 + [-float(5 + i % 7) for i in range(len(words))] + [-10000.0],
        "token_type": [3, 3, 3, 2] + [1] * len(words) + [5],
        "bos_token_id": 0,
        "padding_token_id": 1,
        "eos_token_id": 2,
        "unknown_token_id": 3,
        "add_bos_token": True,
        "add_eos_token": True,
        "add_space_prefix": True,
        "remove_extra_whitespaces": True,
    }


def _wordpiece() -> dict[str, Any]:
    letters = "abcdefghijklmnopqrstuvwxyz0123456789"
    named = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    tokens = [
        *named,
        *("▁" + x for x in letters + ".,'?+;日🙂</>[]|_"),
        *letters,
        "▁the",
        "ing",
        "▁capital",
    ]
    return {
        "tokens": tokens,
        "token_type": [3, 2, 3, 3] + [1] * (len(tokens) - 4),
        "padding_token_id": 0,
        "unknown_token_id": 1,
        "bos_token_id": 2,
        "seperator_token_id": 3,
        "eos_token_id": 3,
    }
