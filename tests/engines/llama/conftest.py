"""Real chat engines, each with states and proofs in a folder of its own."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from edge_slm.answer import Usage
from edge_slm.cards import get_card
from edge_slm.engines import GREEDY, Done, Options, Piece, Prompt
from edge_slm.engines.llama.chat import LlamaChat
from edge_slm.engines.settings import Settings
from edge_slm.engines.stopping import StopFlag
from edge_slm.profiles import PROFILES
from edge_slm.store import Store

MODEL = PROFILES["lite"][0]


class Reply(NamedTuple):
    """What was written: the text, the tokens but the last, and what was told of them."""

    text: str
    tokens: tuple[int, ...]
    usage: Usage
    complete: bool
    pieces: tuple[Piece, ...]

    @property
    def same(self) -> tuple[object, ...]:
        """What must not depend on what was read before."""
        return self.text, self.tokens, self.usage.completion_tokens, self.complete


class Engine:
    """A chat engine, its flag and its folder."""

    def __init__(self, root: Path, settings: Settings, *, stop: StopFlag | None = None) -> None:
        card = get_card(MODEL)
        path = Store().path(MODEL)
        self.root = root
        self.stop = StopFlag() if stop is None else stop
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("EDGE_SLM_HOME", str(root))  # where proofs are kept
            self.chat = LlamaChat(
                path,
                card.chat_template,
                model_sha256=card.files[0].sha256,
                settings=settings,
                stop=self.stop,
                store_root=root / "prefixes",
            )

    def say(self, prompt: Prompt, max_tokens: int | None = 16, options: Options = GREEDY) -> Reply:
        """Return a whole reply."""
        pieces = []
        for event in self.chat.stream(prompt, max_tokens, options):
            if isinstance(event, Done):
                break
            pieces.append(event)
        assert isinstance(event, Done)
        text = "".join(piece.text for piece in pieces)
        begin = event.usage.prompt_tokens
        end = begin + max(0, event.usage.completion_tokens - 1)
        tokens = tuple(self.chat._context.tokens[begin:end])
        return Reply(text, tokens, event.usage, event.complete, tuple(pieces))

    def files(self) -> list[Path]:
        """Return all that was written to the folder, but proofs."""
        return [path for path in self.root.rglob("*") if path.is_file() and path.suffix == ".kv"]


OpenEngine = Callable[..., Engine]


@pytest.fixture(scope="module")
def open_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenEngine]:
    """Opens engines that are closed when the module's tests are over."""
    opened: list[Engine] = []

    def open_it(
        root: Path | None = None, *, stop: StopFlag | None = None, **set_to: object
    ) -> Engine:
        values = {"context": 1024, **set_to}
        folder = root or tmp_path_factory.mktemp("engine")
        opened.append(Engine(folder, Settings(**values), stop=stop))  # type: ignore[arg-type]
        return opened[-1]

    yield open_it
    for engine in opened:
        engine.chat.close()


@pytest.fixture(scope="module")
def engine(open_engine: OpenEngine) -> Engine:
    """One engine for the tests of a module."""
    return open_engine()


@pytest.fixture(autouse=True)
def in_english(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sentences are looked at in English."""
    monkeypatch.setenv("EDGE_SLM_LANG", "en")
