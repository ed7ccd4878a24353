"""BERT-like encoders as one graph: batch 1, a fixed sequence, the mask added as -100.

The graph takes `input_ids` and `attention_mask`, both int64 [1, S], and gives `hidden`, float32
[1, S, H], from which the host makes the vector (sources/pooling). It is written out from the
weights rather than exported as transformers writes it, whose mask is the lowest float: added to
scores, that takes all of a quantised scale's resolution. Token types are folded into the positions.
"""

import math
from pathlib import Path
from typing import Any, NamedTuple

from edge_slm.errors import UsageError
from edge_slm.i18n import t
from edge_slm_quantize.extra import need
from edge_slm_quantize.npu.graphs import BLOCKED, Shape, as_module, export, open_model

# The first position of RoBERTa comes after that of padding (transformers, modeling_roberta.py).
_OFFSET_BY_PADDING = ("roberta", "xlm-roberta")
ARCHITECTURES = ("bert", *_OFFSET_BY_PADDING)


class Encoder(NamedTuple):
    """A graph that was written: its inputs' shapes, the largest difference from transformers'."""

    shapes: dict[str, Shape]
    difference: float


def export_encoder(folder: Path, sequence: int, path: Path, blocked: float = BLOCKED) -> Encoder:
    """Write the encoder in a Hugging Face folder as a static graph.

    Args:
        folder: with config.json and model.safetensors.
        sequence: tokens of the graph.
        path: the ONNX file to write.
        blocked: what is added to the scores of padding.

    Raises:
        UsageError: the architecture or its positions are not of the kinds that this writes, or
            the sequence is longer than the model's.
    """
    torch = need("torch")
    model = open_model("AutoModel", folder)
    _check(model.config, sequence)
    forward = _forward(model, sequence, blocked)
    ids = torch.arange(sequence).remainder(model.config.vocab_size - 10)[None] + 5
    mask = (torch.arange(sequence) < max(1, sequence * 3 // 4)).long()[None]
    inputs = {"input_ids": ids, "attention_mask": mask}
    with torch.no_grad():
        theirs = model(**inputs).last_hidden_state
        seen = (forward(ids, mask) - theirs) * mask[..., None]
    shapes = export(as_module(forward, [model]), inputs, ["hidden"], path)
    return Encoder(shapes, float(seen.abs().max()))


def _check(config: Any, sequence: int) -> None:
    if (
        config.model_type not in ARCHITECTURES
        or getattr(config, "position_embedding_type", "absolute") != "absolute"
    ):
        raise UsageError(
            t(
                "An encoder of the kind {kind} cannot be written for an NPU; these can: {kinds}.",
                "Un encodeur du genre {kind} ne peut pas être écrit pour un NPU ; ceux-ci le "
                "peuvent : {kinds}.",
                kind=config.model_type,
                kinds=", ".join(ARCHITECTURES),
            )
        )
    longest = config.max_position_embeddings - _first_position(config)
    if sequence > longest:
        raise UsageError(
            t(
                "The target asks for sequences of {n} tokens; this model reads at most {most}.",
                "La cible demande des séquences de {n} jetons ; ce modèle en lit au plus {most}.",
                n=sequence,
                most=longest,
            )
        )


def _first_position(config: Any) -> int:
    return int(config.pad_token_id) + 1 if config.model_type in _OFFSET_BY_PADDING else 0


def _forward(model: Any, sequence: int, blocked: float) -> Any:
    torch = need("torch")
    embeddings, config = model.embeddings, model.config
    heads = config.num_attention_heads
    width = config.hidden_size // heads
    first = _first_position(config)
    with torch.no_grad():
        positions = embeddings.position_embeddings.weight[first : first + sequence]
        places = (positions + embeddings.token_type_embeddings.weight[0])[None].clone()

    def split(x: Any) -> Any:
        return x.view(1, sequence, heads, width).transpose(1, 2)

    def attend(layer: Any, x: Any, bias: Any) -> Any:
        own = layer.attention.self
        query, key, value = split(own.query(x)), split(own.key(x)), split(own.value(x))
        scores = query @ key.transpose(2, 3) * (1 / math.sqrt(width)) + bias
        seen = (torch.softmax(scores, -1) @ value).transpose(1, 2).reshape(1, sequence, -1)
        return layer.attention.output.LayerNorm(layer.attention.output.dense(seen) + x)

    def forward(ids: Any, mask: Any) -> Any:
        x = embeddings.LayerNorm(embeddings.word_embeddings(ids) + places)
        bias = ((1.0 - mask.to(torch.float32)) * blocked).view(1, 1, 1, sequence)
        for layer in model.encoder.layer:
            x = attend(layer, x, bias)
            x = layer.output.LayerNorm(layer.output.dense(layer.intermediate(x)) + x)
        return x

    return forward
