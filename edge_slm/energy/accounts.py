"""Who pays: an account is open while something is computed, and closes with what that cost.

Several answers may be under way at once, as in a server: at each opening and closing, what was
spent since the last one is shared equally among the answers that were open, so that no joule is
billed twice. A benchmark's account looks on: it bears the whole, whatever answers bear.
One set of accounts a process; its meter is found when it is first needed.
"""

import functools
import platform
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from edge_slm import process_tree
from edge_slm.answer import Energy, Method
from edge_slm.energy import cpu, idle, meters
from edge_slm.energy.attribution import Idle, Interval, Joules, attribute
from edge_slm.energy.counting import Tally, between
from edge_slm.energy.meter import Meter
from edge_slm.energy.power_model import PowerModel, estimate, power_model
from edge_slm.energy.sampling import Sampler
from edge_slm.errors import EdgeSlmError
from edge_slm.i18n import t
from edge_slm.machine import cpu_name

WH = 3600.0  # joules


@dataclass(eq=False)  # two bills that came to the same are two bills
class Bill:
    """What an account comes to; `energy` and `seconds` are set when it is closed.

    Attributes:
        energy: joules of this program's share, measured or estimated, and its CPU-seconds.
        seconds: wall time from opening to closing.
        faults: sentences on why the meter could not be trusted; the joules are then estimated.
        whole: it bears all that was spent, and leaves the shares of others as they are.
    """

    whole: bool = False
    energy: Energy = field(default_factory=Energy)
    seconds: float = 0.0
    faults: tuple[str, ...] = ()
    _began: float = 0.0
    _cpu_s: float = 0.0
    _joules: float = 0.0
    _low: float = 0.0
    _high: float = 0.0
    _measured: bool = True

    def add(self, share: float, cpu_s: float, joules: Joules | None, faults: list[str]) -> None:
        """Take over a share (0 to 1) of what was spent; joules are None where not measured."""
        self._cpu_s += share * cpu_s
        self.faults += tuple(fault for fault in faults if fault not in self.faults)
        if joules is None:
            self._measured = False
            return
        self._joules += share * joules.joules
        self._low += share * joules.low
        self._high += share * joules.high

    def settle(self, meter: Meter | None, model: PowerModel | None) -> None:
        """Set `energy` from what was added."""
        cpu_s = round(self._cpu_s, 6)
        if meter and self._measured:
            low, joules, high = self._low, self._joules, self._high
            self.energy = _energy(low, joules, high, meter.method, meter.scope, cpu_s)
        elif model:
            low, joules, high = estimate(self._cpu_s, model)
            self.energy = _energy(low, joules, high, "estimate", "cpu", cpu_s)
        else:
            self.energy = Energy(cpu_seconds=cpu_s)


@dataclass(frozen=True)
class _Look:
    at: float
    own: float
    busy: float | None
    tally: Tally | None


