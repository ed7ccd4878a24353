"""A worker process: loads one model, serves one request at a time, ends when its parent does.

`python -m edge_slm.engines.workers.worker`, with orders on standard input and reports on standard
output (wire.py). A thread reads the orders: it answers pings and takes stops while native code
computes. Knows nothing of pools, budgets and other workers.
"""

import faulthandler
import os
import queue
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

from edge_slm import machine, offline
from edge_slm.engines import Message, Piece
from edge_slm.engines.stopping import StopFlag, Stopped
from edge_slm.engines.workers import wire
from edge_slm.errors import EdgeSlmError

# Makes the engine of an order; the flag is set when loading or a request must stop.
Build = Callable[[wire.Load, StopFlag], Any]

TEST_TEXT = "Bonjour, " * 21  # at least 64 tokens in any vocabulary


def main(build: Build | None = None) -> NoReturn:
    """Serve the process that started this one until it closes standard input."""
    orders, reports = _take_pipes()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; parent decides
    faulthandler.enable()
    offline.forbid_network()
    _keep_texts_private()
    _go_first_when_memory_is_short()
    _Server(orders, reports, build or build_engine).serve()


def build_engine(order: wire.Load, stop: StopFlag) -> Any:
    """Load the model of an order.

    Raises:
        EdgeSlmError: what the engine's constructor raises.
        Stopped: loading was stopped.
    """
    path = Path(os.fsdecode(order.path))
    match order.kind:
        case "chat":
            from edge_slm.engines.llama.chat import LlamaChat

            return LlamaChat(
                path,
                order.template,
                model_sha256=order.sha256,
                settings=order.settings,
                stop=stop,
            )
        case "embed":
            from edge_slm.engines.llama.embedding import LlamaEmbedder

            return LlamaEmbedder(path, stop=stop)
        case "speech":
            from edge_slm.engines.whisper import WhisperTranscriber

            return WhisperTranscriber(path)


class _Server:
    def __init__(self, orders: BinaryIO, reports: BinaryIO, build: Build) -> None:
        self._orders = orders
        self._reports = reports
        self._build = build
        self._engine: Any = None
        self._kind = ""
        self._stop = StopFlag()
        self._inbox: queue.SimpleQueue[wire.Work] = queue.SimpleQueue()
        self._writing = threading.Lock()
        self._turn = threading.Lock()  # guards the next two
        self._current: int | None = None
        self._stopped: set[int] = set()

    def serve(self) -> NoReturn:
        threading.Thread(target=self._read, daemon=True).start()
        while True:
            order = self._inbox.get()
            number = wire.LOADING if isinstance(order, wire.Load) else order.id
            self._begin(number)
            report = self._serve_one(number, order)
            self._send(wire.Memory(machine.resident_memory(), machine.peak_memory()))
            self._send(report)

    def _serve_one(self, number: int, order: wire.Work) -> wire.Report:
        try:
            for report in self._run(order):
                if isinstance(report, wire.ENDS):
                    return report
                self._send(report)
                self._stop.check()
            raise AssertionError(f"no end of {order}")
        except Stopped:
            return wire.Halted(number)
        except EdgeSlmError as error:
            return wire.failure(number, error)
        # The outermost edge of the process: the parent must hear of anything else too.
        except Exception as error:  # noqa: BLE001
            traceback.print_exc()
            return wire.failure(number, wire.internal_error(error))

    def _run(self, order: wire.Work) -> Iterator[wire.Report]:
        match order:
            case wire.Load():
                return self._load(order)
            case wire.Stream():
                return self._stream(order)
            case wire.Prepare():
                return iter([wire.Prepared(order.id, self._engine.prepare(order.prompt))])
            case wire.Count():
                return iter([wire.Counted(order.id, self._engine.count_tokens(order.text))])
            case wire.Embed():
                return self._embed(order)
            case wire.Transcribe():
                return self._transcribe(order)

    def _load(self, order: wire.Load) -> Iterator[wire.Report]:
        self._engine = self._build(order, self._stop)
        self._stop.check()
        if order.self_test:
            self._read_some(order.kind)
        yield wire.Ready()

    def _read_some(self, kind: wire.Kind) -> None:
        """Read a few tokens: a build for another processor crashes here."""
        if kind == "chat":
            with suppress(EdgeSlmError):  # a sentence is no crash, and comes with the request
                list(self._engine.stream([Message("user", TEST_TEXT)], 1))
        elif kind == "embed":
            self._engine.embed_passages([TEST_TEXT])

    def _stream(self, order: wire.Stream) -> Iterator[wire.Report]:
        events = self._engine.stream(order.prompt, order.max_tokens, order.options)
        for event in events:
            if isinstance(event, Piece):
                yield wire.Said(order.id, event)
            else:
                yield wire.Finished(order.id, event)

    def _embed(self, order: wire.Embed) -> Iterator[wire.Report]:
        if order.query:
            (text,) = order.texts
            vectors = self._engine.embed_query(text)
        else:
            vectors = self._engine.embed_passages(order.texts)
        yield wire.Vectors(order.id, vectors.shape[-1], vectors.tobytes())

    def _transcribe(self, order: wire.Transcribe) -> Iterator[wire.Report]:
        audio = Path(os.fsdecode(order.path))
        segments, language, duration = self._engine.transcribe(audio, order.language)
        yield wire.Hearing(order.id, language, duration)
        for segment in segments:
            yield wire.Heard(order.id, segment)
        yield wire.Silence(order.id)

    def _begin(self, number: int) -> None:
        with self._turn:
            self._current = number
            self._stop.clear()
            if number in self._stopped:
                self._stop.set()
            self._stopped.clear()

    def _read(self) -> None:
        """Take orders as they come; leave as soon as there is nobody to work for."""
        try:
            while (order := wire.read_order(self._orders)) is not None:
                self._take(order)
        except (OSError, wire.WireError) as error:
            os.write(2, f"{error}\n".encode())
        # The main thread may be deep in native code: nothing else would end it now.
        os._exit(0)

    def _take(self, order: wire.Order) -> None:
        match order:
            case wire.Ping():
                self._send(wire.Pong(order.number))
            case wire.Stop():
                with self._turn:
                    self._stopped.add(order.id)
                    if order.id == self._current:
                        self._stop.set()
            case _:
                self._inbox.put(order)

    def _send(self, report: wire.Report) -> None:
        data = wire.encode(report)
        try:
            with self._writing:
                self._reports.write(data)
                self._reports.flush()
        except OSError:  # the parent is gone
            os._exit(0)


def _take_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Keep both pipes to ourselves: what native code prints must not fall between frames."""
    orders, reports = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return os.fdopen(orders, "rb"), os.fdopen(reports, "wb")


def _keep_texts_private() -> None:
    """A core file would hold what the user wrote, and take seconds to write."""
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _go_first_when_memory_is_short() -> None:
    """Ask Linux to end this process rather than the one that can say what happened."""
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("500")


if __name__ == "__main__":
    main()
