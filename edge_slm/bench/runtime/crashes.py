"""Workers struck by signals under load: what is lost beyond the request in flight.

One request is at work and others wait for the same model when the signal comes. SIGSTOP stands for
a process that hangs: the pool has to notice that nobody is there.
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from typing import Any, NamedTuple

from edge_slm.bench.runtime.first_token import Advance
from edge_slm.engines import Message
from edge_slm.engines.workers.pool import Pool
from edge_slm.engines.workers.remote import RemoteChat, RemoteEmbedder, RemoteTranscriber
from edge_slm.engines.workers.spec import Spec
from edge_slm.errors import EdgeSlmError, MissingError
from edge_slm.i18n import t
from edge_slm.paths import examples_dir
from edge_slm.process_tree import alive, descendants

SIGNALS = ("SIGSEGV", "SIGKILL", "SIGSTOP")
WAITING = 3  # requests behind the one at work
REPLY_TOKENS = 48
TEXTS = ("Le télétravail est ouvert trois jours par semaine. " * 20,) * 8
RECORDING = examples_dir() / "audio" / "message.flac"
_PATIENCE_S = 120.0

# A request piece by piece: what is yielded says that it is at work.
Request = Callable[[], Iterator[object]]


class Drill(NamedTuple):
    """One signal to one worker.

    `lost` counts the requests that failed beyond the one at work; `back_s` is the time from the
    signal to the next answer.
    """

    kind: str
    signal: str
    failed: int
    lost: int
    back_s: float
    orphans: int


def crashes(
    make_pool: Callable[[], Pool], specs: Sequence[Spec], advance: Advance = lambda _: None
) -> dict[str, Any]:
    """Strike the worker of each model with each signal.

    Args:
        make_pool: makes a pool, which is closed.
        specs: the models.
        advance: called with 1 after each signal.
    Returns:
        the requests lost, and the longest time until the next answer.
    Raises:
        MissingError: this system has no such signals.
    """
    if sys.platform == "win32":
        raise MissingError(
            t(
                "Windows has no signals to strike a process with: this part is left out.",
                "Windows n'a pas de signaux pour frapper un processus : partie laissée de côté.",
            )
        )
    done = []
    for spec in specs:
        for name in SIGNALS:
            done.append(drill(make_pool(), spec, name))
            advance(1)
    row: dict[str, Any] = {
        "crash_drills": len(done),
        "crash_requests": len(done) * (1 + WAITING),
        "crash_in_flight_failed": sum(one.failed - one.lost for one in done),
        "crash_lost": sum(one.lost for one in done),
        "crash_orphans": sum(one.orphans for one in done),
    }
    for one in done:
        row[f"crash_{one.kind}_{one.signal}_back_s"] = round(one.back_s, 2)
    return row


def drill(pool: Pool, spec: Spec, name: str) -> Drill:
    """Strike the worker of one model with one signal while it has requests."""
    before = set(descendants(os.getpid()))
    begun, answered, failed = threading.Event(), list[float](), list[EdgeSlmError]()

    def ask() -> None:
        try:
            for _ in request():
                begun.set()
            answered.append(time.perf_counter())
        except EdgeSlmError as error:
            failed.append(error)

    with closing(pool):
        request = requests(pool, spec)
        for _ in request():  # loads the model
            pass
        workers = [pid for pid in descendants(os.getpid()) if pid not in before]
        threads = [threading.Thread(target=ask) for _ in range(1 + WAITING)]
        for thread in threads:
            thread.start()
        begun.wait(_PATIENCE_S)
        for pid in workers:
            os.kill(pid, getattr(signal, name))
        struck = time.perf_counter()
        for thread in threads:
            thread.join()
        for _ in request():  # the pool carries on
            pass
        answered.append(time.perf_counter())
    back = min(moment for moment in answered if moment > struck) - struck
    lost = max(0, len(failed) - 1)
    return Drill(spec.kind, name, len(failed), lost, back, len(alive(workers)))


def requests(pool: Pool, spec: Spec) -> Request:
    """Return a request to a model that takes a second or so."""
    match spec.kind:
        case "chat":
            chat = RemoteChat(pool, spec)
            story = [Message("user", "Écris une longue histoire qui se passe dans une mairie.")]
            return lambda: chat.stream(story, REPLY_TOKENS)
        case "embed":
            embedder = RemoteEmbedder(pool, spec)
            return lambda: iter([embedder.embed_passages(TEXTS)])
        case "speech":
            speech = RemoteTranscriber(pool, spec)
            return lambda: _transcribe(speech)


def _transcribe(speech: RemoteTranscriber) -> Iterator[object]:
    segments, language, _ = speech.transcribe(RECORDING, "fr")
    yield language
    yield from segments
