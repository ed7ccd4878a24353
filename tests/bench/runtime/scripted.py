"""A chat that takes as long as it is told, by what it is asked; no model."""

import time
from collections.abc import Iterator, Sequence

from edge_slm.answer import Usage
from edge_slm.engines import GREEDY, Done, Message, Options, Piece, Prompt


class PacedChat:
    """Reads a prompt slowly, or fast when it keeps its prefix; writes faster by lookup.

    Attributes:
        asked: the prompts and options of each call.
        words: what it writes.
    """

    def __init__(self, words: Sequence[str] = ("un ", "deux ", "trois ")) -> None:
        """Make a chat that writes these words."""
        self.asked: list[tuple[Prompt, Options]] = []
        self.words = words
        self._kept: set[Prompt] = set()

    def count_tokens(self, text: str) -> int:
        """Return a third of the letters."""
        return -(-len(text) // 3)

    def stream(
        self, prompt: Prompt, max_tokens: int | None, options: Options = GREEDY
    ) -> Iterator[Piece | Done]:
        """Yield the words."""
        self.asked.append((prompt, options))
        cached = 40 if options.keep_prefix and prompt in self._kept else 0
        if options.keep_prefix:
            self._kept.add(prompt)
        time.sleep(0.001 if cached else 0.03)
        for word in self.words[:max_tokens]:
            yield Piece(word)
            time.sleep(0.001 if options.lookup else 0.02)
        yield Done(Usage(50, cached, len(self.words[:max_tokens])), complete=True)

    def prepare(self, prompt: Prompt) -> bool:
        """Keep the prefix of a prompt."""
        known = prompt in self._kept
        self._kept.add(prompt)
        return not known

    def close(self) -> None:
        """Do nothing."""


class PacedPeer:
    """A peer that writes these words, all alike in time."""

    def __init__(self, words: Sequence[str]) -> None:
        """Make a peer."""
        self.words = words

    def stream(self, messages: Sequence[Message], max_tokens: int) -> Iterator[Piece | Done]:
        """Yield the words."""
        time.sleep(0.05)
        for word in self.words:
            yield Piece(word)
            time.sleep(0.005)
        yield Done(Usage(51, 2, len(self.words)), complete=True)
