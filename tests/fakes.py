"""Engines without a model, for tests of what stands above them.

`FakeEmbedder` puts texts that share words near one another; `ScriptedChat` says what it was told
to say and keeps what it was asked.
"""

import zlib
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from edge_slm.answer import Usage
from edge_slm.engines import GREEDY, Done, Message, Options, Piece, Prompt
from edge_slm.i18n import Language
from edge_slm.kb.lexical import stems

DIMENSIONS = 64


class FakeEmbedder:
    """Hashes the stems of a text into a unit vector; the same text, the same vector.

    Attributes:
        dimensions: length of a vector.
        queries: the questions that it was given.
        passages: the passages that it was given.
    """

    def __init__(self, dimensions: int = DIMENSIONS, language: Language = "fr") -> None:
        """Make an embedder of vectors of this length."""
        self.dimensions = dimensions
        self.queries: list[str] = []
        self.passages: list[str] = []
        self.closed = False
        self._language = language

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """Return the unit vector of a question (dimensions,)."""
        self.queries.append(text)
        return self._vector(text)

    def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the unit vectors of passages (texts x dimensions)."""
        self.passages.extend(texts)
        return np.stack([self._vector(text) for text in texts])

    def close(self) -> None:
        """Note that it was closed."""
        self.closed = True

    def _vector(self, text: str) -> NDArray[np.float32]:
        vector = np.zeros(self.dimensions, np.float32)
        vector[0] = 0.1  # a text without words is a unit vector too
        for stem in stems(text, self._language):
            # crc32, because hash() differs from one process to the next.
            vector[zlib.crc32(stem.encode()) % self.dimensions] += 1
        return vector / np.float32(np.linalg.norm(vector))


class ScriptedChat:
    """Gives scripted replies, one a call, in pieces that end after each space.

    Attributes:
        asked: the messages of each call.
        max_tokens: the limit of each call.
        options: how each reply was to be written.
        prepared: the prompts whose beginnings were to be kept.
        closed: whether it was closed.
    """

    def __init__(self, replies: Iterable[str], *, complete: bool = True) -> None:
        """Make an engine of these replies; `complete` is what each `Done` says."""
        self._replies = list(replies)
        self._complete = complete
        self.asked: list[tuple[Message, ...]] = []
        self.max_tokens: list[int | None] = []
        self.options: list[Options] = []
        self.prepared: list[tuple[Message, ...]] = []
        self.closed = False

    def count_tokens(self, text: str) -> int:
        """Return the number of words."""
        return len(text.split())

    def stream(
        self, prompt: Prompt, max_tokens: int | None, options: Options = GREEDY
    ) -> Iterator[Piece | Done]:
        """Yield the next reply piece by piece, then `Done`.

        Raises:
            AssertionError: there are more calls than replies.
        """
        messages = [Message("user", prompt)] if isinstance(prompt, str) else prompt
        self.asked.append(tuple(messages))
        self.max_tokens.append(max_tokens)
        self.options.append(options)
        assert self._replies, "the script holds no further reply"
        reply = self._replies.pop(0)
        return self._pieces(reply, sum(self.count_tokens(m.content) for m in messages))

    def prepare(self, prompt: Prompt) -> bool:
        """Note the prompt; True the first time."""
        assert not isinstance(prompt, str)
        fresh = tuple(prompt) not in self.prepared
        self.prepared.append(tuple(prompt))
        return fresh

    def close(self) -> None:
        """Note that it was closed."""
        self.closed = True

    def _pieces(self, reply: str, prompt_tokens: int) -> Iterator[Piece | Done]:
        head, space, rest = reply.partition(" ")
        while space:
            yield Piece(head + space)
            head, space, rest = rest.partition(" ")
        if head:
            yield Piece(head)
        yield Done(Usage(prompt_tokens, 0, self.count_tokens(reply)), self._complete)
