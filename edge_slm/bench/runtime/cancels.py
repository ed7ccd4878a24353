"""Requests stopped at random moments: how long the processor goes on working, and what is left.

A stop comes while a model is loaded, while a long prompt is read, while a reply is written, or
while a recording is written down. The clock runs from the caller's event to the last work seen in
any process below this one (cpu_watch.py).
"""

import math
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from random import Random
from typing import Any, NamedTuple

from edge_slm.bench.runtime.cpu_watch import CpuWatch
from edge_slm.bench.runtime.first_token import Advance, conversation
from edge_slm.bench.runtime.passages import passage
from edge_slm.engines import Message, Piece
from edge_slm.engines.stopping import Stopped
from edge_slm.engines.workers.pool import Pool
from edge_slm.engines.workers.remote import RemoteChat, RemoteTranscriber, cancelled_by
from edge_slm.engines.workers.spec import Spec
from edge_slm.errors import EdgeSlmError
from edge_slm.paths import examples_dir
from edge_slm.process_tree import alive

PREFILL_TOKENS = 4000  # of the passage; with the question, all that a context of 4096 holds
RECORDING = examples_dir() / "audio" / "message.flac"
STORY = (Message("user", "Écris une longue histoire qui se passe dans une mairie."),)
STORY_TOKENS = 400
SEED = 5
_STARTING_S = 120.0  # for a phase to begin

# Told when the phase begins in which the stop is to come.
Mark = Callable[[], None]


class Phase(NamedTuple):
    """What is stopped.

    `ready` makes what must be there first, `work` does the work, `moment` draws the seconds from
    the mark to the stop.
    """

    name: str
    ready: Callable[[], None]
    work: Callable[[Mark], None]
    moment: Callable[[Random], float]


class Cancel(NamedTuple):
    """How one stop fared: `idle_s` is None when work went on for a minute."""

    phase: str
    idle_s: float | None
    failure: str | None


def cancels(
    pool: Pool,
    chat: Spec,
    speech: Spec | None,
    count: int,
    advance: Advance = lambda _: None,
) -> dict[str, Any]:
    """Stop requests at random moments.

    Args:
        pool: a pool of its own; it is closed.
        chat: a chat model.
        speech: a speech model; without one, nothing is transcribed.
        count: stops that found their request at work.
        advance: called with 1 after each.
    Returns:
        the time until the processes below this one are idle, in milliseconds, and what ran on.
    """
    random = Random(SEED)
    with closing(pool), CpuWatch() as watch:
        found = phases(pool, chat, speech)
        done: list[Cancel] = []
        missed = 0
        while len(done) < count:
            # One phase after the other, so that each gets its share whatever is missed.
            one = cancel(found[len(done) % len(found)], watch, random)
            if one is None:
                missed += 1
                continue
            done.append(one)
            advance(1)
        pool.close()
        orphans = alive(watch.seen)
    return {**summary(done), "cancels_missed": missed, "orphans": len(orphans)}


def cancel(phase: Phase, watch: CpuWatch, random: Random) -> Cancel | None:
    """Stop one request; None when it had ended before the stop came."""
    phase.ready()
    begun, stop = threading.Event(), threading.Event()
    ends: list[BaseException | None] = []

    def work() -> None:
        try:
            with cancelled_by(stop):
                phase.work(begun.set)
            ends.append(None)
        except (EdgeSlmError, Stopped) as error:
            ends.append(error)

    thread = threading.Thread(target=work, name=f"cancel-{phase.name}")
    thread.start()
    if begun.wait(_STARTING_S):
        thread.join(phase.moment(random))
    since = time.perf_counter()
    stop.set()
    idle = watch.seconds_until_idle(since)
    thread.join()
    (end,) = ends
    if end is None:
        return None
    return Cancel(phase.name, idle, None if isinstance(end, Stopped) else str(end))


def phases(pool: Pool, chat_spec: Spec, speech_spec: Spec | None) -> list[Phase]:
    """Return the phases that the models allow; how long they take is measured first."""
    chat = RemoteChat(pool, chat_spec)
    text = passage(PREFILL_TOKENS, chat.count_tokens)

    def loaded() -> None:
        chat.count_tokens("")

    def load(mark: Mark) -> None:
        mark()
        loaded()

    def prefill(mark: Mark) -> None:
        mark()
        for _ in chat.stream(conversation(text), 1):
            pass

    def decode(mark: Mark) -> None:
        for event in chat.stream(STORY, STORY_TOKENS):
            if isinstance(event, Piece):
                mark()

    chat.close()
    loading = _seconds(loaded)
    found = [
        Phase("load", chat.close, load, lambda random: random.uniform(0, loading)),
        # As often in the first tenth of a second as between one second and ten.
        Phase("prefill", loaded, prefill, lambda random: math.exp(random.uniform(-4.6, 2.3))),
        Phase("decode", loaded, decode, lambda random: random.uniform(0, 2)),
    ]
    return [*found, *([_transcription(pool, speech_spec)] if speech_spec else [])]


def _transcription(pool: Pool, spec: Spec) -> Phase:
    speech = RemoteTranscriber(pool, spec)

    def transcribe() -> None:
        segments, _, _ = speech.transcribe(RECORDING, "fr")
        for _ in segments:
            pass

    def ready() -> None:
        speech.warm_up()
        end = time.monotonic() + _STARTING_S
        while not _idle(pool, spec) and time.monotonic() < end:
            time.sleep(0.02)

    def work(mark: Mark) -> None:
        mark()
        transcribe()

    transcribe()
    whole = _seconds(transcribe)
    return Phase("transcription", ready, work, lambda random: random.uniform(0, whole))


def _idle(pool: Pool, spec: Spec) -> bool:
    return any(one.model == spec.model and one.state == "idle" for one in pool.status())


def _seconds(work: Callable[[], None]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def summary(done: Sequence[Cancel]) -> dict[str, Any]:
    """Return the percentiles, of all and of each phase, in milliseconds."""
    row: dict[str, Any] = {"cancels": len(done), **_percentiles("cancel", done)}
    for phase in dict.fromkeys(one.phase for one in done):
        row |= _percentiles(f"cancel_{phase}", [one for one in done if one.phase == phase])
    failures = [one.failure for one in done if one.failure]
    return row | {
        "cancels_never_idle": sum(one.idle_s is None for one in done),
        "cancels_failed": len(failures),
        "cancel_failures": failures[:3],
    }


def _percentiles(name: str, done: Sequence[Cancel]) -> dict[str, Any]:
    times = sorted(one.idle_s * 1000 for one in done if one.idle_s is not None)
    if not times:
        return {}
    return {f"{name}_p{share}_ms": round(_nearest(times, share), 1) for share in (50, 99)}


def _nearest(times: Sequence[float], share: int) -> float:
    """Return a percentile by the nearest rank: a time that was measured."""
    return times[max(0, math.ceil(share / 100 * len(times)) - 1)]
