"""How long and how patiently to wait: cancelling from another thread, time limits.

Every wait of the pool and of its processes is cut into steps, between which `Patience.check` says
whether to go on.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from edge_slm.engines.stopping import Stopped
from edge_slm.errors import OverdueError
from edge_slm.i18n import t

_STEP = 0.25  # seconds; Windows cannot interrupt a wait, so that Ctrl-C comes between two
_QUICK_STEP = 0.03  # seconds, where another thread may cancel

_event: ContextVar[threading.Event | None] = ContextVar("cancelled_by", default=None)


@contextmanager
def cancelled_by(event: threading.Event) -> Iterator[None]:
    """Let another thread stop what this thread asks of engines, by setting `event`.

    In the block, whatever waits for an engine (a place in the queue, a model to load, a token)
    ends within 50 ms of the event, stops the computation and raises `Stopped`.
    """
    token = _event.set(event)
    try:
        yield
    finally:
        _event.reset(token)


class Patience:
    """What one request waits with: the caller's event and its time limit."""

    def __init__(self, timeout: float | None = None) -> None:
        """Start the clock.

        Args:
            timeout: seconds that the request may take in all; None for no limit.
        """
        self._timeout = timeout
        self._end = None if timeout is None else time.monotonic() + timeout

    def step(self) -> float:
        """Return the seconds to wait before the next check."""
        step = _STEP if _event.get() is None else _QUICK_STEP
        if self._end is None:
            return step
        return max(0.0, min(step, self._end - time.monotonic()))

    def check(self) -> None:
        """Return if it is worth waiting on.

        Raises:
            Stopped: the caller's event is set.
            OverdueError: the time is over.
        """
        # Read each time: the thread that takes the next piece may be another than the last one's.
        event = _event.get()
        if event is not None and event.is_set():
            raise Stopped
        if self._end is not None and time.monotonic() >= self._end:
            raise OverdueError(
                t(
                    "The request was stopped after {seconds} s, the longest allowed: ask for "
                    "less, or allow more.",
                    "La demande a été arrêtée après {seconds} s, la durée permise : demandez "
                    "moins, ou permettez plus.",
                    seconds=f"{self._timeout:g}",
                )
            )
