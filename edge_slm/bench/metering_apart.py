"""One program whose accounts are checked: it lets a worker burn CPU-seconds and is billed for it.

It runs in a process of its own (runtime/apart.py), because a process chooses its meter once, and
because its own measure of the idle machine must not take the place of the user's.
"""

import os
from datetime import UTC, datetime

import msgspec

from edge_slm.answer import Energy
from edge_slm.bench.burner import Burner
from edge_slm.bench.runtime.apart import run_apart, serve_order
from edge_slm.bench.simulated_tree import Law


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What to compute.

    Attributes:
        root: system root of the simulated machine.
        home: folder for what the program keeps, empty.
        idle_w: watts of the simulated machine at rest.
        cpu_s: CPU-seconds to use up.
        threads: that do so at the same time.
        ends: whether the worker starts and ends within the account; else it lives on, as an engine.
        repeats: how often.
    """

    root: str
    home: str
    idle_w: float
    cpu_s: float
    threads: int = 1
    ends: bool = False
    repeats: int = 1


class Load(msgspec.Struct, frozen=True):
    """One account: the CPU-seconds that the worker used by its own clock, and the bill."""

    known_cpu_s: float
    seconds: float
    energy: Energy


def loads(order: Order) -> list[Load]:
    """Return what a program in a process of its own was billed.

    Raises:
        EdgeSlmError: it failed.
    """
    row = run_apart("edge_slm.bench.metering_apart", order)
    return msgspec.convert(row["loads"], list[Load])


def simulate_here(root: str, home: str, idle_w: float) -> None:
    """Take the simulated machine for this process's, with its watts at rest known.

    To be called before anything is metered.
    """
    os.environ.update(EDGE_SLM_SYSTEM_ROOT=root, EDGE_SLM_HOME=home, EDGE_SLM_METER="rapl")
    from edge_slm.energy import idle
    from edge_slm.energy.accounts import accounts

    meter = accounts().meter
    assert meter
    now = datetime.now(UTC)
    idle.remember(meter.name, idle.Baseline(idle_w, 0.0, 0.0, 1.0, now))


def _loads(order: Order) -> dict[str, object]:
    simulate_here(order.root, order.home, order.idle_w)
    one = _ending if order.ends else _lasting
    return {"loads": [one(order) for _ in range(order.repeats)]}


def _lasting(order: Order) -> Load:
    from edge_slm.energy.accounts import metered

    with Burner(order.threads) as worker:
        with metered() as bill:
            known = worker.burn(order.cpu_s)
        return Load(known, bill.seconds, bill.energy)


def _ending(order: Order) -> Load:
    from edge_slm.energy.accounts import metered

    with metered() as bill, Burner(order.threads) as worker:
        worker.burn(order.cpu_s)
        known = worker.close()
    return Load(known, bill.seconds, bill.energy)


def known_joules(load: Load, law: Law) -> float:
    """Return the joules that a load truly cost on the simulated machine."""
    return load.known_cpu_s * law.watts_per_cpu_s


if __name__ == "__main__":
    serve_order(Order, _loads)
