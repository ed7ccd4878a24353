"""Measure a GGUF file, of a chat model or an embedder, against the source.

Speed comes first, while this process holds next to nothing. Chat models run in workers as the
assistant runs them, except for divergence (scores.py); embedders in this process, as its workers
do.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np

from edge_slm.answer import ModelUsed
from edge_slm.assistant import Assistant
from edge_slm.bench.runtime.states import own_states
from edge_slm.engines import ChatEngine
from edge_slm.engines.llama.embedding import LlamaEmbedder
from edge_slm.engines.loaded import Engines
from edge_slm_quantize.gguf import scores
from edge_slm_quantize.gguf.source_file import source_gguf
from edge_slm_quantize.measure import divergence, speed, suites, vectors
from edge_slm_quantize.measure.reference import Reference, reference
from edge_slm_quantize.measure.sheet import Sheet
from edge_slm_quantize.measure.speed import Figures
from edge_slm_quantize.records import Artefact, Measured, Order

DIVERGENCE = ("kld", "kld_low", "kld_high", "kld_p99", "top1_agreement", "perplexity")
SPEED = (
    "prefill_tokens_per_second",
    "tokens_per_second",
    "cpu_seconds_per_100",
    "joules_per_100",
    "ram",
)
VECTORS = ("cosine", "neighbours")
ITEMS = ("seconds_per_item", "ram")
SIZE = ("size", "bits_per_weight", "hexagon")
TIMED = 24  # passages that one timed run embeds: some seconds for E5 on two cores
COMPARED = 200  # passages that vectors are compared on: a share within 7 points of the truth
_BEFORE = 24  # tokens shown before a flip


def measure(order: Order, artefact: Artefact, path: Path) -> Measured:
    """Measure what a recipe made.

    Args:
        order: what is asked for, and the source.
        artefact: what `make` returned.
        path: its file.
    Raises:
        UsageError: the user's own texts or data cannot be used.
    """
    sheet = Sheet(order.metrics)
    sheet.measure("size", SIZE, lambda: _size(artefact))
    if order.source.task == "chat":
        _chat(sheet, order, path, lambda: _divergence(order, path))
    elif order.source.task == "embed":
        source = source_gguf(order)
        _embed(sheet, order, path, lambda: _compared(order, source, path))
    return sheet.measured()


def measure_reference(order: Order, path: Path) -> Measured:
    """Measure the source itself, for gates that name the reference; raises as `measure` does.

    Args:
        order: what is asked for, and the source.
        path: of the source; one of safetensors is measured as the GGUF file made of it.
    """
    sheet = Sheet(order.metrics)
    if order.source.format != "gguf":
        path = source_gguf(order)
    if order.source.task == "chat":
        _chat(sheet, order, path, lambda: _own(order))
    elif order.source.task == "embed":
        _embed(sheet, order, path, lambda: ({"cosine": 1.0, "neighbours": 1.0}, {}, {}))
    return sheet.measured()


def _size(artefact: Artefact) -> Figures:
    values = {"size": float(artefact.bytes), "bits_per_weight": artefact.bits_per_weight}
    hexagon = artefact.details.get("hexagon")
    if hexagon:
        values["hexagon"] = hexagon["share"]
    return values, {}, {}


def _chat(sheet: Sheet, order: Order, path: Path, compared: Callable[[], Figures]) -> None:
    sheet.measure("speed", SPEED, lambda: speed.of_chat(path))
    sheet.measure("divergence", DIVERGENCE, compared)
    sheet.measure("faq_accuracy", ["faq_accuracy"], lambda: _asked(order, path, "faq_accuracy"))
    sheet.measure("refusals", ["refusals"], lambda: _asked(order, path, "refusals"))
    sheet.measure("chrf", ["chrf"], lambda: _translated(order, path))


def _embed(sheet: Sheet, order: Order, path: Path, compared: Callable[[], Figures]) -> None:
    sheet.measure("speed", ITEMS, lambda: _timed(order, path))
    sheet.measure("vectors", VECTORS, compared)
    sheet.measure("recall_at_5", ["recall_at_5"], lambda: _recall(order, path))


def kept_reference(order: Order) -> Reference:
    """Return the source's log-probabilities on the order's texts, made once a job.

    Raises:
        UsageError: the texts are too short.
        IntegrityError: the source gives numbers that are none.
        EdgeSlmError: the disk is full.
    """
    import llama_cpp

    source = source_gguf(order)
    chunks = scores.tokenise(source, order.texts.evaluation, order.tokens)
    return reference(
        Path(order.folder) / "shared",
        f"{order.source.sha256} gguf llama-cpp-python {llama_cpp.__version__}",
        chunks,
        lambda: scores.log_probabilities(source, chunks, order.threads),
    )


def _divergence(order: Order, path: Path) -> Figures:
    kept = kept_reference(order)
    rows = scores.log_probabilities(path, kept.about.chunks, order.threads)
    found = divergence.compare(kept, rows)
    details = msgspec.to_builtins(found)
    details["flips"] = _told(order, kept, found.flips)
    return divergence.values(found), details, {}


def _told(order: Order, kept: Reference, flips: Sequence[divergence.Flip]) -> list[dict[str, Any]]:
    """Return flips with their texts: the end of what was read before, and both successors."""
    groups: list[Sequence[int]] = []
    for flip in flips:
        chunk = kept.about.chunks[flip.chunk]
        at = len(chunk) - kept.scored + flip.place
        groups += [chunk[max(0, at - _BEFORE) : at], [flip.reference], [flip.candidate]]
    texts = scores.texts_of(source_gguf(order), groups)
    names = ("before", "reference_text", "candidate_text")
    return [
        {**msgspec.to_builtins(flip), **dict(zip(names, texts[3 * at :], strict=False))}
        for at, flip in enumerate(flips)
    ]


def _own(order: Order) -> Figures:
    values, details = divergence.reference_values(kept_reference(order))
    return values, details, {}


@contextmanager
def _running(path: Path) -> Iterator[tuple[ChatEngine, ModelUsed]]:
    with own_states(), closing(Engines(str(path.absolute()))) as engines:
        yield engines.chat()


def _asked(order: Order, path: Path, name: Literal["faq_accuracy", "refusals"]) -> Figures:
    suite = suites.faq_accuracy if name == "faq_accuracy" else suites.refusals
    with _running(path) as chat:
        return suite(chat, order.suites)


def _translated(order: Order, path: Path) -> Figures:
    with own_states(), Assistant.open(model=str(path.absolute()), kb=()) as assistant:
        return suites.chrf(
            lambda text, source, target: assistant.translate(text, source, target).text,
            order.suites,
        )


@contextmanager
def _embedder(order: Order, path: Path) -> Iterator[LlamaEmbedder]:
    with closing(LlamaEmbedder(path)) as embedder:
        if order.source.embed:
            embedder.QUERY_PREFIX = order.source.embed.query_prefix
            embedder.PASSAGE_PREFIX = order.source.embed.passage_prefix
        yield embedder


def _timed(order: Order, path: Path) -> Figures:
    texts = order.texts.evaluation[:TIMED]

    with _embedder(order, path) as embedder:

        def run() -> float:
            return float(len(embedder.embed_passages(texts)))

        return speed.of_items(run)


def _compared(order: Order, source: Path, path: Path) -> Figures:
    texts = order.texts.evaluation[:COMPARED]
    with _embedder(order, source) as embedder:
        theirs = embedder.embed_passages(texts)
    with _embedder(order, path) as embedder:
        ours = embedder.embed_passages(texts)
    values, details = vectors.compare(theirs, ours)
    return values, details, {}


def _recall(order: Order, path: Path) -> Figures:
    with _embedder(order, path) as embedder:

        def embed(texts: list[str], kind: Literal["query", "passage"]) -> vectors.Vectors:
            if kind == "passage":
                return embedder.embed_passages(texts)
            return np.stack([embedder.embed_query(text) for text in texts])

        return suites.recall_at_5(embed, order.suites)
