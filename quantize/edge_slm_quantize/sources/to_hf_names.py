"""GGUF models that write text (Llama, Qwen2, Qwen3) under the names of Hugging Face.

From the header comes the configuration, from it the tensors that there must be, with their shapes.
Names and keys: gguf's tensor_mapping and constants; transformers' LlamaConfig, Qwen2Config,
Qwen3Config.
"""

from collections.abc import Iterator
from typing import Any

from edge_slm.errors import IntegrityError, UsageError
from edge_slm.gguf_layout import Layout
from edge_slm.i18n import t
from edge_slm_quantize.sources.to_hf_weights import Wanted

CLASSES = {"llama": "LlamaForCausalLM", "qwen2": "Qwen2ForCausalLM", "qwen3": "Qwen3ForCausalLM"}
_ROPE_BASE = 10_000.0  # llama.cpp's and transformers' where the file tells none
# The keys of the header that change what is computed, and that are not carried over.
_FOREIGN = ("expert_count", "rope.scaling.type", "attention.sliding_window", "logit_scale")

Tensors = list[Wanted]


def decoder(layout: Layout, ids: dict[str, int]) -> tuple[dict[str, Any], Tensors]:
    """Return the config.json and the tensors of a model that writes.

    Args:
        layout: of the GGUF file; its architecture is one of CLASSES.
        ids: from “bos_token_id” and the like to a token.

    Raises:
        UsageError: the model has something that is not carried over (experts, scaled positions).
        IntegrityError: sizes that cannot be, or a tensor missing.
    """
    for key in _FOREIGN:
        value = layout.fields.get(f"{_architecture(layout)}.{key}", "none")
        if value not in ("none", 0):
            raise foreign(f"{key}: {value}")
    config = _config(layout) | ids
    tensors = list(_tensors(layout, config))
    check_all_taken(layout, tensors)
    return config, tensors


def _architecture(layout: Layout) -> str:
    return str(layout.fields["general.architecture"])


def whole(layout: Layout, name: str, default: int = 0) -> int:
    """Return a whole number of the header's, of at least 1.

    Raises:
        IntegrityError: it is absent, or no such number.
    """
    found = layout.fields.get(f"{_architecture(layout)}.{name}", default)
    if type(found) is not int or not 1 <= found < 1 << 31:
        raise damaged(name)
    return found


def decimal(layout: Layout, name: str, default: float = 0.0) -> float:
    """Return a number of the header's above 0, as it was before it became a float32.

    Raises:
        IntegrityError: it is absent, or no such number.
    """
    import numpy as np

    found = layout.fields.get(f"{_architecture(layout)}.{name}", default)
    if type(found) not in (int, float) or not 0 < float(found) < 1e12:  # type: ignore[arg-type]
        raise damaged(name)
    return float(str(np.float32(float(found))))  # type: ignore[arg-type]


def vocabulary_size(layout: Layout) -> int:
    """Return the rows of the embedding matrix."""
    return shape_of(layout, "token_embd.weight")[0]


def shape_of(layout: Layout, name: str) -> tuple[int, ...]:
    """Return a tensor's shape, rows first.

    Raises:
        IntegrityError: there is no such tensor.
    """
    if name not in layout.tensors:
        raise damaged(name)
    return tuple(reversed(layout.tensors[name].shape))


def take(layout: Layout, name: str, source: str, shape: tuple[int, ...], pairs: int = 0) -> Wanted:
    """Return a tensor to write, of the shape that the configuration asks for.

    Raises:
        IntegrityError: the file has none of that name and shape.
    """
    if shape_of(layout, source) != shape:
        raise damaged(source)
    return Wanted(name, shape, source, pairs)


def check_all_taken(layout: Layout, tensors: Tensors) -> None:
    """Refuse a file with tensors that nothing takes: the model would not be the same.

    Raises:
        UsageError: there is one; it is named.
    """
    left = layout.tensors.keys() - {one.source for one in tensors}
    if left:
        raise foreign(min(left))


