"""Pools of real processes with scripted engines (fake_worker.py)."""

import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from edge_slm.engines import Message, Piece
from edge_slm.engines.workers import wire
from edge_slm.engines.workers.pool import Pool
from edge_slm.engines.workers.remote import RemoteChat, RemoteEmbedder, RemoteTranscriber
from edge_slm.engines.workers.spec import Spec

FAKE = (sys.executable, str(Path(__file__).with_name("fake_worker.py")))
NEED = 1_000_000_000  # what each scripted model is reckoned to take

MakePool = Callable[..., Pool]


def workers() -> list[psutil.Process]:
    """Return the scripted workers that this process has now."""
    found = []
    for child in psutil.Process().children():
        with suppress(psutil.NoSuchProcess):
            if FAKE[1] in child.cmdline():
                found.append(child)
    return found


class Scripted:
    """A scripted model in a pool, through the three kinds of engines."""

    def __init__(self, pool: Pool, folder: Path, model: str = "m", script: str = "") -> None:
        self.pool = pool
        self.path = folder / model
        self.path.write_text(script, encoding="utf-8")
        self._model = model
        self.chat = RemoteChat(pool, self.spec("chat"))
        self.embedder = RemoteEmbedder(pool, self.spec("embed"))
        self.speech = RemoteTranscriber(pool, self.spec("speech"))

    def spec(self, kind: wire.Kind) -> Spec:
        """Return what a worker loads."""
        return Spec(self._model, wire.Load(kind, bytes(self.path)), 2)

    def stream(self, script: str) -> Iterator[str]:
        """Yield the pieces of a reply."""
        for event in self.chat.stream([Message("user", script)], 7):
            if isinstance(event, Piece):
                yield event.text

    def say(self, script: str) -> str:
        """Return a whole reply."""
        return "".join(self.stream(script))

    @property
    def status(self) -> Any:
        """How the model fares as a chat model."""
        (found,) = [
            one for one in self.pool.status() if (one.model, one.kind) == (self._model, "chat")
        ]
        return found


@pytest.fixture
def make_pool(monkeypatch: pytest.MonkeyPatch) -> Iterator[MakePool]:
    """Makes pools in which every model is reckoned to take NEED, and this process nothing."""
    monkeypatch.setattr("edge_slm.engines.workers.ledger.expected", lambda spec, order=None: NEED)
    monkeypatch.setattr("edge_slm.machine.resident_memory", lambda: 0)
    monkeypatch.setattr("edge_slm.machine.available_ram", lambda: 1 << 50)
    pools: list[Pool] = []

    def make(models: float = 10, **options: Any) -> Pool:
        pools.append(Pool(int(models * NEED), command=FAKE, **options))
        return pools[-1]

    yield make
    for pool in pools:
        pool.close()


@pytest.fixture
def model(make_pool: MakePool, tmp_path: Path) -> Scripted:
    """A scripted model in a pool of its own."""
    return Scripted(make_pool(), tmp_path)
