"""The estimate, where there is no meter: watts of a busy processor thread, by the processor's name.

A busy thread takes about the processor's rated power over its threads (Intel's base power, AMD's
TDP): a third of that when all others are busy too, three to four times as much when it is alone and
wakes the chip for itself. cpu_power.toml has the processors, these factors, and the measurements
behind both; codecarbon's rule (TDP x load, or 4 W a thread where the processor is unknown) is the
same model without an interval.

Does not know memory, disk, screen, power supply or the idle machine: the estimate is the
processor's alone, above idle. Nor how the maker of a computer has set its limits, which may be
far above the processor's base power: whoever knows better says so in EDGE_SLM_WATTS_PER_CORE.
"""

import functools
import math
import os
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

import msgspec

from edge_slm.errors import UsageError
from edge_slm.i18n import decimal, t

SETTING = "EDGE_SLM_WATTS_PER_CORE"
MOST_W = 1000.0
TABLE = Path(__file__).with_name("cpu_power.toml")


@dataclass(frozen=True)
class PowerModel:
    """Watts for one CPU-second of a busy thread.

    Attributes:
        low_w, typical_w, high_w: joules per CPU-second.
        basis: where they come from and what they leave out, one sentence for people.
    """

    low_w: float
    typical_w: float
    high_w: float
    basis: str


class Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Processors of one kind: `match` is found in their names, or `architectures` has theirs.

    One of three has the figures: `tdp_w` (watts of the whole processor) with `cores` and `threads`,
    each its least and most; `thread_w`, TDP over threads at three percentiles; `watts` of a core.
    """

    name: str
    source: str
    match: str | None = None
    architectures: tuple[str, ...] = ()
    tdp_w: tuple[float, float] | None = None
    cores: tuple[int, int] | None = None
    threads: tuple[int, int] | None = None
    thread_w: tuple[float, float, float] | None = None
    watts: tuple[float, float, float] | None = None


class Load(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Watts of a busy thread as multiples of TDP over threads."""

    low: float
    typical: float
    high: float


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """cpu_power.toml; a source is its English and its French name."""

    load: Load
    sources: dict[str, tuple[str, str]]
    processors: tuple[Row, ...]
    families: tuple[Row, ...]
    boards: tuple[Row, ...]

    @property
    def rows(self) -> tuple[Row, ...]:
        """All rows, in the order in which they are tried."""
        return self.processors + self.families + self.boards


@functools.cache
def table() -> Table:
    """Return cpu_power.toml, read once."""
    return msgspec.convert(tomllib.loads(TABLE.read_text(encoding="utf-8")), Table)


def power_model(cpu_name: str, architecture: str) -> PowerModel:
    """Return the model of a processor.

    Args:
        cpu_name: as the system names the processor, or the board it is on.
        architecture: as `platform.machine()` names it.

    Raises:
        UsageError: EDGE_SLM_WATTS_PER_CORE is set and is not one or three rising numbers.
    """
    if stated := os.environ.get(SETTING, "").strip():
        return _stated(stated)
    row = _row_of(cpu_name, architecture)
    if row is None:
        return _unknown()
    low, typical, high = _watts(row)
    return PowerModel(low, typical, high, _basis(row, low, typical, high))


def estimate(cpu_seconds: float, model: PowerModel) -> tuple[float, float, float]:
    """Return (low, typical, high) joules of so many seconds of processor time.

    Raises:
        ValueError: the seconds are negative or not finite.
    """
    if not 0 <= cpu_seconds < math.inf:
        raise ValueError(f"{cpu_seconds} seconds of processor time")
    return cpu_seconds * model.low_w, cpu_seconds * model.typical_w, cpu_seconds * model.high_w


def _stated(text: str) -> PowerModel:
    try:
        watts = [float(part) for part in text.split(",")]
    except ValueError:
        watts = []
    if len(watts) == 1:
        watts *= 3
    if len(watts) != 3 or not 0 < watts[0] <= watts[1] <= watts[2] <= MOST_W:
        raise UsageError(
            t(
                "{name} is “{text}”: give one number of watts, or three rising ones with commas, "
                "such as 2,4.5,9.",
                "{name} vaut « {text} » : donnez un nombre de watts, ou trois croissants séparés "
                "par des virgules, comme 2,4.5,9.",
                name=SETTING,
                text=text,
            )
        )
    low, typical, high = watts
    return PowerModel(low, typical, high, _sentence(SETTING, "", low, typical, high))


def _row_of(cpu_name: str, architecture: str) -> Row | None:
    # Longer than any name, and short enough that no expression takes long over it.
    name = cpu_name[:200]
    by_name = (r for r in table().rows if r.match and re.search(r.match, name, re.IGNORECASE))
    kind = architecture.lower()
    by_kind = (r for r in table().rows if kind in r.architectures)
    return next(by_name, None) or next(by_kind, None)


def _watts(row: Row) -> tuple[float, float, float]:
    """Return the watts of a busy thread: low, typical, high."""
    if row.watts is not None:
        return row.watts
    low, typical, high = row.thread_w or _share(row)
    load = table().load
    middle = typical * load.typical
    # How a part differs from its row, and one load from another, have nothing to do with each
    # other: their spreads, as logarithms, add like the sides of a right angle.
    below = math.hypot(math.log(typical / low), math.log(load.typical / load.low))
    above = math.hypot(math.log(high / typical), math.log(load.high / load.typical))
    return middle * math.exp(-below), middle, middle * math.exp(above)


def _share(row: Row) -> tuple[float, float, float]:
    """Return TDP over threads: least, geometric mean, most."""
    assert row.tdp_w is not None
    assert row.threads is not None
    low = row.tdp_w[0] / row.threads[1]
    high = row.tdp_w[1] / row.threads[0]
    return low, math.sqrt(low * high), high


def _unknown() -> PowerModel:
    """Return what holds for any processor of the table: the least and the most of its families."""
    general = [_watts(row) for row in table().rows if row.architectures]
    low = min(watts[0] for watts in general)
    high = max(watts[2] for watts in general)
    typical = math.sqrt(low * high)
    row = t("an unknown processor", "un processeur inconnu")
    return PowerModel(low, typical, high, _sentence(row, "", low, typical, high))


def _basis(row: Row, low: float, typical: float, high: float) -> str:
    source = t(*table().sources[row.source])
    if row.tdp_w is not None and row.cores is not None and row.threads is not None:
        facts = t(
            "{watts} W, {cores} cores, {threads} threads; ",
            "{watts} W, {cores} cœurs, {threads} fils ; ",
            watts=_span(row.tdp_w),
            cores=_span(row.cores),
            threads=_span(row.threads),
        )
        source = facts + source
    return _sentence(row.name, f" ({source})", low, typical, high)


def _span(ends: tuple[float, float]) -> str:
    low, high = (f"{end:g}" for end in ends)
    return low if low == high else t("{a} to {b}", "{a} à {b}", a=low, b=high)


def _sentence(row: str, source: str, low: float, typical: float, high: float) -> str:
    return t(
        "Estimated from processor time, the processor alone, without memory, screen or idling: "
        "{row}{source}, {low} to {high} W a busy thread, typically {typical}.",
        "Estimé d'après le temps processeur, le processeur seul, sans mémoire, écran ni repos : "
        "{row}{source}, {low} à {high} W par fil occupé, {typical} en général.",
        row=row,
        source=source,
        low=decimal(low, 2),
        high=decimal(high, 2),
        typical=decimal(typical, 2),
    )
