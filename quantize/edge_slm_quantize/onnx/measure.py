"""Measure an ONNX folder against the source: divergence, vectors, words heard, speed.

Chat models are compared with the source itself as llama.cpp runs it, on the same tokens, so that
recipes of all formats meet the same reference. The divergence of onnx-fp32 is then what the two
engines differ by: the floor of all others. Vectors are compared with the fp32 graph's.
"""

from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np

from edge_slm.bench.measure import repeated
from edge_slm.i18n import t
from edge_slm.machine import compute_threads
from edge_slm_quantize.gguf.measure import (
    COMPARED,
    DIVERGENCE,
    ITEMS,
    SPEED,
    TIMED,
    VECTORS,
    kept_reference,
)
from edge_slm_quantize.measure import divergence, speed, suites, vectors
from edge_slm_quantize.measure.sheet import Sheet
from edge_slm_quantize.measure.speed import Figures
from edge_slm_quantize.onnx import decoder
from edge_slm_quantize.onnx.embed import Encoder, model_file
from edge_slm_quantize.onnx.export import export
from edge_slm_quantize.onnx.make import hf_folder
from edge_slm_quantize.onnx.speech import RATE, Transcriber
from edge_slm_quantize.records import Artefact, Measured, Order
from edge_slm_quantize.sources import tokenizers
from edge_slm_quantize.sources.pooling import pooled, pooling_of

SIZE = ("size", "bits_per_weight")
_SUITES = ("faq_accuracy", "refusals", "chrf")
READ, WRITTEN, REPEATS = 400, 64, 3  # tokens and runs, as bench.quant and measure.speed have them


def measure(order: Order, artefact: Artefact, path: Path) -> Measured:
    """Measure what a recipe made.

    Args:
        order: what is asked for, and the source.
        artefact: what `make` returned.
        path: its folder.
    Raises:
        UsageError: the user's own texts or data cannot be used.
    """
    sheet = Sheet(order.metrics)
    sheet.measure("size", SIZE, lambda: _size(artefact))
    if order.source.task == "chat":
        sheet.measure("speed", SPEED, lambda: _speed(order, path))
        sheet.measure("divergence", DIVERGENCE, lambda: _divergence(order, path))
        sheet.measure("suites", _SUITES, _no_engine)
    elif order.source.task == "embed":
        sheet.measure("speed", ITEMS, lambda: _timed(order, path))
        sheet.measure("vectors", VECTORS, lambda: _compared(order, path))
        sheet.measure("recall_at_5", ["recall_at_5"], lambda: _recall(order, path))
    elif order.source.task == "speech":
        sheet.measure("speed", ITEMS, lambda: _heard_speed(order, path))
        sheet.measure("wer", ["wer"], lambda: _wer(order, path))
    else:
        sheet.measure("suites", ("chrf", *ITEMS), _no_translation)
    return sheet.measured()


def _size(artefact: Artefact) -> Figures:
    return (
        {"size": float(artefact.bytes), "bits_per_weight": artefact.bits_per_weight},
        {},
        {},
    )


def _divergence(order: Order, path: Path) -> Figures:
    kept = kept_reference(order)
    rows = decoder.log_probabilities(model_file(path), kept.about.chunks, order.threads)
    found = divergence.compare(kept, rows)
    details = msgspec.to_builtins(found)
    details["reference"] = t(
        "The source as llama.cpp computes it, on the same tokens; onnx-fp32 tells what the engines "
        "differ by.",
        "La source telle que llama.cpp la calcule, sur les mêmes jetons ; onnx-fp32 dit ce dont "
        "diffèrent les moteurs.",
    )
    return divergence.values(found), details, {}


