"""Llama-like decoders as static graphs: one that reads S tokens, one that writes a token.

Both take `input_ids` int64 [1, S], `cos` and `sin` float32 [1, 1, S, D] (rotary tables of the
tokens' positions), `mask` float32 [1, 1, S, C + S] (0 or -100), and the keys and values of C
earlier tokens, `past_k_0`, `past_v_0`…, float32 [1, Hkv, C, D]; they give `logits` [1, S, V] and
the S new keys and values, `new_k_0`, `new_v_0`…, which the host keeps. Tables and mask come from
the host (feeds.py): the graph computes no position and compares nothing. Attention and RMSNorm
are written out in primitives: no NPU compiler takes the fused operations of other exporters.
"""

import math
from pathlib import Path
from typing import Any

from edge_slm.errors import UsageError
from edge_slm.i18n import t
from edge_slm_quantize.extra import need
from edge_slm_quantize.npu.graphs import BLOCKED, Shape, as_module, export, open_model

ARCHITECTURES = ("llama", "qwen2")


def open_decoder(folder: Path) -> Any:
    """Load the decoder in a Hugging Face folder, in float32.

    Raises:
        UsageError: its architecture is not one of those that this writes.
    """
    config = need("transformers").AutoConfig.from_pretrained(folder, local_files_only=True)
    if config.model_type not in ARCHITECTURES or config.hidden_act != "silu":
        raise UsageError(
            t(
                "A chat model of the kind {kind} cannot be written for an NPU; these can: {kinds}.",
                "Un modèle de conversation du genre {kind} ne peut pas être écrit pour un NPU ; "
                "ceux-ci le peuvent : {kinds}.",
                kind=config.model_type,
                kinds=", ".join(ARCHITECTURES),
            )
        )
    return open_model("AutoModelForCausalLM", folder)


def head_width(config: Any) -> int:
    """Return the width of one attention head, in numbers."""
    width = getattr(config, "head_dim", None)
    return int(width or config.hidden_size // config.num_attention_heads)


def rotary(model: Any, first: int, number: int) -> tuple[Any, Any]:
    """Return cos and sin, [1, 1, number, D], of `number` positions from `first` on."""
    torch = need("torch")
    table = model.model.rotary_emb
    angles = torch.outer(torch.arange(first, first + number).float(), table.inv_freq.float())
    angles = torch.cat((angles, angles), -1)[None, None]
    return angles.cos() * table.attention_scaling, angles.sin() * table.attention_scaling


def causal(number: int, past: int) -> Any:
    """Return the mask [1, 1, number, past + number] of tokens that see what is before them."""
    torch = need("torch")
    return torch.full((number, past + number), BLOCKED).triu(past + 1)[None, None]


def names(layers: int, prefix: str) -> list[str]:
    """Return the names of keys and values of all layers, in the graph's order."""
    return [f"{prefix}_{kind}_{layer}" for layer in range(layers) for kind in "kv"]


def export_decoder(model: Any, sequence: int, past: int, path: Path) -> dict[str, Shape]:
    """Write a graph that reads `sequence` tokens after `past` others.

    Args:
        model: what `open_decoder` gives.
        sequence: new tokens. past: tokens whose keys and values are given; 0 for none.
        path: the ONNX file to write.

    Returns:
        The shape of each input.
    """
    torch = need("torch")
    config = model.config
    cos, sin = rotary(model, past, sequence)
    inputs = {
        "input_ids": torch.zeros(1, sequence, dtype=torch.long),
        "cos": cos,
        "sin": sin,
        "mask": causal(sequence, past),
    }
    if past:
        shape = (1, config.num_key_value_heads, past, head_width(config))
        generator = torch.Generator().manual_seed(0)
        for name in names(config.num_hidden_layers, "past"):
            inputs[name] = torch.randn(shape, generator=generator)
    outputs = ["logits", *names(config.num_hidden_layers, "new")]
    module = as_module(decoder(model, sequence, past), [model])
    return export(module, inputs, outputs, path)


def difference(model: Any, sequence: int, past: int) -> float:
    """Return the largest difference between our logits and transformers', with `past` tokens read.

    Args:
        model: what `open_decoder` gives.
        sequence, past: of the graph that is checked; the tokens are arbitrary.
    """
    torch = need("torch")
    generator = torch.Generator().manual_seed(0)
    ids = torch.randint(0, model.config.vocab_size, (1, past + sequence), generator=generator)
    with torch.no_grad():
        theirs = model(ids).logits[:, past:]
        before: tuple[Any, ...] = ()
        if past:
            before = decoder(model, past, 0)(
                ids[:, :past], *rotary(model, 0, past), causal(past, 0)
            )
        ours = decoder(model, sequence, past)(
            ids[:, past:], *rotary(model, past, sequence), causal(sequence, past), *before[1:]
        )
    return float((ours[0] - theirs).abs().max())


def decoder(model: Any, sequence: int, past: int) -> Any:
    """Return the function that a graph is traced from: tensors in, (logits, *new) out."""
    torch = need("torch")
    config, body = model.config, model.model
    groups = config.num_attention_heads // config.num_key_value_heads
    width, total = head_width(config), past + sequence

    def norm(layer: Any, x: Any) -> Any:
        # RMSNorm, Zhang and Sennrich 2019.
        return x * torch.rsqrt((x * x).mean(-1, keepdim=True) + config.rms_norm_eps) * layer.weight

    def turn(x: Any, cos: Any, sin: Any) -> Any:
        # Rotary positions (Su et al. 2021), halves as in transformers' modeling_llama.py.
        half = width // 2
        return x * cos + torch.cat((-x[..., half:], x[..., :half]), -1) * sin

    def split(x: Any, heads: int) -> Any:
        return x.view(1, sequence, heads, width).transpose(1, 2)

    def spread(x: Any) -> Any:
        # Each key and value head serves a group of query heads.
        shape = (1, config.num_key_value_heads, groups, total, width)
        return x.unsqueeze(2).expand(shape).reshape(1, config.num_attention_heads, total, width)

    def forward(ids: Any, cos: Any, sin: Any, mask: Any, *pasts: Any) -> tuple[Any, ...]:
        x = body.embed_tokens(ids)
        new: list[Any] = []
        for index, layer in enumerate(body.layers):
            own = layer.self_attn
            h = norm(layer.input_layernorm, x)
            query = turn(split(own.q_proj(h), config.num_attention_heads), cos, sin)
            key = turn(split(own.k_proj(h), config.num_key_value_heads), cos, sin)
            value = split(own.v_proj(h), config.num_key_value_heads)
            new += [key, value]
            if past:
                key = torch.cat((pasts[2 * index], key), 2)
                value = torch.cat((pasts[2 * index + 1], value), 2)
            scores = query @ spread(key).transpose(2, 3) * (1 / math.sqrt(width)) + mask
            seen = torch.softmax(scores, -1) @ spread(value)
            x = x + own.o_proj(seen.transpose(1, 2).reshape(1, sequence, -1))
            h = norm(layer.post_attention_layernorm, x)
            gate = layer.mlp.gate_proj(h)
            x = x + layer.mlp.down_proj(gate * torch.sigmoid(gate) * layer.mlp.up_proj(h))
        return (model.lm_head(norm(body.norm, x)), *new)

    return forward
