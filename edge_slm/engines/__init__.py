"""What a task may ask of an engine. Engines know nothing of tasks; heavy imports are theirs."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from edge_slm.answer import Segment, Usage


class Message(NamedTuple):
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


class Piece(NamedTuple):
    """Some text, as soon as it is known, and the tokens used so far where the engine tells."""

    text: str
    usage: Usage | None = None


class Done(NamedTuple):
    """The end of a generation: tokens used, and whether the model stopped by itself."""

    usage: Usage
    complete: bool


class ChatEngine(Protocol):
    """Continues a conversation."""

    def count_tokens(self, text: str) -> int:
        """Return the number of tokens of a text."""

    def stream(self, messages: Sequence[Message], max_tokens: int) -> Iterator[Piece | Done]:
        """Yield the reply piece by piece, then `Done`. Greedy: the same input, the same reply."""

    def close(self) -> None:
        """Give the memory back; the engine is of no more use."""


class Embedder(Protocol):
    """Turns texts into vectors whose dot product says how near they are."""

    dimensions: int

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """Return the unit vector of a question (dimensions,)."""

    def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the unit vectors of passages (texts x dimensions)."""

    def close(self) -> None:
        """Give the memory back; the engine is of no more use."""


class Transcriber(Protocol):
    """Writes down speech."""

    def transcribe(self, audio: Path, language: str | None) -> tuple[Iterator[Segment], str, float]:
        """Return the segments as they come, the language spoken, and the length in seconds."""
