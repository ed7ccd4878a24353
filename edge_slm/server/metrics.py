"""Counts of what a server did, in Prometheus' text format.

Source of the format: https://prometheus.io/docs/instrumenting/exposition_formats/.
"""

import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from edge_slm.answer import Energy, Usage

SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Labels = tuple[tuple[str, str], ...]
Row = tuple[Labels, float]


class Histogram:
    """How many durations, in seconds, fell under each bound."""

    def __init__(self) -> None:
        """Start empty."""
        self._under = [0] * len(SECONDS)
        self._count = 0
        self._sum = 0.0

    def add(self, seconds: float) -> None:
        """Count one duration."""
        self._count += 1
        self._sum += seconds
        for place, bound in enumerate(SECONDS):
            self._under[place] += seconds <= bound

    def lines(self, name: str, labels: Labels = ()) -> Iterator[str]:
        """Yield the lines of the format."""
        for bound, count in zip(SECONDS, self._under, strict=True):
            yield _line(f"{name}_bucket", (*labels, ("le", f"{bound:g}")), count)
        yield _line(f"{name}_bucket", (*labels, ("le", "+Inf")), self._count)
        yield _line(f"{name}_sum", labels, round(self._sum, 6))
        yield _line(f"{name}_count", labels, self._count)


class Metrics:
    """The counts of one server; may be called from any thread."""

    def __init__(self) -> None:
        """Start at zero."""
        self._lock = threading.Lock()
        self._requests: Counter[Labels] = Counter()
        self._tokens: Counter[str] = Counter()
        self._joules: dict[str, float] = {}
        self._cpu_seconds = 0.0
        self._stops = 0
        self._running = 0
        self._first = Histogram()
        self._total: dict[str, Histogram] = {}

    def begin(self) -> None:
        """Count a request that came in."""
        with self._lock:
            self._running += 1

    def end(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count a request that is done; `route` is the path's pattern, not the path."""
        with self._lock:
            self._running -= 1
            labels = (("method", method), ("route", route), ("status", str(status)))
            self._requests[labels] += 1
            self._total.setdefault(route, Histogram()).add(seconds)

    def stopped(self) -> None:
        """Count a computation that was stopped: its client left, or its time was up."""
        with self._lock:
            self._stops += 1

    def tokens(self, usage: Usage) -> None:
        """Count the tokens of a reply."""
        with self._lock:
            self._tokens["prompt"] += usage.prompt_tokens
            self._tokens["cached"] += usage.cached_tokens
            self._tokens["completion"] += usage.completion_tokens

    def energy(self, energy: Energy) -> None:
        """Count what a reply cost, measured and estimated apart."""
        with self._lock:
            self._cpu_seconds += energy.cpu_seconds or 0.0
            if energy.joules is not None and energy.method:
                before = self._joules.get(energy.method, 0.0)
                self._joules[energy.method] = before + energy.joules

    def first_token(self, seconds: float) -> None:
        """Count the time from a request to the first piece of its reply."""
        with self._lock:
            self._first.add(seconds)

    def lines(self) -> Iterator[str]:
        """Yield the lines of all counts."""
        with self._lock:
            yield from family(
                "requests_total", "counter", "Requests done.", list(self._requests.items())
            )
            yield from family("requests_running", "gauge", "Under way.", [((), self._running)])
            yield from family("stops_total", "counter", "Stopped early.", [((), self._stops)])
            rows = [((("kind", kind),), count) for kind, count in self._tokens.items()]
            yield from family("tokens_total", "counter", "Read, cached, written.", rows)
            joules: list[Row] = [
                ((("method", method),), round(j, 4)) for method, j in self._joules.items()
            ]
            yield from family("joules_total", "counter", "Of replies, by method.", joules)
            seconds: list[Row] = [((), round(self._cpu_seconds, 4))]
            yield from family("cpu_seconds_total", "counter", "Of replies.", seconds)
            name = "edge_slm_first_token_seconds"
            yield f"# TYPE {name} histogram"
            yield from self._first.lines(name)
            name = "edge_slm_request_seconds"
            yield f"# TYPE {name} histogram"
            for route, histogram in self._total.items():
                yield from histogram.lines(name, (("route", route),))


def family(name: str, kind: str, about: str, rows: Iterable[Row]) -> Iterator[str]:
    """Yield the lines of one metric: `kind` is "counter" or "gauge", rows are labels and value."""
    yield f"# HELP edge_slm_{name} {about}"
    yield f"# TYPE edge_slm_{name} {kind}"
    for labels, value in rows:
        yield _line(f"edge_slm_{name}", labels, value)


def _line(name: str, labels: Sequence[tuple[str, str]], value: float) -> str:
    pairs = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels)
    return f"{name}{{{pairs}}} {value}" if pairs else f"{name} {value}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
