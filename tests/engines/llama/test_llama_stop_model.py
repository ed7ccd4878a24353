"""A stop ends loading, reading and writing, and the engine goes on as if nothing had been."""

import threading
from pathlib import Path
from typing import Any

import pytest

from edge_slm.engines import GREEDY, Message, Options, Piece
from edge_slm.engines.llama import model
from edge_slm.engines.llama.embedding import LlamaEmbedder
from edge_slm.engines.stopping import StopFlag, Stopped
from edge_slm.profiles import PROFILES
from edge_slm.store import Store
from tests.engines.llama.conftest import Engine, OpenEngine

pytestmark = pytest.mark.model

SHORT = [Message("user", "Cite trois couleurs.")]
LONG = [
    Message("system", "Le règlement s'applique à tous les agents du service. " * 30),
    Message("user", "Résume."),
]


class FlagThatComes(StopFlag):
    """Is set the third time that Python asks, as llama.cpp does while it loads."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    def __bool__(self) -> bool:
        self.asked += 1
        if self.asked == 3:
            self.set()
        return super().__bool__()


@pytest.fixture(scope="module")
def engine(open_engine: OpenEngine) -> Engine:
    """Small batches, so that a long prompt takes many."""
    return open_engine(batch=64)


@pytest.fixture(autouse=True)
def no_stop_is_left(engine: Engine) -> None:
    engine.stop.clear()


def test_a_stop_before_loading_ends_it(open_engine: OpenEngine) -> None:
    stop = StopFlag()
    stop.set()
    with pytest.raises(Stopped):
        open_engine(stop=stop)


def test_a_stop_while_loading_ends_it(open_engine: OpenEngine) -> None:
    stop = FlagThatComes()
    with pytest.raises(Stopped):
        open_engine(stop=stop)
    assert stop.asked >= 3


@pytest.mark.parametrize("options", [GREEDY, Options(keep_prefix=True)], ids=["plain", "kept"])
def test_a_stop_while_reading_ends_it(
    engine: Engine, options: Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = engine.say(SHORT, 8)
    fill = model.fill
    batches: list[int] = []

    def fill_and_stop(batch: Any, tokens: list[int], position: int, **wanted: bool) -> None:
        fill(batch, tokens, position, **wanted)
        batches.append(position)
        if len(batches) == 3:
            engine.stop.set()

    monkeypatch.setattr(model, "fill", fill_and_stop)
    with pytest.raises(Stopped):
        engine.say(LONG, 8, options)
    monkeypatch.undo()
    assert len(batches) == 3
    assert engine.files() == []
    engine.stop.clear()
    assert engine.say(SHORT, 8).same == before.same


def test_a_stop_from_another_thread_ends_the_reading(engine: Engine) -> None:
    before = engine.say(SHORT, 8)
    read = engine.chat._context.read
    begun = threading.Event()

    def stop() -> None:
        begun.wait()
        engine.stop.set()

    def tell_and_read(tokens: list[int], *, every: bool = False) -> None:
        begun.set()
        read(tokens, every=every)

    setter = threading.Thread(target=stop)
    setter.start()
    with pytest.MonkeyPatch.context() as patch, pytest.raises(Stopped):
        patch.setattr(engine.chat._context, "read", tell_and_read)
        engine.say(LONG, 64)
    setter.join()
    engine.stop.clear()
    assert engine.say(SHORT, 8).same == before.same


@pytest.mark.parametrize("options", [GREEDY, Options(lookup=True)], ids=["plain", "drafted"])
def test_a_stop_while_writing_ends_it(engine: Engine, options: Options) -> None:
    before = engine.say(SHORT, 12)
    shown = []
    with pytest.raises(Stopped):
        for event in engine.chat.stream(SHORT, 200, options):
            assert isinstance(event, Piece)
            shown.append(event.text)
            if len(shown) == 3:
                engine.stop.set()
    assert before.text.startswith("".join(shown[:3]))
    engine.stop.clear()
    assert engine.say(SHORT, 12).same == before.same


def test_leaving_a_reply_ends_it(engine: Engine) -> None:
    before = engine.say(SHORT, 12)
    events = engine.chat.stream(SHORT, 200)
    next(events)
    events.close()  # type: ignore[attr-defined]
    assert engine.say(SHORT, 12).same == before.same


def test_a_flag_that_stays_set_stops_every_request(engine: Engine) -> None:
    engine.stop.set()
    for _ in range(2):
        with pytest.raises(Stopped):
            engine.say(SHORT, 4)
    with pytest.raises(Stopped):
        engine.chat.prepare(LONG)
    assert engine.files() == []


def test_what_was_read_before_a_stop_serves_again(open_engine: OpenEngine, tmp_path: Path) -> None:
    engine = open_engine(tmp_path)
    whole = engine.say(LONG[:1] + SHORT, 4)
    engine.stop.set()
    with pytest.raises(Stopped):
        engine.say(LONG, 4)
    engine.stop.clear()
    again = engine.say(LONG[:1] + SHORT, 4)
    assert again.same == whole.same
    assert again.usage.cached_tokens > 250


def test_a_stop_ends_embedding_and_loading_the_embedder() -> None:
    path = Store().path(PROFILES["lite"][1])
    stop = StopFlag()
    embedder = LlamaEmbedder(path, stop=stop)
    before = embedder.embed_query("Combien de jours ?")
    stop.set()
    with pytest.raises(Stopped):
        embedder.embed_passages(["Un agent a droit à 25 jours."])
    with pytest.raises(Stopped):
        LlamaEmbedder(path, stop=stop)
    stop.clear()
    assert embedder.embed_query("Combien de jours ?").tobytes() == before.tobytes()
    embedder.close()
