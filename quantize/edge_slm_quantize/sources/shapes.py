"""Configurations of published models: what network they name, and which tensors it must have.

Read from `config.json` as transformers writes it (4 and 5). Only networks that were compared with
transformers, number for number, are known (tests/quantize/sources/test_to_gguf.py). Reads no
weights.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_slm.errors import IntegrityError, UsageError
from edge_slm.i18n import t
from edge_slm_quantize.recipe import Task

# Names of `architectures` in config.json, and GGUF's name of the network.
_KNOWN: dict[str, str] = {
    "LlamaForCausalLM": "llama",
    "MistralForCausalLM": "llama",
    "Qwen2ForCausalLM": "qwen2",
    "Qwen3ForCausalLM": "qwen3",
    "SmolLM3ForCausalLM": "smollm3",
    "BertModel": "bert",
    "BertForMaskedLM": "bert",
    "XLMRobertaModel": "bert",
    "XLMRobertaForMaskedLM": "bert",
}
# The functions that llama.cpp computes in these networks.
_ACTIVATIONS = {"bert": ("gelu", "gelu_new", "gelu_pytorch_tanh")}
_POSITIONS_SMOLLM3 = 4  # layers between two without positions, fixed in llama.cpp (smollm3.cpp)
_MOST = 1 << 24  # a size beyond this is no model's
_MOST_LAYERS = 1024
_BERT_LAYER = {
    "attention.self.query": ("hidden", "hidden"),
    "attention.self.key": ("hidden", "hidden"),
    "attention.self.value": ("hidden", "hidden"),
    "attention.output.dense": ("hidden", "hidden"),
    "attention.output.LayerNorm": ("hidden",),
    "intermediate.dense": ("feed", "hidden"),
    "output.dense": ("hidden", "feed"),
    "output.LayerNorm": ("hidden",),
}


@dataclass(frozen=True)
class Network:
    """A network's sizes, in numbers; `head` is of one head, `kv_heads` those of keys and values.

    architecture: GGUF's name. first_position: rows of the table of positions before the first
    that is used (XLM-RoBERTa keeps those of its padding). tied: the output is the embedding.
    """

    architecture: str
    vocabulary: int
    hidden: int
    feed: int
    layers: int
    heads: int
    kv_heads: int
    head: int
    context: int
    epsilon: float
    tied: bool = True
    token_types: int = 0
    first_position: int = 0

    @property
    def task(self) -> Task:
        """What it is for."""
        return "embed" if self.architecture == "bert" else "chat"


def network(config: Mapping[str, Any], path: Path) -> Network:
    """Read the sizes of a network from its configuration.

    Raises:
        UsageError: no such network is known here.
        IntegrityError: a size is absent or absurd.
    """
    architecture = _architecture(config, path)
    try:
        found = _bert(config) if architecture == "bert" else _decoder(config, architecture)
    except (KeyError, TypeError, ValueError, ZeroDivisionError) as error:
        raise IntegrityError(
            t(
                "{path} is not a whole configuration: see {what}.",
                "{path} n'est pas une configuration entière : voir {what}.",
                path=path,
                what=str(error),
            )
        ) from error
    _require_the_usual(config, found, path)
    return found


def _architecture(config: Mapping[str, Any], path: Path) -> str:
    named = config.get("architectures")
    first = named[0] if isinstance(named, list) and named else None
    known = _KNOWN.get(first) if isinstance(first, str) else None
    if known is None:
        raise UsageError(
            t(
                "{path} names the architecture {name}, which is not known here; known are: "
                "{known}. Give a GGUF file of the model instead.",
                "{path} nomme l'architecture {name}, inconnue ici ; sont connues : {known}. Donnez "
                "plutôt un fichier GGUF du modèle.",
                path=path,
                name=str(first or "''")[:80],
                known=", ".join(_KNOWN),
            )
        )
    return known


def _decoder(config: Mapping[str, Any], architecture: str) -> Network:
    hidden, heads = _size(config, "hidden_size"), _size(config, "num_attention_heads")
    return Network(
        architecture=architecture,
        vocabulary=_size(config, "vocab_size"),
        hidden=hidden,
        feed=_size(config, "intermediate_size"),
        layers=_size(config, "num_hidden_layers", most=_MOST_LAYERS),
        heads=heads,
        kv_heads=_size(config, "num_key_value_heads", heads),
        head=_size(config, "head_dim", hidden // heads),
        context=_size(config, "max_position_embeddings"),
        epsilon=float(config["rms_norm_eps"]),
        # Left out where it is the default of the class, which only SmolLM3 has so.
        tied=config.get("tie_word_embeddings", architecture == "smollm3") is True,
    )


def _bert(config: Mapping[str, Any]) -> Network:
    hidden, heads = _size(config, "hidden_size"), _size(config, "num_attention_heads")
    first = 0
    if config.get("model_type") == "xlm-roberta":
        first = int(config["pad_token_id"]) + 1
    positions = _size(config, "max_position_embeddings") - first
    if first < 0 or positions < 1:
        raise ValueError("pad_token_id")
    return Network(
        architecture="bert",
        vocabulary=_size(config, "vocab_size"),
        hidden=hidden,
        feed=_size(config, "intermediate_size"),
        layers=_size(config, "num_hidden_layers", most=_MOST_LAYERS),
        heads=heads,
        kv_heads=heads,
        head=hidden // heads,
        context=positions,
        epsilon=float(config["layer_norm_eps"]),
        token_types=_size(config, "type_vocab_size"),
        first_position=first,
    )


def _size(
    config: Mapping[str, Any], name: str, default: int | None = None, most: int = _MOST
) -> int:
    value = config.get(name)
    if value is None and default is not None:
        value = default
    if type(value) is not int or not 1 <= value <= most:
        raise ValueError(f"{name}: {str(value)[:40]}")
    return value


def _require_the_usual(config: Mapping[str, Any], found: Network, path: Path) -> None:
    """Refuse what llama.cpp would compute otherwise than transformers, without a word."""
    usual = _ACTIVATIONS.get(found.architecture, ("silu",))
    odd = None
    if config.get("hidden_act", usual[0]) not in usual:
        odd = f"hidden_act: {config['hidden_act']}"
    elif config.get("quantization_config"):
        odd = "quantization_config"
    elif config.get("position_embedding_type", "absolute") != "absolute":
        odd = f"position_embedding_type: {config['position_embedding_type']}"
    elif found.architecture == "llama" and config.get("sliding_window"):
        odd = "sliding_window"
    elif config.get("use_sliding_window"):
        odd = "use_sliding_window"
    elif found.architecture == "smollm3" and not _usual_positions(config, found.layers):
        odd = "no_rope_layers"
    elif found.heads % found.kv_heads or found.head % 2:
        odd = "num_key_value_heads, head_dim"
    if odd:
        raise UsageError(
            t(
                "{path} asks for {odd}, which cannot be converted here: give the model in floats "
                "and in its usual form, or a GGUF file of it.",
                "{path} demande {odd}, ce qui ne peut pas être converti ici : donnez le modèle en "
                "flottants et dans sa forme habituelle, ou un fichier GGUF de celui-ci.",
                path=path,
                odd=odd[:80],
            )
        )


def _usual_positions(config: Mapping[str, Any], layers: int) -> bool:
    usual = [int((layer + 1) % _POSITIONS_SMOLLM3 != 0) for layer in range(layers)]
    return config.get("no_rope_layers") in (None, usual)


def expected(found: Network) -> dict[str, tuple[int, ...]]:
    """Return the sizes of every tensor that the network must have, by transformers' name."""
    return _bert_tensors(found) if found.architecture == "bert" else _decoder_tensors(found)


