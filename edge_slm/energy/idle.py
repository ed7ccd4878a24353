"""The idle machine's watts, measured and kept: what an answer costs is counted above them."""

import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import msgspec

from edge_slm import paths
from edge_slm.energy.attribution import Idle
from edge_slm.energy.counting import between
from edge_slm.energy.cpu import TICK_S, processors
from edge_slm.energy.sampling import Sampler
from edge_slm.errors import EdgeSlmError
from edge_slm.files import replacing
from edge_slm.i18n import t

WINDOWS = 10  # stretches whose spread is that of the baseline
BRIEF_S = 1.0  # measured before the first answer where nothing better is known
GOOD_FOR = timedelta(days=30)
GLANCE_S = 0.1
BUSY_SHARE = 0.1  # CPU-seconds a second and processor: beyond, the machine is not idle
_Watts = Annotated[float, msgspec.Meta(ge=0, le=10_000)]


class Baseline(msgspec.Struct, frozen=True):
    """An idle measure as it is kept.

    `watts`, `spread_w` and `busy_share` are those of `Idle`; `seconds` is how long it took, and
    `measured` when, in UTC.
    """

    watts: _Watts
    spread_w: _Watts
    busy_share: Annotated[float, msgspec.Meta(ge=0, le=4096)]
    seconds: Annotated[float, msgspec.Meta(gt=0)]
    measured: datetime

    @property
    def rested(self) -> bool:
        """Whether the machine was idle: a baseline of a busy one hides what an answer costs."""
        return self.busy_share <= BUSY_SHARE * processors()

    @property
    def idle(self) -> Idle:
        """What attribution takes."""
        return Idle(self.watts, self.spread_w, self.busy_share)


def measure(
    sampler: Sampler,
    busy_cpu_seconds: Callable[[], float | None],
    seconds: float,
    advance: Callable[[int], None] = lambda _: None,
) -> Baseline:
    """Measure the machine as it is now; whoever calls keeps it idle.

    Args:
        sampler: of the meter.
        busy_cpu_seconds: CPU time of the whole machine.
        seconds: how long.
        advance: called with 1 after each of `WINDOWS` stretches.
    Returns:
        the mean, and twice the standard deviation of the stretches or what the meter may be off by,
        whichever is more.
    Raises:
        EdgeSlmError: the meter could not be read.
    """
    sampler.start()
    try:
        start = before = sampler.read()
        busy = busy_cpu_seconds()
        watts = []
        for _ in range(WINDOWS):
            time.sleep(seconds / WINDOWS)
            now = sampler.read()
            spent = between(before, now)
            seen = spent.seconds - spent.missing_s
            if seen > 0:
                watts.append(spent.joules / seen)
            before = now
            advance(1)
    finally:
        sampler.stop()
    whole = between(start, before)
    worked = (busy_cpu_seconds() or 0.0) - (busy or 0.0)
    seen = whole.seconds - whole.missing_s
    if len(watts) < 2 or seen < seconds / 2:
        raise EdgeSlmError(
            t(
                "The meter {name} could not be read: {why}",
                "Le compteur {name} n'a pas pu être lu : {why}",
                name=sampler.meter.name,
                why="; ".join(whole.faults) or t("no reading.", "aucune mesure."),
            )
        )
    spread = max(2 * statistics.stdev(watts), whole.error_j / seen)
    return Baseline(
        round(whole.joules / seen, 4),
        round(spread, 4),
        round(max(0.0, worked) / whole.seconds, 4),
        round(whole.seconds, 1),
        datetime.now(UTC),
    )


def rests(busy_cpu_seconds: Callable[[], float | None]) -> bool:
    """Return whether the machine does next to nothing now, after a look of `GLANCE_S`."""
    before = busy_cpu_seconds()
    time.sleep(GLANCE_S)
    after = busy_cpu_seconds()
    if before is None or after is None:
        return True
    return after - before <= 2 * TICK_S + BUSY_SHARE * processors() * GLANCE_S


def known(meter: str) -> Baseline | None:
    """Return the baseline kept for a meter, by its name; None when there is none, or an old one."""
    kept = _kept().get(meter)
    return kept if kept and datetime.now(UTC) - kept.measured < GOOD_FOR else None


def remember(meter: str, baseline: Baseline) -> None:
    """Keep a baseline, unless one that took longer is known and still good.

    Raises:
        OSError: the folder cannot be written to.
    """
    before = known(meter)
    if before and before.seconds > baseline.seconds:
        return
    with replacing(_file()) as temporary:
        temporary.write_bytes(msgspec.json.encode({**_kept(), meter: baseline}))


def forget() -> None:
    """Forget all baselines."""
    _file().unlink(missing_ok=True)


def _kept() -> dict[str, Baseline]:
    try:
        return msgspec.json.decode(_file().read_bytes(), type=dict[str, Baseline])
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}  # it can be measured again


def _file() -> Path:
    return paths.cache_dir() / "idle.json"
