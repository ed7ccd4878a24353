"""States of conversations set aside, in memory only: a person's words are not written to the disk.

A conversation that goes on after another one was served takes up where it was. Knows nothing of
llama.cpp.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

SHORTEST = 64  # tokens: reading fewer again costs less than keeping them


class Aside(NamedTuple):
    """The tokens read, and their keys and values."""

    tokens: tuple[int, ...]
    state: bytes


class Conversations:
    """The most recently used states, within a number of bytes."""

    def __init__(self, cap: int) -> None:
        """Keep `cap` bytes of states at most."""
        self._cap = cap
        self._kept: list[Aside] = []  # the least recently used first

    def keep(self, tokens: Sequence[int], state: bytes) -> None:
        """Set a state aside; it takes the place of those that it goes on from."""
        if len(state) > self._cap:
            return  # it would drive all others out and go itself
        fresh = Aside(tuple(tokens), state)
        self._kept = [
            old for old in self._kept if common_length(old.tokens, tokens) < len(old.tokens)
        ]
        self._kept.append(fresh)
        while sum(len(aside.state) for aside in self._kept) > self._cap:
            self._kept.pop(0)

    def best(self, prompt: Sequence[int]) -> Aside | None:
        """Return the state that shares the longest beginning with a prompt, if that is worth it."""
        if not self._kept:
            return None
        best = max(self._kept, key=lambda aside: common_length(aside.tokens, prompt))
        if common_length(best.tokens, prompt) < SHORTEST:
            return None
        self._kept.remove(best)
        self._kept.append(best)
        return best


def common_length(left: Sequence[int], right: Sequence[int]) -> int:
    """Return how many tokens two texts have in common at their beginnings."""
    length = min(len(left), len(right))
    same = np.asarray(left[:length], np.int32) == np.asarray(right[:length], np.int32)
    different = np.flatnonzero(~same)
    return int(different[0]) if len(different) else length