class Accounts:
    """The open accounts of this process; may be used from any thread."""

    def __init__(self, meter: Meter | None, model: PowerModel | None) -> None:
        """Open none yet.

        Args:
            meter: what measures; None to estimate.
            model: what estimates, also where the meter fails; None to give CPU-seconds only.
        """
        self.meter = meter
        self.model = model
        self._root = meters.system_root()
        self._sampler = Sampler(meter, self._busy) if meter else None
        self._idle: Idle | None = None
        self._idle_known = False
        self._lock = threading.Lock()
        self._open: list[Bill] = []
        self._last = _Look(0.0, 0.0, None, None)

    def open(self, *, whole: bool = False) -> Bill:
        """Open an account; a `whole` one looks on and bears all that is spent."""
        with self._lock:
            if self._open:
                self._share_out()
            else:
                self._begin()
            bill = Bill(whole)
            bill._began = self._last.at
            self._open.append(bill)
            return bill

    def close(self, bill: Bill) -> None:
        """Close an account and set its bill; once closed, it stays as it is."""
        with self._lock:
            if bill not in self._open:
                return
            self._share_out()
            self._open = [other for other in self._open if other is not bill]
            if not self._open and self._sampler:
                self._sampler.stop()
        bill.seconds = self._last.at - bill._began
        bill.settle(self.meter, self.model)

    def _begin(self) -> None:
        if self._sampler:
            self._know_idle(self._sampler)
            self._sampler.start()
        self._last = self._look()

    def _share_out(self) -> None:
        before, now = self._last, self._look()
        self._last = now
        own = max(0.0, now.own - before.own)
        joules, faults = self._joules(before, now, own)
        sharing = sum(not bill.whole for bill in self._open)
        for bill in self._open:
            bill.add(1.0 if bill.whole else 1 / sharing, own, joules, faults)

    def _joules(self, before: _Look, now: _Look, own: float) -> tuple[Joules | None, list[str]]:
        if before.tally is None or now.tally is None:
            return None, []
        spent = between(before.tally, now.tally)
        known = before.busy is not None and now.busy is not None
        interval = Interval(
            seconds=now.at - before.at,
            own_cpu_s=own,
            busy_cpu_s=(now.busy or 0.0) - (before.busy or 0.0) if known else None,
            busy_step_s=cpu.TICK_S * cpu.processors(),
            gross_j=spent.joules,
            error_j=spent.error_j,
            missing_s=spent.missing_s,
        )
        return attribute(interval, self._idle), list(spent.faults)

    def _look(self) -> _Look:
        tally = self._sampler.read() if self._sampler else None
        busy = self._busy() if self._sampler else None
        return _Look(time.monotonic(), process_tree.cpu_seconds(), busy, tally)

    def _busy(self) -> float | None:
        return cpu.busy_cpu_seconds(self._root)

    def _know_idle(self, sampler: Sampler) -> None:
        """Take the baseline that is kept; measure one briefly where there is none.

        On a busy machine there is none: costs are counted from 0 then, and the interval says so.
        """
        if self._idle_known:
            return
        self._idle_known = True
        baseline = idle.known(sampler.meter.name) or self._brief(sampler)
        self._idle = baseline.idle if baseline else None

    def _brief(self, sampler: Sampler) -> idle.Baseline | None:
        if not idle.rests(self._busy):
            return None
        try:
            baseline = idle.measure(sampler, self._busy, idle.BRIEF_S)
            if not baseline.rested:
                return None
            idle.remember(sampler.meter.name, baseline)
        except EdgeSlmError:
            return None
        except OSError:
            pass  # not kept, and good for now
        return baseline


@functools.cache
def accounts() -> Accounts:
    """Return the accounts of this process; the meter is looked for on the first call.

    Raises:
        UsageError: EDGE_SLM_METER or EDGE_SLM_WATTS_PER_CORE cannot be followed.
        MissingError: the package that a meter needs is not installed.
    """
    return Accounts(meters.chosen(), power_model(cpu_name(), platform.machine()))


@contextmanager
def metered() -> Iterator[Bill]:
    """Yield a bill for all that this program and its workers spend in the block.

    Raises:
        UsageError, MissingError: as `accounts`.
    """
    bill = accounts().open(whole=True)
    try:
        yield bill
    finally:
        accounts().close(bill)


def fallback_of(bill: Bill, meter: Meter | None) -> tuple[str, ...]:
    """Return the warnings of a bill: why it is an estimate although there is a meter."""
    if meter is None or bill.energy.method == meter.method:
        return ()
    why = "; ".join(bill.faults) or t("it saw too little.", "il a vu trop peu.")
    return (
        t(
            "The meter {name} could not be trusted, the energy is an estimate: {why}",
            "Le compteur {name} n'était pas fiable, l'énergie est une estimation : {why}",
            name=meter.name,
            why=why,
        ),
    )


def _energy(
    low: float, joules: float, high: float, method: Method, scope: str, cpu_s: float
) -> Energy:
    return Energy(
        joules=round(joules, 4),
        low=round(low, 4),
        high=round(high, 4),
        method=method,
        wh=round(joules / WH, 8),
        scope=scope,
        cpu_seconds=cpu_s,
    )
