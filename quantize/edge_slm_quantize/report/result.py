"""What a whole job found: plain data, from which every report is written.

`as_json` is the shape that programs read; it keeps absent figures as null.
"""

from typing import Any

import msgspec

from edge_slm.bench.record import Machine
from edge_slm_quantize.metrics import METRICS
from edge_slm_quantize.records import Artefact, Made, Measured, Source, Target
from edge_slm_quantize.search.gate import Part
from edge_slm_quantize.search.plan import Plan

_WORDS = "flips"  # within the details of divergence: they quote the user's texts
# Keys that each recipe has, whether or not they were measured.
_ALWAYS = ("kld", "kld_low", "kld_high", "top1_agreement", "tokens_per_second")


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """One recipe.

    passed: whether the gate holds; None where nothing was judged. parts: its comparisons.
    dropped: why it was not measured in full: left out of the plan, by the proxy, or no time left.
    error: the sentence that making or measuring it ended with; `kind` is the error's class.
    """

    recipe: str
    made: Made | None = None
    measured: Measured | None = None
    passed: bool | None = None
    parts: tuple[Part, ...] = ()
    dropped: str | None = None
    error: str | None = None
    kind: str = ""

    @property
    def artefact(self) -> Artefact | None:
        """What was made, if anything was."""
        return self.made.artefact if self.made else None

    def value(self, metric: str) -> float | None:
        """Return a figure; None where it was not measured."""
        if self.artefact and metric == "size":
            return float(self.artefact.bytes)
        if self.artefact and metric == "bits_per_weight":
            return self.artefact.bits_per_weight
        return self.measured.values.get(metric) if self.measured else None


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """A job.

    chosen: recipe of the smallest artefact that passes. nearest: a sentence on the recipe that
    misses by least, where none passes. speed_note: what the speeds are not (search/probe).
    stopped: why the job ended early. reference: values of the source itself.
    path: where the chosen model is. card, card_sha256: id and hash of the card that was written.
    """

    source: Source
    target: Target
    gate: str
    chosen: str | None
    nearest: str | None = None
    recipes: tuple[Outcome, ...]
    reference: Measured
    plan: Plan
    texts_origin: str
    texts_sha256: str
    machine: Machine
    speed_note: str | None = None
    stopped: str | None = None
    notes: tuple[str, ...] = ()
    path: str | None = None
    card: str | None = None
    card_sha256: str | None = None
    seconds: float = 0.0
    command: str
    versions: dict[str, str]
    date: str

    @property
    def chosen_outcome(self) -> Outcome | None:
        """The outcome of the chosen recipe."""
        return next((one for one in self.recipes if one.recipe == self.chosen), None)


def without_words(outcome: Outcome) -> Outcome:
    """Return an outcome without what quotes the texts that it was measured on."""
    measured = outcome.measured
    if measured is None:
        return outcome
    details = {
        name: {key: value for key, value in part.items() if key != _WORDS}
        if isinstance(part, dict)
        else part
        for name, part in measured.details.items()
    }
    return msgspec.structs.replace(
        outcome, measured=msgspec.structs.replace(measured, details=details)
    )


def words(outcome: Outcome) -> list[dict[str, Any]]:
    """Return the places at which the likeliest token changed, the worst first, with their words."""
    part = outcome.measured.details.get("divergence") if outcome.measured else None
    return list(part.get(_WORDS, ())) if isinstance(part, dict) else []


def as_json(result: Result) -> dict[str, Any]:
    """Return a job as JSON data: `chosen`, `gate`, `recipes`, then what they must be read with."""
    whole: dict[str, Any] = msgspec.to_builtins(result)
    first = {
        "chosen": result.chosen,
        "gate": result.gate,
        "nearest": result.nearest,
        "recipes": [_row(outcome) for outcome in result.recipes],
    }
    return {**first, **{key: value for key, value in whole.items() if key not in first}}


def _row(outcome: Outcome) -> dict[str, Any]:
    artefact, made, measured = outcome.artefact, outcome.made, outcome.measured
    values = {name: outcome.value(name) for name in _ALWAYS}
    values |= {name: value for name in METRICS if (value := outcome.value(name)) is not None}
    values.pop("size", None)
    return {
        "recipe": outcome.recipe,
        "bytes": artefact.bytes if artefact else None,
        "bits_per_weight": artefact.bits_per_weight if artefact else None,
        **values,
        "passed": outcome.passed,
        "parts": msgspec.to_builtins(outcome.parts),
        "absent": measured.absent if measured else {},
        "dropped": outcome.dropped,
        "error": outcome.error,
        "format": artefact.format if artefact else None,
        "types": artefact.types if artefact else {},
        "fallbacks": list(artefact.fallbacks) if artefact else [],
        "sha256": made.sha256 if made else None,
        "seconds_to_make": made.seconds if made else None,
        "seconds_in_library": artefact.call_seconds if artefact else None,
        "cpu_seconds_to_make": made.cpu_seconds if made else None,
        "peak_bytes_to_make": made.peak_bytes if made else None,
        "seconds_to_measure": measured.seconds if measured else None,
        "details": {
            "artefact": artefact.details if artefact else {},
            "measured": measured.details if measured else {},
        },
    }
