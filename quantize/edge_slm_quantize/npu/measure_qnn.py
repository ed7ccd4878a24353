"""What a QNN artefact is worth: delegated, and correct, which are two things.

Both are measured against the fp32 graph, on the evaluation texts:

- the A16W8 graph on the CPU (`cosine`, `neighbours`, `kld`, `top1_agreement`): quantisation alone;
- the compiled artefact itself in the HTP simulator (`simulated_cosine`, `simulated_kld`), on few
  texts, for each takes seconds.

Where the second is bad and the first is good, the fault is the NPU's arithmetic. An fp16 artefact
has no graph that the CPU computes alike: all its values are the simulator's.
"""

from pathlib import Path
from typing import Any

from edge_slm.i18n import t
from edge_slm_quantize.npu import judge_decoder, judge_encoder, qnn_session
from edge_slm_quantize.npu.qnn_session import PROVIDER
from edge_slm_quantize.records import Artefact, Measured, Order

_KNOWN = ("size", "bits_per_weight", "delegated")
_HARDWARE = (
    *("prefill_tokens_per_second", "tokens_per_second", "cpu_seconds_per_100", "joules_per_100"),
    *("seconds_per_item", "ram"),
)


def measure(order: Order, artefact: Artefact, path: Path) -> Measured:
    """Measure a compiled model.

    Args:
        order: with the metrics that are asked.
        artefact: what make_qnn gave. path: its folder.

    Raises:
        MissingError: this machine has no simulator.
        UsageError: the evaluation texts are too short.
        IntegrityError: the artefact or a graph is damaged, or the A16W8 graph gives no numbers.
    """
    chat = order.source.task == "chat"
    judge = judge_decoder if chat else judge_encoder
    values = {
        "size": float(artefact.bytes),
        "bits_per_weight": artefact.bits_per_weight,
        "delegated": delegated(artefact),
    }
    details: dict[str, Any] = {}
    absent: dict[str, str] = {}
    if set(order.metrics) & set(judge.METRICS):
        qnn_session.require()
        found, details, absent = judge.judge(order, path)
        values |= found
    for name in set(order.metrics) - set(values):
        absent.setdefault(name, _why(name))
    return Measured(
        values={name: value for name, value in values.items() if name in order.metrics},
        absent={
            name: why
            for name, why in absent.items()
            if name in order.metrics and name not in values
        },
        details=details,
    )


def delegated(artefact: Artefact) -> float:
    """Return the share of all nodes of an artefact's graphs that run on the NPU."""
    tables = [one["nodes"] for one in artefact.details["delegation"].values()]
    every = sum(sum(nodes.values()) for nodes in tables)
    return float(sum(nodes.get(PROVIDER, 0) for nodes in tables) / max(1, every))


def _why(name: str) -> str:
    if name in _HARDWARE:
        return t(
            "Speed, memory and energy on the NPU are not measurable here: the simulator computes "
            "what the chip would, at its own pace.",
            "La vitesse, la mémoire et l'énergie sur le NPU ne sont pas mesurables ici : le "
            "simulateur calcule ce que ferait la puce, à son rythme.",
        )
    if name == "hexagon":
        return t("Only GGUF files have it.", "Seuls les fichiers GGUF l'ont.")
    if name == "perplexity":
        return t(
            "A graph of a fixed, short window has no perplexity that compares with others'; see "
            "kld.",
            "Un graphe à fenêtre courte et fixe n'a pas de perplexité comparable aux autres ; voir "
            "kld.",
        )
    return t(
        "No engine of this program runs a compiled model, so that no task can be done with it.",
        "Aucun moteur de ce programme n'exécute un modèle compilé : aucune tâche ne peut être "
        "faite avec lui.",
    )
