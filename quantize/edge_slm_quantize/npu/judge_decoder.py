"""Next tokens of a compiled chat model against those of its fp32 graphs: CPU and simulator.

A window of S tokens is read and its second half is scored, as for every other format
(measure/reference). The graph of one token is judged apart, at some places of those windows.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from edge_slm.errors import IntegrityError
from edge_slm.i18n import t
from edge_slm_quantize.measure import divergence
from edge_slm_quantize.measure.divergence import Divergence
from edge_slm_quantize.measure.reference import Reference, Rows, log_softmax, reference
from edge_slm_quantize.npu import feeds, qnn_graphs, qnn_session, sink
from edge_slm_quantize.npu.feeds import Feed, Sink
from edge_slm_quantize.onnx.sessions import session
from edge_slm_quantize.records import Order
from edge_slm_quantize.workspace import key_of

METRICS = ("kld", "kld_low", "kld_high", "kld_p99", "top1_agreement", "simulated_kld")
# Windows read in the simulator, 17 to 40 s each for SmolLM2-135M on two cores; an interval needs
# two. Windows at whose places the graph of one token is tried, 5 s a token.
SIMULATED = 2
WRITTEN = 1
_OTHERS = METRICS[:-1]

Judged = tuple[dict[str, float], dict[str, Any], dict[str, str]]


def judge(order: Order, path: Path) -> Judged:
    """Return the values of METRICS, details, and what is absent.

    Args:
        order: `tokens` of its evaluation texts are read.
        path: the artefact's folder.

    Raises:
        UsageError: the texts hold fewer than two windows.
        IntegrityError: the graph on the CPU gives no numbers.
    """
    qnn_graphs.fp32(order)
    npu = qnn_graphs.npu_of(order)
    windows = qnn_graphs.evaluation(order, max(SIMULATED, order.tokens // npu.sequence))
    first = sink.read(qnn_graphs.folder_of(order) / sink.FILE)
    few = windows[:SIMULATED]
    values: dict[str, float] = {}
    details: dict[str, Any] = {}
    absent: dict[str, str] = {}
    if order.recipe == "qnn-a16w8":
        qnn_graphs.quantised(order)
        found = _cpu(order, windows, first)
        values = {
            name: value for name, value in divergence.values(found).items() if name in _OTHERS
        }
        details |= {"judged_on": "cpu", "windows": len(windows), "ratio": found.perplexity_ratio}
        details["written_kld"] = _written(order, few, path, simulated=False)
    try:
        simulated = _simulated(order, few, first, path)
        details["simulated_written_kld"] = _written(order, few, path, simulated=True)
    except IntegrityError as error:  # not a number
        absent = dict.fromkeys(METRICS, str(error))
    else:
        here = divergence.values(simulated)
        details["simulated_top1_agreement"] = here["top1_agreement"]
        if not values:
            values = {name: here[name] for name in _OTHERS}
            details["judged_on"] = "simulator"
        values["simulated_kld"] = simulated.kld
    return values, {**details, "simulated_windows": len(few)}, absent


def _cpu(order: Order, windows: list[list[int]], first: Sink) -> Divergence:
    known = _reference(order, windows, first)
    graph = session(qnn_graphs.graph(order, "read", "a16w8"), order.threads)
    return divergence.compare(known, scored(graph, windows, first))


def _simulated(order: Order, windows: list[list[int]], first: Sink, path: Path) -> Divergence:
    known = _reference(order, windows, first)
    graph = qnn_session.open_compiled(path / "read_ctx.onnx", qnn_graphs.npu_of(order))
    return divergence.compare(known, scored(graph, windows, first))


def _reference(order: Order, windows: list[list[int]], first: Sink) -> Reference:
    graph = qnn_graphs.graph(order, "read", "fp32")

    def scores() -> Iterable[Rows]:
        return scored(session(graph, order.threads), windows, first)

    folder = qnn_graphs.folder_of(order)
    return reference(folder, key_of("qnn", order.source.sha256, first.tokens), windows, scores)


def scored(graph: Any, windows: Sequence[Sequence[int]], first: Sink) -> Iterator[Rows]:
    """Yield the log-probabilities of the second half of each window, [S / 2, V].

    Args:
        graph: the session of the one that reads.
        windows: token ids. first: the sink.
    """
    for ids in windows:
        (logits,) = graph.run(["logits"], feeds.reading_feed(ids, first))
        half = len(ids) // 2
        # The distribution of a token comes out where the one before it went in.
        yield log_softmax(np.array(logits[0, half - 1 : len(ids) - 1], np.float32))


def _written(order: Order, windows: list[list[int]], path: Path, *, simulated: bool) -> list[float]:
    """Return the KL divergence of the graph of one token, at each place that is tried."""
    inputs = qnn_graphs.writing_feeds(order, windows[:WRITTEN])
    here = session(qnn_graphs.graph(order, "write", "fp32"), order.threads)
    if simulated:
        other = qnn_session.open_compiled(path / "write_ctx.onnx", qnn_graphs.npu_of(order))
    else:
        other = session(qnn_graphs.graph(order, "write", "a16w8"), order.threads)
    return [_one(here, other, feed) for feed in inputs]


def _one(here: Any, other: Any, feed: Feed) -> float:
    ours, theirs = (
        log_softmax(np.array(graph.run(["logits"], feed)[0][0], np.float32))
        for graph in (here, other)
    )
    found = float(divergence.divergences(ours, theirs)[0])
    if not np.isfinite(found):
        raise IntegrityError(
            t(
                "The compiled graph of one token gives numbers that are none (NaN).",
                "Le graphe compilé d'un jeton donne des nombres qui n'en sont pas (NaN).",
            )
        )
    return found
