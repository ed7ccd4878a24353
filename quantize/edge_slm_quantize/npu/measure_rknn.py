"""What an RKNN artefact is worth: delegated, and correct, which are two things.

Vectors are those of the toolkit's simulator, against the fp32 graph's on the CPU. The simulator
does not read .rknn files: the same graph is built again, with the same calibration, and that is
what is judged. It gives neither speed nor energy.
"""

from pathlib import Path
from typing import Any

import numpy as np

from edge_slm.i18n import t
from edge_slm_quantize.measure.vectors import cosines, same_neighbours
from edge_slm_quantize.npu import feeds, rknn_build
from edge_slm_quantize.onnx.sessions import session
from edge_slm_quantize.records import Artefact, Measured, Order
from edge_slm_quantize.sources.pooling import pooled

_SIMULATED = ("simulated_cosine", "cosine", "neighbours")
_HARDWARE = ("seconds_per_item", "ram")
TEXTS = 24  # in the simulator, half a second each for MiniLM


def measure(order: Order, artefact: Artefact, path: Path) -> Measured:
    """Measure a compiled encoder.

    Args:
        order: with the metrics that are asked.
        artefact: what make_rknn gave. path: its folder.

    Raises:
        MissingError: the toolkit's environment is not made.
        UsageError: there are fewer than three texts to judge on.
        EdgeSlmError: the toolkit fails.
    """
    values = {
        "size": float(artefact.bytes),
        "bits_per_weight": artefact.bits_per_weight,
        "delegated": float(artefact.details["delegation"]["encoder"]["share"]),
    }
    details: dict[str, Any] = {}
    if set(order.metrics) & set(_SIMULATED):
        found, details = _simulated(order)
        values |= found
    return Measured(
        values={name: value for name, value in values.items() if name in order.metrics},
        absent={name: _why(name) for name in order.metrics if name not in values},
        details=details,
    )


def _simulated(order: Order) -> tuple[dict[str, float], dict[str, Any]]:
    texts = feeds.texts_to_judge(order.texts.evaluation, TEXTS)
    graph = rknn_build.graph(order)
    given = rknn_build.inputs(order, texts)
    built = rknn_build.build(order, None, given)
    fp32 = session(graph.path, order.threads)

    def vectors(hidden: Any) -> Any:
        pairs = zip(hidden, given, strict=True)
        return np.stack(
            [pooled(one[0], f["attention_mask"][0], graph.about.pooling) for one, f in pairs]
        )

    reference = vectors([fp32.run(["hidden"], feed)[0] for feed in given])
    simulated = vectors([one.astype(np.float32) for one in built.outputs])
    near = cosines(reference, simulated)
    mean = float(near.mean())
    values = {
        "simulated_cosine": mean,
        "cosine": mean,
        "neighbours": float(same_neighbours(reference, simulated).mean()),
    }
    return values, {
        "judged_on": "simulator",
        "texts": len(texts),
        "cosine_least": float(near.min()),
        "seconds_per_simulated_text": built.simulate_seconds / len(texts),
    }


def _why(name: str) -> str:
    if name in _HARDWARE:
        return t(
            "Speed, memory and energy on the NPU are not measurable here: the simulator computes "
            "what the chip would, at its own pace.",
            "La vitesse, la mémoire et l'énergie sur le NPU ne sont pas mesurables ici : le "
            "simulateur calcule ce que ferait la puce, à son rythme.",
        )
    return t(
        "No engine of this program runs a compiled model, so that no task can be done with it.",
        "Aucun moteur de ce programme n'exécute un modèle compilé : aucune tâche ne peut être "
        "faite avec lui.",
    )
