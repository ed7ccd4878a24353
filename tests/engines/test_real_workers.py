"""Real models in worker processes: crashes under load, stops, memory."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from edge_slm import machine, paths
from edge_slm.engines import ChatEngine, Done, Message, Piece
from edge_slm.engines.loaded import EMBEDDER, Engines
from edge_slm.engines.stopping import Stopped
from edge_slm.engines.workers import budget, wire
from edge_slm.engines.workers.pool import Pool
from edge_slm.engines.workers.remote import RemoteChat, cancelled_by
from edge_slm.engines.workers.spec import Spec
from edge_slm.errors import IntegrityError, UsageError
from edge_slm.profiles import PROFILES
from edge_slm.store import Store

pytestmark = pytest.mark.model

SMALLEST = "smollm2-135m-instruct-q4_1"
QUESTION = [Message("user", "What is the capital of France?")]
RECORDING = paths.examples_dir() / "audio" / "question.flac"


def chat_model() -> str:
    """Return the smallest chat model that is installed."""
    return SMALLEST if Store().installed(SMALLEST) else PROFILES["lite"][0]


def long_prompt(engine: ChatEngine) -> list[Message]:
    """Return a prompt of some 2,000 tokens, which takes seconds to read."""
    line = "The office is open on Monday and closed on Sunday.\n"
    return [Message("user", line * (2000 // engine.count_tokens(line)))]


@pytest.fixture
def engines() -> Iterator[Engines]:
    """Engines with the models of this machine."""
    engines = Engines(chat_model())
    yield engines
    engines.close()


@pytest.fixture
def chat(engines: Engines) -> ChatEngine:
    """A chat engine."""
    return engines.chat()[0]


def pid_of(engines: Engines, kind: wire.Kind) -> int:
    """Return the process of a kind of model."""
    room = engines.pool._room
    (worker,) = (
        slot.worker for spec, slot in room.slots.items() if spec.kind == kind and slot.worker
    )
    return worker.pid


def written(chat: ChatEngine) -> str:
    """Return a short reply."""
    events = chat.stream(QUESTION, 24)
    return "".join(event.text for event in events if isinstance(event, Piece))


def embedded(engines: Engines) -> list[float]:
    """Return the vector of a text long enough to take a while."""
    return [round(float(x), 4) for x in engines.embedder().embed_passages(["le congé " * 150])[0]]


def heard(engines: Engines) -> str:
    """Return what is said in a recording."""
    return " ".join(s.text for s in engines.speech()[0].transcribe(RECORDING, "fr")[0])


WORK: dict[wire.Kind, Callable[[Engines], Any]] = {
    "chat": lambda engines: written(engines.chat()[0]),
    "embed": embedded,
    "speech": heard,
}


@pytest.mark.parametrize("kind", WORK)
@pytest.mark.parametrize("fault", ["SIGSEGV", "SIGKILL", "SIGSTOP"])
def test_a_worker_killed_under_load_loses_nothing(
    engines: Engines, kind: wire.Kind, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge_slm.engines.workers.process.QUIET", 0.5)
    monkeypatch.setattr("edge_slm.engines.workers.process.HANGING", 2.0)
    expected = WORK[kind](engines)
    pid = pid_of(engines, kind)
    os.kill(pid, signal.Signals[fault])  # before anything of the next request has come
    results: list[object] = []
    threads = [
        threading.Thread(target=lambda: results.append(WORK[kind](engines))) for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [expected] * 3
    assert pid_of(engines, kind) != pid
    assert not psutil.pid_exists(pid)
    (status,) = [one for one in engines.pool.status() if one.kind == kind]
    assert status.restarts == 1


def test_a_reply_stopped_midway_leaves_the_worker_ready(engines: Engines, chat: ChatEngine) -> None:
    expected = written(chat)
    pid = pid_of(engines, "chat")
    with closing(chat.stream(QUESTION, 400)) as events:  # type: ignore[type-var]
        next(events)
    assert written(chat) == expected
    assert pid_of(engines, "chat") == pid


def test_a_prompt_stopped_while_it_is_read_leaves_the_worker_ready(
    engines: Engines, chat: ChatEngine
) -> None:
    expected = written(chat)
    pid, prompt = pid_of(engines, "chat"), long_prompt(chat)
    event = threading.Event()
    threading.Timer(0.5, event.set).start()
    with cancelled_by(event), pytest.raises(Stopped):
        list(chat.stream(prompt, 4))
    assert written(chat) == expected
    assert pid_of(engines, "chat") == pid


@pytest.mark.parametrize("kind", WORK)
def test_the_processor_is_idle_after_a_cancel_at_any_moment(
    engines: Engines, kind: wire.Kind
) -> None:
    generator = np.random.default_rng(5)
    for delay in generator.uniform(0, 1.2, 6):
        event = threading.Event()
        threading.Timer(delay, event.set).start()
        try:
            with cancelled_by(event):
                while True:
                    WORK[kind](engines)
        except Stopped:
            pass
        time.sleep(0.3)  # taking a large process down is work of the system's
        before = _computed()
        time.sleep(0.2)
        # Of the processor's time, not of the clock's: what is idle takes none, however busy others.
        assert _computed() - before < 0.05


def _computed() -> float:
    total = 0.0
    for child in psutil.Process().children():
        times = child.cpu_times()
        total += times.user + times.system
    return total


@pytest.mark.parametrize("kind", WORK)
def test_no_model_takes_more_memory_than_is_set_aside(engines: Engines, kind: wire.Kind) -> None:
    WORK[kind](engines)
    ((spec, slot),) = [(s, slot) for s, slot in engines.pool._room.slots.items() if s.kind == kind]
    if kind == "chat":
        chat = RemoteChat(engines.pool, spec)
        list(chat.stream(long_prompt(chat), 8))
        list(chat.stream(QUESTION, 8))  # the long one is set aside
    worker = slot.worker
    assert worker
    assert worker.loaded <= budget.loaded(spec)
    assert worker.memory.peak <= budget.loaded(spec) + budget.growth(spec)


def test_three_models_share_a_budget_that_holds_two(chat: ChatEngine) -> None:
    limit = machine.resident_memory() + 1_350_000_000
    pool = Pool(limit)
    engines = Engines(chat_model(), pool)
    peaks, done = [], threading.Event()

    def watch() -> None:
        while not done.is_set():
            peaks.append(_tree())
            time.sleep(0.02)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        order: list[wire.Kind] = ["chat", "embed", "speech", "embed", "chat", "speech", "chat"]
        results = [str(WORK[kind](engines)) for kind in order]
    finally:
        done.set()
        watcher.join()
        pool.close()
    assert len(set(results)) == 3
    assert max(peaks) <= limit * 1.02


def _tree() -> int:
    total = machine.resident_memory()
    for child in psutil.Process().children():
        try:
            total += child.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total


def test_a_damaged_model_is_told_as_such(engines: Engines, tmp_path: Path) -> None:
    real = Store().path(chat_model())
    for name, data in (("cut.gguf", real.read_bytes()[:5_000_000]), ("noise.gguf", b"\x00" * 9999)):
        (tmp_path / name).write_bytes(data)
        spec = Spec("broken", wire.Load("chat", bytes(tmp_path / name)))
        with pytest.raises(IntegrityError, match=name):
            list(RemoteChat(engines.pool, spec).stream(QUESTION, 1))


def test_what_the_engine_refuses_comes_back_as_its_sentence(chat: ChatEngine) -> None:
    with pytest.raises(UsageError):
        list(chat.stream([Message("user", "word " * 9000)], 8))
    events = list(chat.stream(QUESTION, 4))
    assert isinstance(events[-1], Done)


def test_an_embedder_knows_its_dimensions_without_a_process(engines: Engines) -> None:
    assert engines.embedder(EMBEDDER).dimensions == 384
    assert engines.pool.status() == []