def optional(found: Network) -> dict[str, tuple[int, ...]]:
    """Return the sizes of tensors that the network may have: biases of some variants."""
    if found.architecture != "llama":
        return {}
    queries, keys = found.heads * found.head, found.kv_heads * found.head
    attention = {"q": queries, "k": keys, "v": keys, "o": found.hidden}
    feed = {"gate": found.feed, "up": found.feed, "down": found.hidden}
    sizes: dict[str, tuple[int, ...]] = {}
    for layer in range(found.layers):
        root = f"model.layers.{layer}"
        sizes |= {f"{root}.self_attn.{part}_proj.bias": (n,) for part, n in attention.items()}
        sizes |= {f"{root}.mlp.{part}_proj.bias": (n,) for part, n in feed.items()}
    return sizes


def _decoder_tensors(found: Network) -> dict[str, tuple[int, ...]]:
    queries, keys = found.heads * found.head, found.kv_heads * found.head
    layer: dict[str, tuple[int, ...]] = {
        "input_layernorm.weight": (found.hidden,),
        "post_attention_layernorm.weight": (found.hidden,),
        "self_attn.q_proj.weight": (queries, found.hidden),
        "self_attn.k_proj.weight": (keys, found.hidden),
        "self_attn.v_proj.weight": (keys, found.hidden),
        "self_attn.o_proj.weight": (found.hidden, queries),
        "mlp.gate_proj.weight": (found.feed, found.hidden),
        "mlp.up_proj.weight": (found.feed, found.hidden),
        "mlp.down_proj.weight": (found.hidden, found.feed),
    }
    if found.architecture == "qwen2":
        layer |= {"self_attn.q_proj.bias": (queries,), "self_attn.k_proj.bias": (keys,)}
        layer |= {"self_attn.v_proj.bias": (keys,)}
    if found.architecture == "qwen3":
        layer |= {"self_attn.q_norm.weight": (found.head,)}
        layer |= {"self_attn.k_norm.weight": (found.head,)}
    sizes: dict[str, tuple[int, ...]] = {
        "model.embed_tokens.weight": (found.vocabulary, found.hidden),
        "model.norm.weight": (found.hidden,),
    }
    if not found.tied:
        sizes["lm_head.weight"] = (found.vocabulary, found.hidden)
    for index in range(found.layers):
        sizes |= {f"model.layers.{index}.{name}": shape for name, shape in layer.items()}
    return sizes


def _bert_tensors(found: Network) -> dict[str, tuple[int, ...]]:
    sizes = {
        "embeddings.word_embeddings.weight": (found.vocabulary, found.hidden),
        "embeddings.position_embeddings.weight": (
            found.context + found.first_position,
            found.hidden,
        ),
        "embeddings.token_type_embeddings.weight": (found.token_types, found.hidden),
        "embeddings.LayerNorm.weight": (found.hidden,),
        "embeddings.LayerNorm.bias": (found.hidden,),
    }
    for index in range(found.layers):
        for name, which in _BERT_LAYER.items():
            shape = tuple(int(getattr(found, size)) for size in which)
            sizes[f"encoder.layer.{index}.{name}.weight"] = shape
            sizes[f"encoder.layer.{index}.{name}.bias"] = shape[:1]
    return sizes
