"""The clock of one reply: when its first word came, and how fast the rest followed.

Ours and a peer's go through the same clock.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass

from edge_slm.answer import Usage
from edge_slm.engines import Done, Piece


@dataclass(frozen=True)
class Timed:
    """A reply, and the seconds from its being asked for to its first text and to its end."""

    text: str
    first_s: float
    total_s: float
    usage: Usage

    @property
    def tokens_per_s(self) -> float:
        """Tokens written per second after the first; 0 when there was but one."""
        seconds = self.total_s - self.first_s
        return (self.usage.completion_tokens - 1) / seconds if seconds > 0 else 0.0


def timed(reply: Iterable[Piece | Done]) -> Timed:
    """Read a reply to its end; the clock starts now, so the work must not have begun.

    The first text may be later than the first token by one: half a letter is not shown.
    """
    begin = time.perf_counter()
    first: float | None = None
    pieces: list[str] = []
    usage = Usage()
    for event in reply:
        if isinstance(event, Piece) and event.text:
            first = first or time.perf_counter()
            pieces.append(event.text)
        usage = event.usage or usage
    end = time.perf_counter()
    return Timed("".join(pieces), (first or end) - begin, end - begin, usage)
