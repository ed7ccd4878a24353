"""A tiny language model with random weights, as a GGUF file that llama.cpp loads in a moment."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

_WORDS = """
    the a of to and in is it you that he was for on are with as his they at be this have from or
    one had by word but not what all were we when your can said there use an each which she do
    how their if will up other about out many then them these so some her would
"""
TEMPLATE = (
    "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] "
    "+ '<|im_end|>' + '\n'}}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


def tiny_gguf(
    path: Path,
    *,
    hidden: int = 64,
    layers: int = 2,
    heads: int = 4,
    kv_heads: int = 2,
    ffn: int | None = None,
    tied: bool = True,
    context: int = 1024,
    half: bool = True,
    seed: int = 0,
    architecture: str = "llama",
    vocabulary: bool = True,
    replaced: Mapping[str, np.ndarray[Any, Any]] | None = None,
) -> Path:
    """Write a llama model of 320 tokens (pieces with bytes, as SentencePiece has) and return it.

    Args:
        path: the file to write.
        hidden, layers, heads, kv_heads, ffn: its sizes; ffn is twice hidden unless said.
        tied: the embeddings also give the logits; else there is an output matrix.
        context: tokens it says it was trained for.
        half: matrices as float16, else float32; norms are float32 as llama.cpp has them.
        seed: of its weights.
        architecture: what the header claims.
        vocabulary: whether there is a tokenizer.
        replaced: tensors to write instead of the random ones, by name, rows first.
    """
    import gguf

    ffn = ffn or 2 * hidden
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_name("tiny")
    writer.add_context_length(context)
    writer.add_embedding_length(hidden)
    writer.add_block_count(layers)
    writer.add_feed_forward_length(ffn)
    writer.add_head_count(heads)
    writer.add_head_count_kv(kv_heads)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(hidden // heads)
    writer.add_file_type(
        gguf.LlamaFileType.MOSTLY_F16 if half else gguf.LlamaFileType.ALL_F32  # what it says it is
    )
    tokens = _vocabulary(writer) if vocabulary else _no_vocabulary(writer)
    weights = _weights(hidden, layers, hidden // heads * kv_heads, ffn, tokens, tied, seed)
    for name, values in {**weights, **(replaced or {})}.items():
        matrix = values.ndim > 1 and half and values.dtype == np.float32
        writer.add_tensor(name, values.astype(np.float16) if matrix else values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _vocabulary(writer: Any) -> int:
    import gguf

    kind = gguf.TokenType
    special = [("<unk>", kind.UNKNOWN), ("<s>", kind.CONTROL), ("</s>", kind.CONTROL)]
    special += [("<|im_start|>", kind.CONTROL), ("<|im_end|>", kind.CONTROL)]
    raw = [(f"<0x{byte:02X}>", kind.BYTE) for byte in range(256)]
    words = [(f"▁{word}", kind.NORMAL) for word in _WORDS.split()]
    letters = [(letter, kind.NORMAL) for letter in "▁etaoinshrdlucmfwypvbgk"]
    tokens = (special + raw + letters + words)[:320]
    assert len(tokens) == 320
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    writer.add_token_list([name for name, _ in tokens])
    writer.add_token_scores([-float(rank) for rank in range(len(tokens))])
    writer.add_token_types([int(type_) for _, type_ in tokens])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(4)
    writer.add_unk_token_id(0)
    writer.add_chat_template(TEMPLATE)
    return len(tokens)


def _no_vocabulary(writer: Any) -> int:
    writer.add_tokenizer_model("none")
    writer.add_vocab_size(320)
    return 320


def _weights(
    hidden: int, layers: int, keys: int, ffn: int, tokens: int, tied: bool, seed: int
) -> dict[str, np.ndarray[Any, Any]]:
    random = np.random.default_rng(seed)

    def matrix(rows: int, columns: int) -> np.ndarray[Any, Any]:
        return random.standard_normal((rows, columns), dtype=np.float32) / np.float32(columns**0.5)

    found = {"token_embd.weight": matrix(tokens, hidden), "output_norm.weight": _ones(hidden)}
    if not tied:
        found["output.weight"] = matrix(tokens, hidden)
    for layer in range(layers):
        at = f"blk.{layer}."
        found |= {
            f"{at}attn_norm.weight": _ones(hidden),
            f"{at}attn_q.weight": matrix(hidden, hidden),
            f"{at}attn_k.weight": matrix(keys, hidden),
            f"{at}attn_v.weight": matrix(keys, hidden),
            f"{at}attn_output.weight": matrix(hidden, hidden),
            f"{at}ffn_norm.weight": _ones(hidden),
            f"{at}ffn_gate.weight": matrix(ffn, hidden),
            f"{at}ffn_up.weight": matrix(ffn, hidden),
            f"{at}ffn_down.weight": matrix(hidden, ffn),
        }
    return found


def _ones(count: int) -> np.ndarray[Any, Any]:
    return np.ones(count, dtype=np.float32)
