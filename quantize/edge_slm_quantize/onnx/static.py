"""Weights and activations in int8, scales of activations measured beforehand on texts: QDQ.

Only products of matrices are rounded; sums, norms and softmax stay in float32. With those in 8 bits
too, the cosine of MiniLM's vectors was 0.84 in one run, with 96 texts. Scales are per channel for
weights and per tensor for activations.
"""

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from edge_slm.errors import UsageError
from edge_slm.i18n import t
from edge_slm_quantize.extra import need
from edge_slm_quantize.onnx import graph
from edge_slm_quantize.onnx.decoder import no_past
from edge_slm_quantize.onnx.dynamic import SPARED
from edge_slm_quantize.onnx.quiet import quiet
from edge_slm_quantize.onnx.sessions import session
from edge_slm_quantize.sources import tokenizers

# Texts at most, tokens of each, and texts at least. Guesses: how the scales move with more texts or
# fewer was not measured.
TEXTS, TOKENS, FEWEST = 64, 128, 8


def quantise(source: Path, out: Path, texts: Sequence[str], *, spare: bool) -> int:
    """Write a model whose products of matrices compute in int8.

    Args:
        source: the fp32 graph, beside its tokenizer.json.
        out: the file to write.
        texts: to calibrate on.
        spare: leave what dynamic.SPARED names in float32.
    Returns:
        how many texts the scales were measured on.
    Raises:
        UsageError: there are too few texts.
    """
    quantization = need("onnxruntime.quantization")
    feeds = list(_feeds(source, texts))
    if len(feeds) < FEWEST:
        raise UsageError(_too_short(len(feeds)))
    model = graph.load(source)
    with tempfile.TemporaryDirectory(prefix=".static-", dir=out.parent) as scratch, quiet():
        # The quantiser wants a file whose shapes are known, and writes others beside it.
        ready = Path(scratch) / "ready.onnx"
        quantization.quant_pre_process(
            str(source), str(ready), skip_symbolic_shape=True, skip_optimization=True
        )
        quantization.quantize_static(
            str(ready),
            str(out),
            calibration_reader(feeds),
            quant_format=quantization.QuantFormat.QDQ,
            op_types_to_quantize=["MatMul"],
            per_channel=True,
            activation_type=quantization.QuantType.QUInt8,
            weight_type=quantization.QuantType.QInt8,
            calibrate_method=quantization.CalibrationMethod.MinMax,
            nodes_to_exclude=graph.named(model, *SPARED) if spare else [],
            use_external_data_format=graph.shares([model])[1] > graph.PROTOBUF_BYTES,
            extra_options={"MatMulConstBOnly": True, "WeightSymmetric": True},
        )
    return len(feeds)


def _feeds(source: Path, texts: Sequence[str]) -> Iterator[dict[str, np.ndarray]]:
    """Yield what the graph takes, for each text that is worth it."""
    opened = session(source)
    wanted = {one.name for one in opened.get_inputs()}
    past = no_past(opened)
    tokenizer = tokenizers.load(source.parent / tokenizers.FILE)
    tokenizer.enable_truncation(TOKENS)
    for text in [one for one in texts if one.strip()][:TEXTS]:
        ids = np.array([tokenizer.encode(text).ids], np.int64)
        known = {
            "input_ids": ids,
            "attention_mask": np.ones_like(ids),
            "token_type_ids": np.zeros_like(ids),
            "position_ids": np.arange(ids.shape[1], dtype=np.int64)[None],
        }
        if ids.size:
            yield {name: value for name, value in known.items() if name in wanted} | past


def calibration_reader(feeds: Sequence[dict[str, Any]]) -> Any:
    """Return inputs of a graph, each for one run, as onnxruntime's CalibrationDataReader."""
    base = need("onnxruntime.quantization").CalibrationDataReader
    rest = iter(feeds)
    reader = type("Reader", (base,), {"get_next": lambda _: next(rest, None)})
    return reader()


def _too_short(found: int) -> str:
    return t(
        "The calibration text is too short: {found} texts, and static int8 needs {least}; give "
        "more with --text, or take onnx-int8-dynamic, which needs none.",
        "Le texte de calibration est trop court : {found} textes, et l'int8 statique en demande "
        "{least} ; donnez-en plus avec --text, ou prenez onnx-int8-dynamic, qui n'en demande pas.",
        found=found,
        least=FEWEST,
    )
