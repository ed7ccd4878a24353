"""What reading and writing with a chat model takes, or one item with any other.

The figures are those of `edge-slm bench quant` and of its way to measure: clock and meter for each
run, memory of all processes while warming up. Run it first in a process: what that holds counts.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from edge_slm.bench import quant
from edge_slm.bench.measure import repeated
from edge_slm.bench.record import Case
from edge_slm.errors import EdgeSlmError
from edge_slm.i18n import t

REPEATS = 3  # timed runs, after one that is not

Figures = tuple[dict[str, float], dict[str, Any], dict[str, str]]


def of_chat(path: Path, repeats: int = REPEATS) -> Figures:
    """Measure a GGUF chat model as the assistant runs it.

    Returns:
        values by name (metrics.METRICS), details, and why some are absent.
    Raises:
        EdgeSlmError: the model cannot be run, or writes nothing.
    """
    cases, stopped = quant.run(quant.specs([str(path)]), repeats, lambda _: None)
    if stopped:
        raise stopped[0][1]
    return figures(cases[0])


def figures(case: Case) -> Figures:
    """Return the figures of a case of bench.quant."""
    more = case.more
    found = {
        "prefill_tokens_per_second": more["read_tokens_per_s"],
        "tokens_per_second": case.tokens_per_s,
        "cpu_seconds_per_100": more["cpu_seconds_per_100_written"],
        "joules_per_100": more["joules_per_100_written"],
        "ram": case.peak_bytes,
    }
    values = {name: float(value) for name, value in found.items() if value is not None}
    why = t("This machine does not tell.", "Cette machine ne le dit pas.")
    absent = {name: why for name in found if name not in values}
    details = {
        "repeats": case.repeats,
        "seconds": [case.seconds_low, case.seconds, case.seconds_high],
        "threads": more["threads"],
        "joules_low": more["joules_low_per_100_written"],
        "joules_high": more["joules_high_per_100_written"],
        "joules_method": case.joules_method,
        "load": case.conditions.load,
        "note": case.conditions.note,
    }
    return values, details, absent


def of_items(run: Callable[[], float], repeats: int = REPEATS) -> Figures:
    """Measure what any model does to one batch of items.

    Args:
        run: does them; returns how many there were: texts, or seconds of sound.
        repeats: timed runs, after one that is not.
    Returns:
        as `of_chat`: seconds_per_item and ram.
    Raises:
        EdgeSlmError: a run did nothing.
    """
    runs = repeated(run, repeats=repeats)
    if any(one.outcome <= 0 for one in runs.runs):
        raise EdgeSlmError(t("There is nothing to time.", "Il n'y a rien à chronométrer."))
    each = sorted(one.seconds / one.outcome for one in runs.runs)
    values = {
        "seconds_per_item": each[len(each) // 2],
        "ram": float(max(one.peak_bytes for one in runs.runs)),
    }
    joules = runs.runs[0].energy
    details = {
        "repeats": len(each),
        "items": runs.runs[0].outcome,
        "seconds_per_item": [each[0], each[len(each) // 2], each[-1]],
        "joules_method": joules.method,
        "load": runs.conditions.load,
        "note": runs.conditions.note,
    }
    return values, details, {}
