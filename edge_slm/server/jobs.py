"""One request's computation, in a thread of its own, that the event loop can stop.

The thread calls a handler; what it emits and what it returns come back through a queue. `stop`
works while the handler waits for an engine (`remote.cancelled_by`) and between two emissions.
Knows nothing of HTTP.
"""

import asyncio
import sys
import threading
import traceback
from collections.abc import Callable

from edge_slm.engines.stopping import Stopped
from edge_slm.engines.workers.remote import cancelled_by
from edge_slm.server.errors import explain, is_ours
from edge_slm.server.exchange import Reply, as_json

Emit = Callable[[bytes], None]


class Job:
    """A handler at work. Make it within the event loop."""

    def __init__(self, work: Callable[[Emit], Reply]) -> None:
        """Start `work(emit)` in a new thread."""
        self._work = work
        self._loop = asyncio.get_running_loop()
        self._said: asyncio.Queue[bytes | Reply] = asyncio.Queue()
        self._stop = threading.Event()
        # A daemon: a thread that a stop cannot reach must not keep the server from ending.
        threading.Thread(target=self._run, name="request", daemon=True).start()

    def stop(self) -> None:
        """Ask for an end, from any thread; the job ends with a reply of status 499."""
        self._stop.set()

    async def next(self) -> bytes | Reply:
        """Return what was emitted next, or the reply that ends the job; an error is one too."""
        return await self._said.get()

    def _run(self) -> None:
        try:
            with cancelled_by(self._stop):
                end = self._work(self._emit)
        except Exception as error:  # noqa: BLE001 the outermost edge of a request
            # Only its sentence leaves: its traceback holds frames, and in them generators that
            # stop their engine when they are let go.
            end = _told(error, said_aloud=not self._stop.is_set())
        self._post(end)

    def _emit(self, chunk: bytes) -> None:
        if self._stop.is_set():
            raise Stopped
        self._post(chunk)

    def _post(self, said: bytes | Reply) -> None:
        try:
            self._loop.call_soon_threadsafe(self._said.put_nowait, said)
        except RuntimeError:  # the loop is closed: the server has ended
            self._stop.set()


def _told(error: Exception, said_aloud: bool) -> Reply:
    if said_aloud and not is_ours(error):
        traceback.print_exception(error, file=sys.stderr)
    status, body = explain(error)
    headers = {"Retry-After": "1"} if status == 429 else {}
    reply = as_json(body, status)
    return Reply(reply.body, status, headers=headers)
