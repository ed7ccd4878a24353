"""A context without a model: what comes next is a function of the tokens read so far."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from edge_slm.engines.settings import Settings
from edge_slm.engines.stopping import Stopped

WORDS = 8


class ScriptedContext:
    """What `Context` is to those that read and write with it.

    `blurs`: a batch is computed otherwise than its tokens one by one, and what it leaves in memory
    stays so. `refuses`: no state is taken up. `stops_at`: reading beyond so many tokens is stopped.
    """

    def __init__(
        self,
        follow: Callable[[Sequence[int]], int] = lambda tokens: sum(tokens[-3:]) % WORDS,
        *,
        read: Sequence[int] = (),
        room: int = 4096,
        blurs: bool = False,
    ) -> None:
        self.settings = Settings(context=room)
        self.tokens: list[int] = []
        self.batches: list[list[int]] = []
        self.restored = 0
        self.refuses = False
        self.stops_at: int | None = None
        self._follow = follow
        self._blurs = blurs
        self._blurred: list[bool] = []
        self._rows: list[NDArray[np.float32]] = []
        if read:
            self.read(read)
            self.batches.clear()
            self._blurred = [False] * len(read)
            self._rows = [self._logits(len(read))]

    def read(self, tokens: Sequence[int], *, every: bool = False) -> None:
        """Read tokens as a context does, within its room."""
        assert tokens, "nothing to read"
        held = len(self.tokens)
        if held + len(tokens) > self.settings.context:
            raise RuntimeError("llama_decode: 1")
        if self.stops_at is not None and held + len(tokens) > self.stops_at:
            raise Stopped
        self.batches.append(list(tokens))
        self.tokens.extend(tokens)
        self._blurred.extend([self._blurs and len(tokens) > 1] * len(tokens))
        first = held + 1 if every else len(self.tokens)
        self._rows = [self._logits(end) for end in range(first, len(self.tokens) + 1)]

    def logits(self, row: int = -1) -> NDArray[np.float32]:
        """Return a row of the last batch."""
        return self._rows[row]

    def rewind(self, length: int) -> None:
        """Forget all but the first tokens."""
        del self.tokens[length:], self._blurred[length:]

    def state(self) -> bytes:
        """Return what was read."""
        return msgspec.msgpack.encode(self.tokens)

    def restore(self, state: bytes, tokens: Sequence[int]) -> bool:
        """Take up what was read."""
        self.rewind(0)
        if self.refuses or msgspec.msgpack.decode(state) != list(tokens):
            return False
        self.tokens = list(tokens)
        self._blurred = [False] * len(tokens)
        self.restored += 1
        return True

    def _logits(self, end: int) -> NDArray[np.float32]:
        best = self._follow(self.tokens[:end]) + any(self._blurred[:end])
        row = np.zeros(WORDS, np.float32)
        row[best % WORDS] = 1
        return row


def as_any(fake: object) -> Any:
    """Hand a fake to code that asks for the real class."""
    return fake
