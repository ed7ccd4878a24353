"""Vectors of a compiled encoder against those of its fp32 graph: on the CPU, in the simulator."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from edge_slm_quantize.measure.vectors import Vectors, cosines, same_neighbours
from edge_slm_quantize.npu import feeds, qnn_graphs, qnn_session
from edge_slm_quantize.npu.feeds import Feed
from edge_slm_quantize.onnx.sessions import session
from edge_slm_quantize.records import Order
from edge_slm_quantize.sources.pooling import Pooling, pooled

METRICS = ("cosine", "neighbours", "simulated_cosine")
# Texts compared on the CPU (30 to 70 ms each for MiniLM) and in the simulator (2 to 5 s each).
TEXTS = 60
SIMULATED = 8

Judged = tuple[dict[str, float], dict[str, Any], dict[str, str]]


def judge(order: Order, path: Path) -> Judged:
    """Return the values of METRICS, details, and what is absent.

    Args:
        order: its evaluation texts are embedded.
        path: the artefact's folder.

    Raises:
        UsageError: there are fewer than three texts.
    """
    texts = feeds.texts_to_judge(order.texts.evaluation, TEXTS)
    about = qnn_graphs.fp32(order)
    assert about.pooling is not None, about  # an encoder's graphs have one
    inputs = qnn_graphs.texts_feeds(order, texts)
    here = session(qnn_graphs.graph(order, "encoder", "fp32"), order.threads)
    reference = vectors(here, inputs, about.pooling)
    simulator = qnn_session.open_compiled(path / "encoder_ctx.onnx", qnn_graphs.npu_of(order))
    simulated = vectors(simulator, inputs[:SIMULATED], about.pooling)
    number = len(simulated)
    near = cosines(reference[:number], simulated)
    details: dict[str, Any] = {
        "simulated_texts": number,
        "simulated_cosine_least": float(near.min()),
    }
    values = {"simulated_cosine": float(near.mean())}
    if order.recipe == "qnn-a16w8":
        qnn_graphs.quantised(order)
        graph = qnn_graphs.graph(order, "encoder", "a16w8")
        judged = vectors(session(graph, order.threads), inputs, about.pooling)
        details["judged_on"] = "cpu"
        details["simulator_from_cpu"] = float(cosines(judged[:number], simulated).mean())
    else:
        reference, judged = reference[:number], simulated
        details["judged_on"] = "simulator"
    found = cosines(reference, judged)
    neighbours = float(same_neighbours(reference, judged).mean())
    values |= {"cosine": float(found.mean()), "neighbours": neighbours}
    return values, {**details, "texts": len(judged), "cosine_least": float(found.min())}, {}


def vectors(graph: Any, inputs: Sequence[Feed], pooling: Pooling) -> Vectors:
    """Return the vector of each text, [N, H], by a graph that is open in any session."""
    rows = [
        pooled(graph.run(["hidden"], feed)[0][0], feed["attention_mask"][0], pooling)
        for feed in inputs
    ]
    return np.stack(rows)
