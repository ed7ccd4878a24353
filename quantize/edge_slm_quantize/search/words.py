"""Figures of metrics and durations as a person reads them, in the interface's language."""

from edge_slm.bench.tables import NONE, number
from edge_slm.i18n import decimal, size, t
from edge_slm_quantize.metrics import METRICS


def amount(metric: str, value: float | None) -> str:
    """Return a metric's value with its unit; “–” for None."""
    unit = METRICS[metric].unit if metric in METRICS else ""
    if value is None:
        return NONE
    match unit:
        case "bytes":
            return size(value)
        case "seconds":
            return f"{number(value)} s"
        case "joules":
            return f"{number(value)} J"
        case "tokens/s":
            return t("{n} tok/s", "{n} jetons/s", n=number(value))
        case "share":
            return decimal(value, 4)
        case _:
            return number(value)


def duration(seconds: float) -> str:
    """Return a duration: “40 s”, “3 min 20 s”, “2 h 05 min”."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
