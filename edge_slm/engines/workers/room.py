"""Which models are in memory: sets bytes aside under one budget, and unloads to make room.

Least recently used first; pinned models and models at work stay. A model that is unloaded counts
until its process has ended. Knows nothing of requests, nor of how a worker is started.
"""

import threading
from collections import deque
from collections.abc import Collection, Iterator
from typing import Literal

from edge_slm import machine
from edge_slm.engines.workers import ledger, refusals
from edge_slm.engines.workers.process import Worker
from edge_slm.engines.workers.spec import Spec
from edge_slm.engines.workers.waiting import Patience

State = Literal["absent", "loading", "idle", "busy"]


class Slot:
    """One model of the pool; what changes is guarded by the room's lock.

    Attributes:
        line: tickets of who has the turn, then of who waits for it.
        holder: the thread of who has the turn.
        reserved: bytes set aside for its process.
        measured: the most bytes that its process was seen to hold.
        died: whether its last process crashed.
        warming: set to give up loading in the background.
    """

    def __init__(self, spec: Spec) -> None:
        """Make the place of a model that is not loaded."""
        self.spec = spec
        self.worker: Worker | None = None
        self.line: deque[object] = deque()
        self.holder: int | None = None
        self.reserved = 0
        self.measured = 0
        self.requests = 0
        self.restarts = 0
        self.died = False
        self.last_used = 0.0
        self.warming: threading.Event | None = None

    @property
    def idle(self) -> bool:
        """Whether its memory could be had at once."""
        return self.worker is not None and not self.line

    @property
    def state(self) -> State:
        """What it does."""
        if self.worker is None:
            return "loading" if self.reserved else "absent"
        return "busy" if self.line else "idle"


class Room:
    """The places of all models, and the memory that they may share.

    Attributes:
        budget: bytes for this process and the workers together.
        pinned: ids of the models that stay.
        changed: the lock of everything here; notified when a turn or some memory is given back.
        slots: the models asked for so far.
    """

    def __init__(self, budget: int, pinned: Collection[str]) -> None:
        """Hold nothing yet."""
        self.budget = budget
        self.pinned = frozenset(pinned)
        self.changed = threading.Condition()
        self.slots: dict[Spec, Slot] = {}

    def slot(self, spec: Spec) -> Slot:
        """Return the place of a model; the lock is held by the caller."""
        return self.slots.setdefault(spec, Slot(spec))

    def used(self) -> int:
        """Return the bytes that this process holds and that the workers are reckoned to take."""
        with self.changed:
            return machine.resident_memory() + self._reserved()

    def reserve(self, slot: Slot, need: int, patience: Patience) -> None:
        """Set bytes aside for a model whose turn we have, once others have made room.

        A model that must wait for others to end is unloaded meanwhile: two that are at work would
        wait for each other for ever.

        Args:
            slot: the model, loaded or not.
            need: bytes that its process will take at most.
            patience: how long to wait.
        Raises:
            EdgeSlmError: it can never fit, with numbers.
            BusyError: it would wait for what this thread holds itself.
            Stopped, OverdueError: see `Patience`.
        """
        while True:
            with self.changed:
                if need <= slot.reserved:
                    return
                self._refuse_what_never_fits(slot, need)
                if self._fits(slot, need):
                    slot.reserved = need
                    return
                victim = self._take_oldest(but=slot)
                if victim is None and slot.worker is None:
                    self._refuse_what_nobody_frees(slot, need)
                    patience.check()
                    self.changed.wait(patience.step())
            if victim:
                self._unload(victim)
            elif slot.worker:
                slot.worker.close()
                self.drop(slot)

    def drop(self, slot: Slot) -> None:
        """Count a model as gone, its process having ended."""
        with self.changed:
            slot.worker, slot.reserved = None, 0
            self.changed.notify_all()

    def account(self, slot: Slot) -> None:
        """Take note of what a worker holds now that a request is over, and keep the budget."""
        with self.changed:
            worker = slot.worker
            if worker is None:
                return
            if not worker.alive:
                slot.died = worker.crashed
                self.drop(slot)
                return
            peak = worker.memory.peak
            slot.measured = max(slot.measured, peak)
            slot.reserved = max(slot.reserved, peak)
        ledger.remember_memory(slot.spec, ledger.Measured(worker.loaded, peak))
        # A worker grew beyond what was set aside for it.
        while victim := self._surplus(slot):
            self._unload(victim)

    def release(self, spec: Spec) -> None:
        """Unload a model, unless it is at work or not loaded."""
        with self.changed:
            slot = self.slots.get(spec)
            if slot is None or not slot.idle:
                return
            slot.line.append(self)
        self._unload(slot)

    def _surplus(self, slot: Slot) -> Slot | None:
        with self.changed:
            over = machine.resident_memory() + self._reserved() > self.budget
            return self._take_oldest(but=slot) if over else None

    def _take_oldest(self, but: Slot | None = None) -> Slot | None:
        """Take the turn of the idle model that was not used for longest; the lock is held."""
        idle = [slot for slot in self._movable() if slot.idle and slot is not but]
        victim = min(idle, key=lambda slot: slot.last_used, default=None)
        if victim:
            victim.line.append(self)
        return victim

    def _unload(self, victim: Slot) -> None:
        """End the process of a model whose turn we have, and give the turn back."""
        worker = victim.worker
        try:
            if worker:
                worker.close()  # may take a moment: the lock is free meanwhile
        finally:
            with self.changed:
                victim.line.remove(self)
                self.drop(victim)

    def _fits(self, slot: Slot, need: int) -> bool:
        """Return whether the budget and the machine have the bytes now; the lock is held."""
        more = need - slot.reserved
        if machine.resident_memory() + self._reserved() + more > self.budget:
            return False
        # What was promised to models that are being loaded is not taken yet.
        promised = sum(one.reserved for one in self.slots.values() if one.worker is None)
        return more + promised <= machine.available_ram()

    def _reserved(self) -> int:
        return sum(slot.reserved for slot in self.slots.values())

    def _movable(self) -> Iterator[Slot]:
        return (slot for slot in self.slots.values() if slot.spec.model not in self.pinned)

    def _refuse_what_never_fits(self, slot: Slot, need: int) -> None:
        held = {
            other.spec.model: other.reserved
            for other in self.slots.values()
            if other.spec.model in self.pinned and other.reserved and other is not slot
        }
        program, pinned = machine.resident_memory(), sum(held.values())
        if program + pinned + need > self.budget:
            raise refusals.beyond_budget(
                slot.spec.model, need, self.budget, program, pinned, held.keys()
            )

    def _refuse_what_nobody_frees(self, slot: Slot, need: int) -> None:
        me = threading.get_ident()
        taken = [other for other in self._movable() if other.reserved and other is not slot]
        if not taken:
            raise refusals.beyond_machine(slot.spec.model, need, machine.available_ram())
        if all(other.holder == me for other in taken):
            raise refusals.waits_for_itself(taken[0].spec.model)
