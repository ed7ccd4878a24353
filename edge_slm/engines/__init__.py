"""What a task may ask of an engine. Engines know nothing of tasks; heavy imports are theirs."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal, NamedTuple, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from edge_slm.answer import Segment, Usage


class Message(NamedTuple):
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


# A conversation, put into the model's own template, or a text to go on with as it stands.
Prompt = Sequence[Message] | str


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How a reply is written; by default the most probable token each time.

    `stop`: texts that end the reply and are left out of it. `logprobs`: how many alternatives to
    tell for each token, None for no figure at all. `grammar` is in llama.cpp's GBNF;
    `json_schema` is the text of a JSON schema, and `{}` asks for any JSON object. `logit_bias`
    goes from a token's number to what is added to its logit.

    `keep_prefix`: what stands before the last message holds documents and nothing personal, so
    that its state may be kept on disk. `lookup`: draft from the prompt; pays where the reply
    copies, changes no token.
    """

    temperature: float = 0.0
    top_p: float = 1.0
    top_k: int = 0
    min_p: float = 0.0
    seed: int | None = None
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0
    logit_bias: dict[int, float] = {}
    stop: tuple[str, ...] = ()
    logprobs: int | None = None
    grammar: str | None = None
    json_schema: str | None = None
    keep_prefix: bool = False
    lookup: bool = False


GREEDY = Options()


class TokenLogprob(NamedTuple):
    """A token written, its natural log-probability, and the likeliest ones in its place."""

    token: bytes
    logprob: float
    top: tuple[tuple[bytes, float], ...] = ()


class Piece(NamedTuple):
    """Some text, as soon as it is known, and the tokens used so far where the engine tells."""

    text: str
    usage: Usage | None = None
    logprobs: tuple[TokenLogprob, ...] = ()


class Done(NamedTuple):
    """The end of a generation: tokens used, and whether the model stopped by itself."""

    usage: Usage
    complete: bool


class ChatEngine(Protocol):
    """Continues a conversation or a text.

    Closing the iterator of `stream` before its end stops the computation.
    """

    def count_tokens(self, text: str) -> int:
        """Return the number of tokens of a text."""

    def stream(
        self, prompt: Prompt, max_tokens: int | None, options: Options = GREEDY
    ) -> Iterator[Piece | Done]:
        """Yield the reply piece by piece, then `Done`; no `max_tokens` for all that there is room
        for."""

    def prepare(self, prompt: Prompt) -> bool:
        """Read and keep what stands before the last message; False where it was kept already."""

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
