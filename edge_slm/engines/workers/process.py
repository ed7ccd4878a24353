"""The parent's side of one worker process: start it, talk to it, stop it, see it die.

Three threads a worker carry bytes, so that no write or read of a process that hangs can block a
caller. Knows nothing of budgets and of other workers.
"""

import os
import queue
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Generator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

from edge_slm.engines.workers import wire
from edge_slm.engines.workers.crash import crash_sentence, hang_sentence
from edge_slm.engines.workers.waiting import Patience, cancelled_by
from edge_slm.errors import CrashError

__all__ = ["COMMAND", "Died", "Worker", "cancelled_by"]

# -P: a file of the folder in which the user stands must not be taken for a module.
COMMAND = (sys.executable, "-P", "-m", "edge_slm.engines.workers.worker")

STOP_GRACE = 0.15  # seconds from asking for a stop to ending the process
QUIET = 2.0  # seconds without a frame before asking whether anybody is there
HANGING = 5.0  # seconds more before a worker that says nothing is ended
STARTING = 60.0  # the same for the first frame: a slow disk takes long to give Python
LEAVING = 1.0  # seconds that an idle worker has to end by itself
_TAIL = 50  # lines of standard error kept for a diagnosis


class Died(NamedTuple):
    """The last thing that comes from a worker: how its process ended."""

    returncode: int