def _speed(order: Order, path: Path) -> Figures:
    file = model_file(path)
    opened = decoder.Decoder(file, order.threads)
    tokenizer = tokenizers.load(file.parent / tokenizers.FILE)
    text = "\n\n".join(order.texts.evaluation)
    ids = tokenizer.encode(text, add_special_tokens=False).ids
    ids = ids * (-(-READ * (REPEATS + 1) // max(1, len(ids))))  # a short text comes again
    passage = (ids[at * READ : (at + 1) * READ] for at in count())
    runs = repeated(lambda: opened.write(next(passage), WRITTEN), repeats=REPEATS)
    values: dict[str, float] = {
        "prefill_tokens_per_second": _median([one.read / one.reading_s for one in runs.outcomes]),
        "tokens_per_second": _median([one.written / one.writing_s for one in runs.outcomes]),
        "ram": float(max(one.peak_bytes for one in runs.runs)),
    }
    absent = {}
    for name, key in (("cpu_seconds_per_100", "cpu_seconds"), ("joules_per_100", "joules")):
        spent = [getattr(one.writing, key) for one in runs.outcomes]
        known = [100 * value / WRITTEN for value in spent if value is not None]
        if known:
            values[name] = _median(known)
        else:
            absent[name] = t("This machine does not tell.", "Cette machine ne le dit pas.")
    details = {
        "read": READ,
        "written": WRITTEN,
        "repeats": REPEATS,
        "threads": order.threads or compute_threads(),
        "joules_method": runs.outcomes[0].writing.method,
        "load": runs.conditions.load,
        "note": runs.conditions.note,
    }
    return values, details, absent


def _no_engine() -> Figures:
    why = t(
        "Edge-SLM answers with GGUF models only: no suite runs on a chat model in ONNX.",
        "Edge-SLM ne répond qu'avec des modèles GGUF : aucune suite ne tourne sur un modèle de "
        "chat en ONNX.",
    )
    return {}, {}, dict.fromkeys(_SUITES, why)


def _no_translation() -> Figures:
    why = t(
        "Translation models in ONNX are made and loaded, not run: take a ct2 recipe to score them.",
        "Les modèles de traduction en ONNX sont faits et chargés, pas exécutés : prenez une "
        "recette ct2 pour les noter.",
    )
    return {}, {}, dict.fromkeys(("chrf", *ITEMS), why)


def _encoder(order: Order, path: Path) -> Callable[[list[str]], vectors.Vectors]:
    """Return a function that embeds texts, of an encoder that stays loaded."""
    file = model_file(path)
    encoder = Encoder(file, order.threads, order.source.context)
    how = pooling_of(file.parent)
    return lambda texts: np.stack([pooled(*encoder.tokens_of(text), how) for text in texts])


def _passages(order: Order, most: int) -> list[str]:
    prefix = order.source.embed.passage_prefix if order.source.embed else ""
    return [prefix + text for text in order.texts.evaluation[:most]]


def _timed(order: Order, path: Path) -> Figures:
    embed = _encoder(order, path)
    texts = _passages(order, TIMED)
    return speed.of_items(lambda: float(len(embed(texts))))


def _compared(order: Order, path: Path) -> Figures:
    fp32 = export(order.source, hf_folder(order), Path(order.folder) / "shared")
    texts = _passages(order, COMPARED)
    values, details = vectors.compare(_encoder(order, fp32)(texts), _encoder(order, path)(texts))
    return values, details, {}


def _recall(order: Order, path: Path) -> Figures:
    encode = _encoder(order, path)
    about = order.source.embed
    prefixes = {
        "query": about.query_prefix if about else "",
        "passage": about.passage_prefix if about else "",
    }

    def embed(texts: list[str], kind: Literal["query", "passage"]) -> vectors.Vectors:
        return encode([prefixes[kind] + text for text in texts])

    return suites.recall_at_5(embed, order.suites)


def _wer(order: Order, path: Path) -> Figures:
    return suites.wer(Transcriber(path, order.threads).transcribe, order.suites)


def _heard_speed(order: Order, path: Path) -> Figures:
    from edge_slm_quantize.extra import need
    from edge_slm_quantize.measure import suite_data

    audio = suite_data.recordings(order.suites)[0][0]
    seconds = len(need("faster_whisper.audio").decode_audio(str(audio), sampling_rate=RATE)) / RATE
    opened = Transcriber(path, order.threads)

    def run() -> float:
        opened.transcribe(audio)
        return float(seconds)

    return speed.of_items(run)


def _median(values: list[Any]) -> float:
    return float(np.median(values))
