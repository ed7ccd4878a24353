"""GGUF encoders of the BERT family under the names of Hugging Face.

llama.cpp counts positions from 0 and adds the first row of token types, which is BertModel with
token types of 0, also for files made from XLM-RoBERTa: their converter drops the rows before the
first position. Feed-forward activation: the makers' exact GELU; llama.cpp's is its tanh
approximation. Names: gguf's tensor_mapping, transformers' BertModel.
"""

from collections.abc import Iterator
from typing import Any

from edge_slm.gguf_layout import Layout
from edge_slm_quantize.sources.to_hf_names import (
    Tensors,
    check_all_taken,
    damaged,
    decimal,
    foreign,
    shape_of,
    take,
    vocabulary_size,
    whole,
)
from edge_slm_quantize.sources.to_hf_weights import Wanted

# `enum llama_pooling_type` in llama.h, and the keys of sentence-transformers' pooling.
_POOLING = {1: "pooling_mode_mean_tokens", 2: "pooling_mode_cls_token"}


def encoder(layout: Layout, ids: dict[str, int]) -> tuple[dict[str, Any], Tensors]:
    """Return the config.json and the tensors of a BERT encoder.

    Args:
        layout: of the GGUF file, whose architecture is “bert”.
        ids: from “pad_token_id” and the like to a token.

    Raises:
        UsageError: the model has something that is not carried over.
        IntegrityError: sizes that cannot be, or a tensor missing.
    """
    if layout.fields.get("bert.attention.causal"):
        raise foreign("attention.causal")
    hidden, heads = whole(layout, "embedding_length"), whole(layout, "attention.head_count")
    if hidden % heads:
        raise damaged("attention.head_count")
    config: dict[str, Any] = {
        "architectures": ["BertModel"],
        "model_type": "bert",
        "vocab_size": vocabulary_size(layout),
        "hidden_size": hidden,
        "intermediate_size": whole(layout, "feed_forward_length"),
        "num_hidden_layers": whole(layout, "block_count"),
        "num_attention_heads": heads,
        "hidden_act": "gelu",
        "max_position_embeddings": shape_of(layout, "position_embd.weight")[0],
        "type_vocab_size": shape_of(layout, "token_types.weight")[0],
        "layer_norm_eps": decimal(layout, "attention.layer_norm_epsilon"),
        "position_embedding_type": "absolute",
        "torch_dtype": "float32",
        **ids,
    }
    tensors = list(_tensors(layout, config))
    check_all_taken(layout, tensors)
    return config, tensors


def pooling(layout: Layout) -> dict[str, Any]:
    """Return sentence-transformers' description of how token vectors become one.

    Raises:
        UsageError: it is neither their mean nor the first of them.
    """
    kind = layout.fields.get("bert.pooling_type", 1)
    if kind not in _POOLING:
        raise foreign(f"pooling_type: {kind}")
    modes = {key: number == kind for number, key in _POOLING.items()}
    return {"word_embedding_dimension": whole(layout, "embedding_length"), **modes}


def _tensors(layout: Layout, config: dict[str, Any]) -> Iterator[Wanted]:
    hidden = config["hidden_size"]
    tables = (
        ("word_embeddings", "token_embd", config["vocab_size"]),
        ("position_embeddings", "position_embd", config["max_position_embeddings"]),
        ("token_type_embeddings", "token_types", config["type_vocab_size"]),
    )
    for name, source, rows in tables:
        yield take(layout, f"embeddings.{name}.weight", f"{source}.weight", (rows, hidden))
    yield from _norm(layout, "embeddings.LayerNorm", "token_embd_norm", hidden)
    for i in range(config["num_hidden_layers"]):
        yield from _layer(layout, config, f"encoder.layer.{i}.", f"blk.{i}.")
    # GGUF leaves BERT's pooler out: no vector passes through it. As zeros, because transformers
    # would draw it at random, and the same file must give the same folder.
    yield Wanted("pooler.dense.weight", (hidden, hidden), None)
    yield Wanted("pooler.dense.bias", (hidden,), None)


def _layer(layout: Layout, config: dict[str, Any], new: str, old: str) -> Iterator[Wanted]:
    hidden, inner = config["hidden_size"], config["intermediate_size"]
    matrices = (
        ("attention.self.query", "attn_q", (hidden, hidden)),
        ("attention.self.key", "attn_k", (hidden, hidden)),
        ("attention.self.value", "attn_v", (hidden, hidden)),
        ("attention.output.dense", "attn_output", (hidden, hidden)),
        ("intermediate.dense", "ffn_up", (inner, hidden)),
        ("output.dense", "ffn_down", (hidden, inner)),
    )
    for name, source, shape in matrices:
        yield take(layout, f"{new}{name}.weight", f"{old}{source}.weight", shape)
        yield take(layout, f"{new}{name}.bias", f"{old}{source}.bias", shape[:1])
    yield from _norm(layout, f"{new}attention.output.LayerNorm", f"{old}attn_output_norm", hidden)
    yield from _norm(layout, f"{new}output.LayerNorm", f"{old}layer_output_norm", hidden)


def _norm(layout: Layout, name: str, source: str, size: int) -> Iterator[Wanted]:
    for part in ("weight", "bias"):
        yield take(layout, f"{name}.{part}", f"{source}.{part}", (size,))