class Worker:
    """A process that holds one model.

    Attributes:
        model: id of the model, for sentences.
        memory: what the process said of its memory last.
        loaded: bytes that it held once its model was loaded.
    """

    def __init__(self, model: str, command: Sequence[str] = COMMAND) -> None:
        """Start the process; it loads nothing before it is told to.

        Raises:
            OSError: the system cannot start a process.
        """
        self.model = model
        self.memory = wire.Memory(0, 0)
        self.loaded = 0
        self._process = subprocess.Popen(
            list(command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=_environment(),
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
        self._outbox: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._inbox: queue.SimpleQueue[wire.Report | Died] = queue.SimpleQueue()
        self._errors: deque[str] = deque(maxlen=_TAIL)
        self._pings = 0
        self._heard = False
        self._hung = 0.0
        self._unwanted = False
        self._start_threads()

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process.poll() is None

    @property
    def crashed(self) -> bool:
        """Whether the process ended, and nobody here wanted it to."""
        return not self.alive and not self._unwanted

    @property
    def returncode(self) -> int | None:
        """How the process ended; None while it runs."""
        return self._process.poll()

    def exchange(self, order: wire.Order, patience: Patience) -> Generator[wire.Report, None, None]:
        """Send an order, and yield what comes for it up to its end, which is yielded too.

        Leaving the iterator early, by closing it or by any exception, stops the computation
        before anything else happens.

        Raises:
            Stopped: the caller's event was set.
            OverdueError: the time is over.
            CrashError: the process died or hung.
            EdgeSlmError: the worker reported it.
        """
        number = getattr(order, "id", wire.LOADING)
        ended = False
        try:
            self._send(order)
            while not ended:
                report = self._receive(patience)
                if isinstance(report, Died):
                    ended = True
                    raise self._crash(report)
                if isinstance(report, wire.Memory):
                    self.memory = report
                    self.loaded = self.loaded or report.resident
                elif getattr(report, "id", None) == number:
                    ended = isinstance(report, wire.ENDS)
                    if isinstance(report, wire.Failed):
                        raise wire.error_of(report)
                    yield report
        finally:
            if not ended:
                self._stop(number)

    def leave(self) -> None:
        """Tell the process to end, without waiting for it."""
        self._unwanted = self._unwanted or self.alive
        self._outbox.put(None)

    def close(self) -> None:
        """End the process, and return when its memory is free."""
        self.leave()
        try:
            self._process.wait(LEAVING)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End the process at once, whatever it does, and return when its memory is free."""
        self._unwanted = self._unwanted or self.alive
        self._process.kill()
        self._process.wait()

    def diagnosis(self) -> str:
        """Return the last lines that the process wrote on standard error."""
        return "\n".join(self._errors)

    def _receive(self, patience: Patience) -> wire.Report | Died:
        """Return the next report.

        The silence counts only the steps waited: time in which this process itself was suspended
        says nothing about the other one.
        """
        silence, asked = 0.0, False
        while True:
            patience.check()
            step = min(patience.step(), QUIET)
            try:
                report = self._inbox.get(timeout=step)
            except queue.Empty:
                silence += step
            else:
                self._heard = True
                if not isinstance(report, wire.Pong):
                    return report
                silence, asked = 0.0, False
                continue
            if silence > QUIET and not asked:
                asked, self._pings = True, self._pings + 1
                self._send(wire.Ping(self._pings))
            if silence > QUIET + (HANGING if self._heard else STARTING):
                self._hung = silence
                self._process.kill()

    def _stop(self, number: int) -> None:
        """Stop a request: kindly, then by ending the process, so that the processor is idle."""
        confirmed = False
        try:
            if number == wire.LOADING:
                return  # half a model is of no use
            self._send(wire.Stop(number))
            end = time.monotonic() + STOP_GRACE
            while not confirmed and (left := end - time.monotonic()) > 0:
                with suppress(queue.Empty):
                    report = self._inbox.get(timeout=left)
                    ending = isinstance(report, wire.ENDS) and report.id == number
                    confirmed = ending or isinstance(report, Died)
        finally:
            if not confirmed:
                self.kill()

    def _crash(self, died: Died) -> CrashError:
        if self._hung:
            error = CrashError(hang_sentence(self.model, self._hung))
        else:
            error = CrashError(crash_sentence(self.model, died.returncode))
        if tail := self.diagnosis():
            error.add_note(tail)  # seen with --debug
        return error

    def _send(self, order: wire.Order) -> None:
        self._outbox.put(wire.encode(order))

    def _start_threads(self) -> None:
        # They hold the process and its queues, never the worker: it can be let go.
        process, stdin, stdout, stderr = self._process, *_pipes(self._process)
        for target, arguments in (
            (_write, (stdin, self._outbox)),
            (_read, (process, stdout, self._inbox)),
            (_gather, (stderr, self._errors)),
        ):
            threading.Thread(target=target, args=arguments, daemon=True).start()


def _pipes(process: subprocess.Popen[bytes]) -> tuple[BinaryIO, BinaryIO, BinaryIO]:
    pipes = process.stdin, process.stdout, process.stderr
    assert all(pipes)
    return cast(tuple[BinaryIO, BinaryIO, BinaryIO], pipes)


def _write(stdin: BinaryIO, outbox: "queue.SimpleQueue[bytes | None]") -> None:
    with suppress(OSError), stdin:  # the process died: its reader says so
        while (data := outbox.get()) is not None:
            stdin.write(data)
            stdin.flush()


def _read(
    process: subprocess.Popen[bytes],
    stdout: BinaryIO,
    inbox: "queue.SimpleQueue[wire.Report | Died]",
) -> None:
    with stdout:
        try:
            while (report := wire.read_report(stdout)) is not None:
                inbox.put(report)
        except (OSError, wire.WireError):
            process.kill()
    inbox.put(Died(process.wait()))


def _gather(stderr: BinaryIO, lines: deque[str]) -> None:
    with stderr:
        # Pieces of lines: a process may write without end and without a line end.
        while data := stderr.readline(1000):
            lines.append(data.decode("utf-8", "replace").rstrip())


def _environment() -> dict[str, str]:
    """Return the environment of a worker, which must find this very package."""
    root = str(Path(__file__).parents[2])
    before = os.environ.get("PYTHONPATH")
    path = root if not before else f"{root}{os.pathsep}{before}"
    return {**os.environ, "PYTHONPATH": path}
