"""Tokens' bytes as text: whole characters only, and nothing from a stop text on."""

import codecs
from collections.abc import Sequence


class ReplyText:
    """Gathers bytes and gives out the text that is certain."""

    def __init__(self, stops: Sequence[str] = ()) -> None:
        """Begin a reply that ends before any of `stops`."""
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._stops = tuple(stop for stop in stops if stop)
        self._held = ""
        self.stopped = False

    def feed(self, data: bytes) -> str:
        """Return the text that became certain; nothing more comes once `stopped` is set."""
        return self._take(self._decoder.decode(data))

    def finish(self) -> str:
        """Return what was held back for a character or a stop text that did not come."""
        return self._take(self._decoder.decode(b"", final=True)) + self._held

    def _take(self, text: str) -> str:
        if self.stopped:
            return ""
        self._held += text
        # The one that is whole first counts, so that nothing depends on how the bytes came.
        found = [
            (place + len(stop), place)
            for stop in self._stops
            if (place := self._held.find(stop)) >= 0
        ]
        if found:
            self.stopped = True
            whole, self._held = self._held[: min(found)[1]], ""
            return whole
        kept = max((_overlap(self._held, stop) for stop in self._stops), default=0)
        cut = len(self._held) - kept
        whole, self._held = self._held[:cut], self._held[cut:]
        return whole


def _overlap(text: str, stop: str) -> int:
    """Return the length of the longest end of `text` that begins `stop`."""
    for length in range(min(len(text), len(stop) - 1), 0, -1):
        if text.endswith(stop[:length]):
            return length
    return 0
