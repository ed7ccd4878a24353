"""The engine pool: one supervised process a model, and a bounded queue before each.

A request takes its turn at its model, has the model loaded if it is not, and gives the turn back.
A process that dies is started again at the next request; a request of which nothing had come is
tried a second time at once. Knows nothing of what a request asks; `room.py` shares the memory.
"""

import itertools
import os
import threading
import time
import weakref
from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from contextlib import closing, contextmanager, suppress

from msgspec import Struct

from edge_slm.engines.stopping import Stopped
from edge_slm.engines.workers import crash, ledger, refusals, wire
from edge_slm.engines.workers.budget import default_budget
from edge_slm.engines.workers.process import COMMAND, Worker
from edge_slm.engines.workers.room import Room, Slot, State
from edge_slm.engines.workers.spec import Spec
from edge_slm.engines.workers.waiting import Patience, cancelled_by
from edge_slm.errors import CrashError, EdgeSlmError

_NO_WORK = wire.Count(wire.LOADING, "")
Reports = Generator[wire.Report, None, None]


class ModelStatus(Struct, frozen=True):
    """How a model of the pool fares; sizes in bytes, `last_used` in seconds since 1970."""

    model: str
    kind: wire.Kind
    state: State
    reserved: int
    measured: int
    pinned: bool
    waiting: int
    requests: int
    restarts: int
    last_used: float


