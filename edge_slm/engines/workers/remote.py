"""Engines whose models live in worker processes: what tasks are given.

Each request takes its turn in the pool. Leaving an iterator early stops the computation, and
`cancelled_by` lets another thread stop it. Knows nothing of how workers are started and unloaded.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_slm.answer import Segment
from edge_slm.engines import GREEDY, Done, Message, Options, Piece, Prompt
from edge_slm.engines.workers import wire
from edge_slm.engines.workers.pool import Pool, Reports
from edge_slm.engines.workers.spec import Spec
from edge_slm.engines.workers.waiting import cancelled_by

__all__ = ["RemoteChat", "RemoteEmbedder", "RemoteTranscriber", "cancelled_by"]

GROUP = 8  # passages sent at once: between groups others get their turn, and a stop is noticed


class RemoteChat:
    """A chat model in a process of its own."""

    def __init__(self, pool: Pool, spec: Spec) -> None:
        """Start nothing yet."""
        self._pool = pool
        self._spec = spec

    def count_tokens(self, text: str) -> int:
        """Return the number of tokens of a text; loads the model if need be."""
        reports = self._pool.exchange(self._spec, lambda n: wire.Count(n, _clean(text)))
        (counted,) = reports
        assert isinstance(counted, wire.Counted)
        return counted.tokens

    def stream(
        self, prompt: Prompt, max_tokens: int | None, options: Options = GREEDY
    ) -> Iterator[Piece | Done]:
        """Yield the reply piece by piece, then `Done`; closing it stops the computation.

        Raises:
            UsageError: the prompt does not fit the context.
            EdgeSlmError: see `Pool.exchange`.
            Stopped: the event of `cancelled_by` was set.
        """
        sent = _clean_prompt(prompt)
        with closing(
            self._pool.exchange(self._spec, lambda n: wire.Stream(n, sent, max_tokens, options))
        ) as reports:
            for report in reports:
                if isinstance(report, wire.Said):
                    yield report.piece
                elif isinstance(report, wire.Finished):
                    yield report.done

    def prepare(self, prompt: Prompt) -> bool:
        """Read and keep what stands before the last message; False where it was kept already.

        Raises:
            UsageError: it does not fit the context.
            EdgeSlmError: see `Pool.exchange`.
            Stopped: the event of `cancelled_by` was set.
        """
        sent = _clean_prompt(prompt)
        (report,) = self._pool.exchange(self._spec, lambda n: wire.Prepare(n, sent))
        assert isinstance(report, wire.Prepared)
        return report.read

    def warm_up(self) -> None:
        """Load the model in the background, so that it is ready when it is needed."""
        self._pool.warm_up(self._spec)

    def close(self) -> None:
        """Give the memory back; the next request loads the model again."""
        self._pool.release(self._spec)


class RemoteEmbedder:
    """An embedder in a process of its own.

    Attributes:
        dimensions: length of a vector, known without loading the model.
    """

    def __init__(self, pool: Pool, spec: Spec) -> None:
        """Start nothing yet."""
        self._pool = pool
        self._spec = spec
        self.dimensions = spec.dimensions

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """Return the unit vector of a question (dimensions,)."""
        vector: NDArray[np.float32] = self._embed((text,), query=True)[0]
        return vector

    def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the unit vectors of passages (texts x dimensions)."""
        groups = [texts[start : start + GROUP] for start in range(0, len(texts), GROUP)]
        found = [self._embed(group, query=False) for group in groups]
        return np.concatenate([np.empty((0, self.dimensions), np.float32), *found])

    def warm_up(self) -> None:
        """Load the model in the background, so that it is ready when it is needed."""
        self._pool.warm_up(self._spec)

    def close(self) -> None:
        """Give the memory back; the next request loads the model again."""
        self._pool.release(self._spec)

    def _embed(self, texts: Sequence[str], *, query: bool) -> NDArray[np.float32]:
        sent = tuple(_clean(text) for text in texts)
        (report,) = self._pool.exchange(self._spec, lambda n: wire.Embed(n, sent, query))
        assert isinstance(report, wire.Vectors)
        return np.frombuffer(report.data, np.float32).reshape(len(sent), self.dimensions)


class RemoteTranscriber:
    """A speech model in a process of its own."""

    def __init__(self, pool: Pool, spec: Spec) -> None:
        """Start nothing yet."""
        self._pool = pool
        self._spec = spec

    def transcribe(self, audio: Path, language: str | None) -> tuple[Iterator[Segment], str, float]:
        """Return the segments as they come, the language spoken, and the length in seconds.

        Closing the segments, or letting them go, stops the computation.

        Raises:
            UsageError: the file holds no sound that can be decoded.
            EdgeSlmError: see `Pool.exchange`.
            Stopped: the event of `cancelled_by` was set.
        """
        path = os.fsencode(audio.absolute())
        reports = self._pool.exchange(self._spec, lambda n: wire.Transcribe(n, path, language))
        hearing = next(reports)
        assert isinstance(hearing, wire.Hearing)
        return _segments(reports), hearing.language, hearing.duration

    def warm_up(self) -> None:
        """Load the model in the background, so that it is ready when it is needed."""
        self._pool.warm_up(self._spec)

    def close(self) -> None:
        """Give the memory back; the next request loads the model again."""
        self._pool.release(self._spec)


def _segments(reports: Reports) -> Iterator[Segment]:
    with closing(reports):
        for report in reports:
            if isinstance(report, wire.Heard):
                yield report.segment


def _clean_prompt(prompt: Prompt) -> tuple[Message, ...] | str:
    if isinstance(prompt, str):
        return _clean(prompt)
    return tuple(Message(message.role, _clean(message.content)) for message in prompt)


def _clean(text: str) -> str:
    """Replace lone surrogates, which come from bytes that are no text and cannot be sent."""
    return text.encode("utf-8", "replace").decode()
