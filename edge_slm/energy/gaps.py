"""Stretches of time that a meter does not cover, counted once where several overlap."""

Stretch = tuple[float, float]


class Gaps:
    """The seconds lost so far, by stretches of a monotonic clock."""

    def __init__(self) -> None:
        """Lose nothing yet."""
        self._closed_s = 0.0
        self._recent: list[Stretch] = []

    def add(self, start_s: float, end_s: float) -> None:
        """Lose the time from `start_s` to `end_s`."""
        if end_s > start_s:
            self._recent = union([*self._recent, (start_s, end_s)])

    def close(self, before_s: float) -> None:
        """Promise that nothing before `before_s` will be added any more: it need not be kept."""
        while self._recent and self._recent[0][1] <= before_s:
            start_s, end_s = self._recent.pop(0)
            self._closed_s += end_s - start_s

    def seconds(self, still_open: list[Stretch]) -> float:
        """Return the seconds lost, and those of stretches that may be lost or not yet."""
        stretches = union([*self._recent, *still_open])
        return self._closed_s + sum(end_s - start_s for start_s, end_s in stretches)


def union(stretches: list[Stretch]) -> list[Stretch]:
    """Return the same time as stretches that do not touch, in order."""
    merged: list[Stretch] = []
    for start_s, end_s in sorted(stretches):
        if merged and start_s <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end_s, merged[-1][1]))
        else:
            merged.append((start_s, end_s))
    return merged
