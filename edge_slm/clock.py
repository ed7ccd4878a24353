"""Milliseconds of the parts of an answer."""

import time


class Clock:
    """Runs from its making; each lap is what passed since the one before."""

    def __init__(self) -> None:
        """Start."""
        self._start = self._last = time.perf_counter()
        self._laps: dict[str, float] = {}

    def lap(self, name: str) -> None:
        """Note the time since the last lap."""
        now = time.perf_counter()
        self._laps[name] = round((now - self._last) * 1000, 1)
        self._last = now

    def first_token(self) -> None:
        """Note the time from the start to the first piece of the answer, once."""
        self._laps.setdefault("first_token", self._elapsed())

    def laps(self) -> dict[str, float]:
        """Return all laps and the total so far."""
        return {**self._laps, "total": self._elapsed()}

    def _elapsed(self) -> float:
        return round((time.perf_counter() - self._start) * 1000, 1)