class Pool:
    """The processes of this program's models. Safe to use from any thread."""

    def __init__(
        self,
        budget: int | None = None,
        pinned: Collection[str] = (),
        queue: int = 8,
        command: Sequence[str] | None = None,
        timeout: float | None = None,
    ) -> None:
        """Start nothing yet.

        Args:
            budget: bytes that this process and the models' may take together; None for
                `default_budget`.
            pinned: ids of models that are never unloaded to make room.
            queue: how many requests may wait for one model.
            command: what starts a worker; None for the real one.
            timeout: seconds that a request may take, waiting included; None for no limit.
        Raises:
            UsageError: EDGE_SLM_BUDGET is no size.
        """
        self._room = Room(default_budget() if budget is None else budget, pinned)
        self._queue = queue
        self._command = tuple(command or COMMAND)
        self._timeout = timeout
        self._closed = False
        self._numbers = itertools.count(wire.LOADING + 1)
        self._workers: weakref.WeakSet[Worker] = weakref.WeakSet()
        # Also runs when the interpreter ends.
        weakref.finalize(self, _end, self._workers, os.getpid())

    @property
    def budget(self) -> int:
        """Bytes that this process and the models' may take together."""
        return self._room.budget

    @property
    def used(self) -> int:
        """Bytes that this process holds and that its models are reckoned to take."""
        return self._room.used()

    def exchange(self, spec: Spec, order: Callable[[int], wire.Work]) -> Reports:
        """Run one request, and yield what its worker reports, the end included.

        Closing the iterator stops the computation.

        Args:
            spec: the model.
            order: makes the order from the number of the request.
        Raises:
            BusyError: too many wait for this model already.
            EdgeSlmError: it cannot fit in memory, or it failed.
            Stopped: the event of `cancelled_by` was set.
        """
        patience = Patience(self._timeout)
        with self._turn(spec, patience) as slot:
            for last in (False, True):
                begun = False
                try:
                    work = order(next(self._numbers))
                    worker = self._ready(slot, ledger.expected(spec, work), patience)
                    with closing(worker.exchange(work, patience)) as reports:
                        for report in reports:
                            begun = True
                            yield report
                    return
                except CrashError:
                    if begun or last:
                        raise

    def load(self, spec: Spec) -> None:
        """Have a model loaded, and its first words read where that was never done.

        Raises:
            CrashError: the engine crashes on this processor.
            EdgeSlmError, Stopped: see `exchange`.
        """
        patience = Patience(self._timeout)
        with self._turn(spec, patience) as slot:
            self._ready(slot, ledger.expected(spec, _NO_WORK), patience)

    def warm_up(self, spec: Spec) -> None:
        """Load a model in the background; what fails is said to the request that needs it."""
        with self._room.changed:
            slot = self._room.slot(spec)
            if self._closed or slot.line or slot.worker or slot.warming:
                return
            slot.warming = threading.Event()
        threading.Thread(target=self._warm, args=(slot, slot.warming), daemon=True).start()

    def release(self, spec: Spec) -> None:
        """Unload a model, unless it is at work or not loaded."""
        self._room.release(spec)

    def status(self) -> list[ModelStatus]:
        """Return how the models fare that were asked for so far."""
        with self._room.changed:
            return [self._status(slot) for slot in self._room.slots.values()]

    def close(self) -> None:
        """End all processes and refuse any further request."""
        with self._room.changed:
            self._closed = True
            self._room.changed.notify_all()
        _end(self._workers, os.getpid())

    @contextmanager
    def _turn(self, spec: Spec, patience: Patience) -> Iterator[Slot]:
        """Wait for one's turn at a model, and give it back."""
        ticket = object()
        with self._room.changed:
            slot = self._room.slot(spec)
            if len(slot.line) > self._queue:
                raise refusals.busy(spec.model, self._queue)
            slot.line.append(ticket)
        try:
            self._wait_in_line(slot, ticket, patience)
            yield slot
        finally:
            try:
                if slot.line[0] is ticket:
                    self._room.account(slot)
            finally:
                self._step_out(slot, ticket)

    def _wait_in_line(self, slot: Slot, ticket: object, patience: Patience) -> None:
        with self._room.changed:
            try:
                while slot.line[0] is not ticket:
                    if slot.holder == threading.get_ident():
                        raise refusals.waits_for_itself(slot.spec.model)
                    patience.check()
                    self._room.changed.wait(patience.step())
            except BaseException:
                if slot.warming and len(slot.line) == 2:  # nobody else wants what is loading
                    slot.warming.set()
                raise
            slot.holder = threading.get_ident()
            slot.requests += 1

    def _step_out(self, slot: Slot, ticket: object) -> None:
        with self._room.changed:
            if slot.line[0] is ticket:
                slot.holder = None
                slot.last_used = time.time()
            slot.line.remove(ticket)
            self._room.changed.notify_all()

    def _ready(self, slot: Slot, need: int, patience: Patience) -> Worker:
        """Return the worker of a slot whose turn we have, its model loaded, `need` bytes aside."""
        if slot.worker and not slot.worker.alive:
            slot.died = slot.worker.crashed
            self._room.drop(slot)
        self._room.reserve(slot, need, patience)
        if slot.worker:
            return slot.worker
        slot.restarts += slot.died
        slot.died = False
        try:
            slot.worker = self._load(slot.spec, patience)
        except CrashError:
            slot.died = True
            raise
        finally:
            if slot.worker is None:
                self._room.drop(slot)
        return slot.worker

    def _load(self, spec: Spec, patience: Patience) -> Worker:
        test = spec.kind != "speech" and ledger.self_test_result(spec) != ledger.OK
        worker = self._start(spec)
        try:
            for _ in worker.exchange(spec.order(self_test=test), patience):
                pass
        except BaseException as error:
            worker.kill()
            why = crash.cause(worker.returncode or 0)
            if test and isinstance(error, CrashError) and why in crash.WRONG_BUILD:
                ledger.remember_self_test(spec, why)
                raise CrashError(crash.wrong_build(spec.model, why)) from error
            raise
        if test:
            ledger.remember_self_test(spec, ledger.OK)
        return worker

    def _start(self, spec: Spec) -> Worker:
        with self._room.changed:
            if self._closed:
                raise refusals.closed()
            worker = Worker(spec.model, self._command)
            self._workers.add(worker)
            return worker

    def _warm(self, slot: Slot, given_up: threading.Event) -> None:
        try:
            with suppress(EdgeSlmError, Stopped, OSError), cancelled_by(given_up):
                self.load(slot.spec)
        finally:
            slot.warming = None

    def _status(self, slot: Slot) -> ModelStatus:
        return ModelStatus(
            model=slot.spec.model,
            kind=slot.spec.kind,
            state=slot.state,
            reserved=slot.reserved,
            measured=slot.measured,
            pinned=slot.spec.model in self._room.pinned,
            waiting=max(0, len(slot.line) - 1),
            requests=slot.requests,
            restarts=slot.restarts,
            last_used=slot.last_used,
        )


def _end(workers: "weakref.WeakSet[Worker]", owner: int) -> None:
    """End processes: all are told before the first is waited for."""
    if os.getpid() != owner:  # a fork of the program that has them
        return
    for worker in list(workers):
        worker.leave()
    for worker in list(workers):
        worker.close()