def _config(layout: Layout) -> dict[str, Any]:
    architecture = _architecture(layout)
    hidden, heads = whole(layout, "embedding_length"), whole(layout, "attention.head_count")
    shared = whole(layout, "attention.head_count_kv", heads)
    head = whole(layout, "attention.key_length", hidden // heads)
    if heads % shared or head % 2 or whole(layout, "attention.value_length", head) != head:
        raise damaged("attention")
    if whole(layout, "rope.dimension_count", head) != head:
        raise foreign("rope.dimension_count")
    config: dict[str, Any] = {
        "architectures": [CLASSES[architecture]],
        "model_type": architecture,
        "vocab_size": vocabulary_size(layout),
        "hidden_size": hidden,
        "intermediate_size": whole(layout, "feed_forward_length"),
        "num_hidden_layers": whole(layout, "block_count"),
        "num_attention_heads": heads,
        "num_key_value_heads": shared,
        "head_dim": head,
        "hidden_act": "silu",
        "max_position_embeddings": whole(layout, "context_length"),
        "rms_norm_eps": decimal(layout, "attention.layer_norm_rms_epsilon"),
        "rope_theta": decimal(layout, "rope.freq_base", _ROPE_BASE),
        "tie_word_embeddings": "output.weight" not in layout.tensors,
        "torch_dtype": "float32",
    }
    if architecture != "qwen2":  # whose queries, keys and values always have one
        config["attention_bias"] = "blk.0.attn_q.bias" in layout.tensors
    if architecture == "llama":
        config["mlp_bias"] = "blk.0.ffn_gate.bias" in layout.tensors
    return config


def _tensors(layout: Layout, config: dict[str, Any]) -> Iterator[Wanted]:
    hidden = config["hidden_size"]
    words = (config["vocab_size"], hidden)
    yield take(layout, "model.embed_tokens.weight", "token_embd.weight", words)
    for i in range(config["num_hidden_layers"]):
        yield from _layer(layout, config, f"model.layers.{i}.", f"blk.{i}.")
    yield take(layout, "model.norm.weight", "output_norm.weight", (hidden,))
    if not config["tie_word_embeddings"]:
        yield take(layout, "lm_head.weight", "output.weight", words)


def _layer(layout: Layout, config: dict[str, Any], new: str, old: str) -> Iterator[Wanted]:
    hidden, inner = config["hidden_size"], config["intermediate_size"]
    heads, shared, head = (
        config[key] for key in ("num_attention_heads", "num_key_value_heads", "head_dim")
    )
    architecture = config["model_type"]
    # Only Llama's converter reorders: llama.cpp turns pairs of neighbours there.
    paired = architecture == "llama"
    matrices = (
        ("self_attn.q_proj", "attn_q", (heads * head, hidden), heads * paired),
        ("self_attn.k_proj", "attn_k", (shared * head, hidden), shared * paired),
        ("self_attn.v_proj", "attn_v", (shared * head, hidden), 0),
        ("self_attn.o_proj", "attn_output", (hidden, heads * head), 0),
        ("mlp.gate_proj", "ffn_gate", (inner, hidden), 0),
        ("mlp.up_proj", "ffn_up", (inner, hidden), 0),
        ("mlp.down_proj", "ffn_down", (hidden, inner), 0),
    )
    for name, source, shape, pairs in matrices:
        yield take(layout, f"{new}{name}.weight", f"{old}{source}.weight", shape, pairs)
        if _has_bias(config, source):
            yield take(layout, f"{new}{name}.bias", f"{old}{source}.bias", shape[:1], pairs)
    norms = [
        ("input_layernorm", "attn_norm", hidden),
        ("post_attention_layernorm", "ffn_norm", hidden),
    ]
    if architecture == "qwen3":
        norms += [
            ("self_attn.q_norm", "attn_q_norm", head),
            ("self_attn.k_norm", "attn_k_norm", head),
        ]
    for name, source, size in norms:
        yield take(layout, f"{new}{name}.weight", f"{old}{source}.weight", (size,))


def _has_bias(config: dict[str, Any], source: str) -> bool:
    if source.startswith("ffn"):
        return bool(config.get("mlp_bias"))
    if config["model_type"] == "qwen2":
        return source != "attn_output"
    return bool(config["attention_bias"])


def damaged(what: str) -> IntegrityError:
    """Return the error of a header and tensors that do not fit one another, naming where."""
    return IntegrityError(
        t(
            "The GGUF file does not hold together ({what} is missing or odd): fetch it again.",
            "Le fichier GGUF ne se tient pas ({what} manque ou est anormal) : téléchargez-le à "
            "nouveau.",
            what=what,
        )
    )


def foreign(what: str) -> UsageError:
    """Return the error of a model with a part that is not carried over."""
    return UsageError(
        t(
            "This GGUF model has {what}, which cannot be turned back into a Hugging Face folder: "
            "give the model's folder of safetensors, or choose GGUF recipes.",
            "Ce modèle GGUF a {what}, qui ne peut pas être reconverti en dossier Hugging Face : "
            "donnez le dossier safetensors du modèle, ou choisissez des recettes GGUF.",
            what=what,
        )
    )
