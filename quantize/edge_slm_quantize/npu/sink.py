"""The attention sink: keys and values of the first tokens, in fp32, stored with the artefact.

The first token of a text draws the attention that nothing else deserves, and carries activations
thousands of times larger than the others' (Xiao et al. 2023, “Efficient Streaming Language Models
with Attention Sinks”; Sun et al. 2024, “Massive Activations”). Within a quantised graph they take
the whole scale. Computed once, outside of it, they are given to every run as past keys and values.
"""

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from edge_slm.errors import IntegrityError
from edge_slm.files import replacing
from edge_slm.i18n import t
from edge_slm_quantize.extra import need
from edge_slm_quantize.npu.feeds import Rotary, Sink
from edge_slm_quantize.npu.static_decoder import causal, decoder, names, rotary

FILE = "sink.npz"
# What numpy raises on files that are cut, empty, or hold something else.
_UNREADABLE = (OSError, EOFError, ValueError, KeyError, AttributeError, TypeError)


def compute(model: Any, number: int) -> Sink:
    """Return the sink of a model: its first token, `number` times.

    Args:
        model: what `static_decoder.open_decoder` gives.
        number: tokens; 0 makes graphs without past.
    """
    torch = need("torch")
    config, table = model.config, model.model.rotary_emb
    token = config.bos_token_id if config.bos_token_id is not None else 0
    tokens = (int(token),) * number
    past = {}
    if number:
        with torch.no_grad():
            _, *new = decoder(model, number, 0)(
                torch.tensor([tokens]), *rotary(model, 0, number), causal(number, 0)
            )
        called = names(config.num_hidden_layers, "past")
        past = {name: value.numpy() for name, value in zip(called, new, strict=True)}
    frequencies = table.inv_freq.float().numpy()
    return Sink(tokens, past, Rotary(frequencies, float(table.attention_scaling)))


def write(sink: Sink, path: Path) -> None:
    """Write a sink as an .npz file: `tokens`, `frequencies`, `scale`, `past_k_0`…"""
    with replacing(path) as part, part.open("wb") as file:
        np.savez(
            file,
            tokens=np.array(sink.tokens, np.int64),
            frequencies=sink.rotary.frequencies,
            scale=np.float32(sink.rotary.scale),
            **sink.past,  # type: ignore[arg-type]
        )


def read(path: Path) -> Sink:
    """Read what `write` wrote.

    Raises:
        IntegrityError: it is no such file.
    """
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as found:
            values = {name: found[name] for name in found.files}
        rotary_ = Rotary(values.pop("frequencies"), float(values.pop("scale")))
        return Sink(tuple(values.pop("tokens").tolist()), values, rotary_)
    except (*_UNREADABLE, zipfile.BadZipFile) as error:
        raise IntegrityError(
            t(
                "{path} is not the sink of a compiled model: make it again.",
                "{path} n'est pas l'amorce d'un modèle compilé : refaites-la.",
                path=path.name,
            )
        ) from error
