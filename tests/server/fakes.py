"""Engines without models behind the server, and models that are installed in name only."""

import hashlib
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from edge_slm import paths
from edge_slm.answer import ModelUsed, Segment, Usage
from edge_slm.cards import Card, CardFile, Embed, write_card
from edge_slm.engines import (
    GREEDY,
    ChatEngine,
    Done,
    Embedder,
    Options,
    Piece,
    Prompt,
    TokenLogprob,
    Transcriber,
)
from edge_slm.engines.loaded import Engines
from edge_slm.engines.workers.pool import Pool
from edge_slm.engines.workers.waiting import Patience
from edge_slm.sources import Fetched
from edge_slm.store import Store
from tests.fakes import DIMENSIONS, FakeEmbedder

CHAT, SPEECH = "talker", "listener"
EMBED = "multilingual-e5-small-q4_0"  # what bases are made for
USAGE = Usage(prompt_tokens=12, cached_tokens=4, completion_tokens=3)
WAIT_S = 30  # far more than anything here takes: only a broken test waits so long


def install(model: str, task: str) -> None:
    """Put a model of a few bytes in the store, under a card of its own."""
    data = model.encode()
    digest = hashlib.sha256(data).hexdigest()
    card = Card(
        id=model,
        task=task,  # type: ignore[arg-type]
        family="tests",
        parameters=1,
        languages=("fr",),
        licence="CC0-1.0",
        licence_url="https://example.org",
        quantisation="none",
        context=4096,
        min_ram=1,
        files=(CardFile(f"{model}.bin", len(data), digest),),
        sources=(),
        embed=Embed(DIMENSIONS) if task == "embed" else None,
    )
    write_card(card, paths.user_cards_dir())
    store = Store()
    staged = store.staging(model) / f"{model}.bin"
    staged.parent.mkdir(parents=True)
    staged.write_bytes(data)
    store.adopt(card, [Fetched(staged, len(data), digest)])


class FakeChat:
    """Says its pieces; keeps what it was asked.

    Attributes:
        pieces: texts of the reply.
        fails: raised after the pieces, if any.
        complete: what `Done` says.
        waits: wait for ever before the piece of this number, as a model that reads a long prompt.
        ended: set when the reply is over, for whatever reason.
        begun: set when the reply is asked for.
    """

    def __init__(self, *pieces: str) -> None:
        """Make an engine that says these pieces."""
        self.pieces = pieces
        self.fails: Exception | None = None
        self.complete = True
        self.waits: int | None = None
        self.begun, self.ended = threading.Event(), threading.Event()
        self.asked: list[tuple[Prompt, int | None, Options]] = []

    def count_tokens(self, text: str) -> int:
        """Return the number of words."""
        return len(text.split())

    def stream(
        self, prompt: Prompt, max_tokens: int | None, options: Options = GREEDY
    ) -> Iterator[Piece | Done]:
        """Yield the pieces, then `Done`."""
        self.asked.append((prompt, max_tokens, options))
        self.begun.set()
        try:
            for number, text in enumerate(self.pieces):
                if number == self.waits:
                    wait_for_ever()
                yield Piece(text, Usage(12, 4, number + 1), _logprobs(text, options))
            if self.fails:
                raise self.fails
            yield Done(USAGE, self.complete)
        finally:
            self.ended.set()

    def prepare(self, prompt: Prompt) -> bool:
        """Keep nothing."""
        return False

    def close(self) -> None:
        """Do nothing."""


class FakeSpeech:
    """Hears two segments, or fails."""

    def __init__(self) -> None:
        """Make an engine."""
        self.fails: Exception | None = None
        self.waits = False
        self.heard: list[tuple[Path, bytes, str | None]] = []

    def transcribe(self, audio: Path, language: str | None) -> tuple[Iterator[Segment], str, float]:
        """Return two segments."""
        self.heard.append((audio, audio.read_bytes(), language))
        if self.fails:
            raise self.fails
        return self._segments(), language or "fr", 2.5

    def _segments(self) -> Iterator[Segment]:
        yield Segment(0.0, 1.0, "Bonjour")
        if self.waits:
            wait_for_ever()
        yield Segment(1.0, 2.5, "à tous.")


class FakeEngines(Engines):
    """Engines of a server under test."""

    def __init__(self) -> None:
        """Make one engine of each kind, and a pool that starts nothing."""
        super().__init__(pool=Pool(budget=3_000_000))
        self.talker = FakeChat("Bon", "jour ", "à tous.")
        self.listener = FakeSpeech()
        self.vectors = FakeEmbedder()

    def chat(self, model: str | None = None) -> tuple[ChatEngine, ModelUsed]:
        """Return the chat engine under the name asked for."""
        return self.talker, ModelUsed(model or CHAT, "0" * 64, "none")

    def speech(self) -> tuple[Transcriber, ModelUsed]:
        """Return the speech engine."""
        return self.listener, ModelUsed(SPEECH, "0" * 64, "none")

    def embedder(self, model: str = EMBED) -> Embedder:
        """Return the embedder."""
        return self.vectors


def _logprobs(text: str, options: Options) -> tuple[TokenLogprob, ...]:
    if options.logprobs is None:
        return ()
    token = text.encode()
    others: Sequence[tuple[bytes, float]] = [(token, -0.25), (b"\xc3", float("-inf"))]
    return (TokenLogprob(token, -0.25, tuple(others[: options.logprobs])),)


def wait_for_ever() -> None:
    """Wait as an engine does, until somebody stops it."""
    patience = Patience(WAIT_S)
    while True:
        patience.check()
        time.sleep(patience.step())
