"""The same mix of requests again and again, for minutes or hours: what a long run changes.

Questions over the sample base that each rung of the ladder answers, a translation, and a recording
where a speech model is installed.
"""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from edge_slm.answer import Answer, Energy
from edge_slm.assistant import Assistant
from edge_slm.bench.conditions import Reading, conditions, reading
from edge_slm.bench.lines import line
from edge_slm.bench.memory_now import memory_now
from edge_slm.bench.record import Case
from edge_slm.bench.soak_drift import Asked, drift
from edge_slm.bench.tasks_hr import make_base
from edge_slm.errors import EdgeSlmError
from edge_slm.paths import examples_dir
from edge_slm.process_tree import cpu_seconds, descendants

SUITE = "soak"
MINUTE_S = 60.0

Request = tuple[str, str]  # its name, and what is asked
QUESTIONS: tuple[Request, ...] = (
    ("question", "Combien de jours dure le congé de paternité pour des jumeaux ?"),
    ("approved", "Quelle retenue pour une journée de grève ?"),
    ("off topic", "Quelle est la capitale de la Mongolie ?"),
    ("translation", "Traduis en anglais : La demande doit être déposée deux mois avant le départ."),
)
RECORDING: Request = ("recording", str(examples_dir() / "audio" / "question.flac"))


@dataclass(frozen=True)
class Minute:
    """What was seen between two moments: requests, and the state of the machine on either side."""

    number: int
    asked: Sequence[Asked]
    seconds: float
    before: Reading
    after: Reading


@dataclass
class Run:
    """A run under way.

    Attributes:
        mix: its requests.
        asked: what was asked so far.
        energies: of the answers.
        model: id of the chat model that wrote.
        changed: answers that differ from the first one to the same request.
        restarts: worker processes that were started after the first round.
        interrupted: whether it was stopped before its time.
    """

    mix: Sequence[Request]
    asked: list[Asked] = field(default_factory=list)
    energies: list[Energy] = field(default_factory=list)
    model: str | None = None
    changed: int = 0
    restarts: int = 0
    interrupted: bool = False
    seconds: float = 0.0
    _texts: dict[str, str] = field(default_factory=dict)
    _workers: set[int] = field(default_factory=set)

    def ask(self, assistant: Assistant, request: Request, began: float) -> None:
        """Ask one request, and note what it took."""
        name, text = request
        start, used = time.monotonic(), cpu_seconds()
        answer, failure = None, None
        try:
            answer = assistant.ask(text)
        except (EdgeSlmError, OSError) as error:
            failure = str(error) or type(error).__name__
        now = time.monotonic()
        spent = max(0.0, cpu_seconds() - used)
        pids = descendants(os.getpid())
        self._count_workers(set(pids))
        tokens, writing_s = _writing(answer)
        memory = memory_now([os.getpid(), *pids])
        self.asked.append(
            Asked(name, now - began, now - start, spent, memory, tokens, writing_s, failure)
        )
        if answer:
            self.energies.append(answer.energy)
            if answer.model and answer.usage.completion_tokens:
                self.model = answer.model.id
            self.changed += self._texts.setdefault(name, answer.text) != answer.text

    def _count_workers(self, pids: set[int]) -> None:
        if len(self.asked) >= len(self.mix):
            self.restarts += len(pids - self._workers)
        self._workers |= pids


def _writing(answer: Answer | None) -> tuple[int, float]:
    """Return the tokens of an answer, and the seconds from the first of them to the end."""
    if answer is None or answer.usage.completion_tokens < 1:
        return 0, 0.0
    times = answer.timings_ms
    wrote_ms = times.get("total", 0.0) - times.get("first_token", times.get("total", 0.0))
    return answer.usage.completion_tokens, wrote_ms / 1000


def mix_of_this_machine() -> tuple[Request, ...]:
    """Return the requests that the installed models can answer."""
    from edge_slm.cards import all_cards
    from edge_slm.store import Store

    store = Store()
    hears = any(c.task == "speech" and store.installed(c.id) for c in all_cards().values())
    return (*QUESTIONS, RECORDING) if hears else QUESTIONS


@contextmanager
def assistant_to_soak(model: str | None) -> Iterator[Assistant]:
    """Yield an assistant on a base made of the sample handbook; the user's own are not touched.

    Raises:
        MissingError: the embedder is not installed.
    """
    with TemporaryDirectory(prefix="edge-slm-bench-") as folder:
        base = Path(folder) / "exemple.db"
        make_base(base, quick=False)
        with Assistant.open(model=model, kb=[str(base)]) as assistant:
            yield assistant


def soak(
    assistant: Assistant,
    mix: Sequence[Request],
    minutes: float,
    on_minute: Callable[[Minute], None] = lambda _: None,
) -> Run:
    """Ask the mix again and again, at least one round; Ctrl-C ends it with what was seen so far.

    A request that fails is noted, and the run goes on.

    Args:
        assistant: to ask.
        mix: the requests of a round.
        minutes: how long; the request under way then is waited for.
        on_minute: called about once a minute, and at the end with what is left of one.
    """
    run = Run(mix)
    began = start = time.monotonic()
    before, told, number = reading(), 0, 1

    def tell() -> None:
        nonlocal before, told, number, start
        after, now = reading(), time.monotonic()
        if run.asked[told:]:
            on_minute(Minute(number, run.asked[told:], now - start, before, after))
        before, told, number, start = after, len(run.asked), number + 1, now

    try:
        while len(run.asked) < len(mix) or time.monotonic() - began < minutes * MINUTE_S:
            run.ask(assistant, mix[len(run.asked) % len(mix)], began)
            if time.monotonic() - start >= MINUTE_S:
                tell()
    except KeyboardInterrupt:
        run.interrupted = True
    tell()
    run.seconds = time.monotonic() - began
    return run


def minute_case(minute: Minute) -> Case:
    """Return the line of a minute."""
    asked = minute.asked
    return line(
        SUITE,
        f"minute {minute.number}",
        seconds=minute.seconds,
        cpu_seconds=sum(request.cpu_s for request in asked),
        conditions=conditions(minute.before, minute.after),
        peak_bytes=max(request.memory for request in asked),
        tokens=sum(request.tokens for request in asked),
        tokens_per_s=tokens_per_s(asked),
        more={
            "requests": len(asked),
            "failures": failures(asked),
            "memory_bytes": asked[-1].memory,
            "cpu_s_per_request": sum(request.cpu_s for request in asked) / len(asked),
        },
    )


def whole_case(run: Run, before: Reading, after: Reading) -> Case:
    """Return the line of the whole run, with its drift in `more`; it asked something."""
    asked = run.asked
    change = drift(asked, len(run.mix))
    return line(
        SUITE,
        "whole",
        model=run.model,
        seconds=run.seconds,
        cpu_seconds=sum(request.cpu_s for request in asked),
        conditions=conditions(before, after),
        peak_bytes=max(request.memory for request in asked),
        tokens=sum(request.tokens for request in asked),
        tokens_per_s=tokens_per_s(asked),
        **_joules(run.energies),
        more={
            "requests": len(asked),
            "failures": failures(asked),
            "first_failure": next((r.failure for r in asked if r.failure), None),
            "changed_answers": run.changed,
            "worker_restarts": run.restarts,
            "interrupted": run.interrupted,
            "cpu_s_per_request": sum(request.cpu_s for request in asked) / len(asked),
            "growth_bytes_per_100": change.growth_bytes,
            "memory_endless": change.endless,
            "speed_last_to_first": change.speed,
            "cpu_last_to_first": change.cpu,
            "median_s": _medians(run),
        },
    )


def sound(case: Case) -> bool:
    """Return whether a whole run passes: nothing failed, and memory does not grow without bound."""
    return not case.more["failures"] and not case.more["memory_endless"]


def failures(asked: Sequence[Asked]) -> int:
    """Return how many requests failed."""
    return sum(request.failure is not None for request in asked)


def tokens_per_s(asked: Sequence[Asked]) -> float | None:
    """Return the tokens written a second, after the first of each answer; None without any."""
    writing = [request for request in asked if request.tokens > 1 and request.writing_s > 0]
    seconds = sum(request.writing_s for request in writing)
    return sum(request.tokens - 1 for request in writing) / seconds if seconds else None


def _medians(run: Run) -> dict[str, float]:
    found = {name: [r.seconds for r in run.asked if r.name == name] for name, _ in run.mix}
    return {name: round(median(values), 4) for name, values in found.items() if values}


def _joules(energies: Sequence[Energy]) -> dict[str, Any]:
    """Return the fields of a line for all answers; none where they were not all measured alike."""
    ways = {(energy.method, energy.scope) for energy in energies}
    if len(ways) != 1 or any(energy.joules is None for energy in energies):
        return {}
    ((method, scope),) = ways
    return {
        "joules": sum(energy.joules or 0.0 for energy in energies),
        "joules_low": sum(energy.low or 0.0 for energy in energies),
        "joules_high": sum(energy.high or 0.0 for energy in energies),
        "joules_method": method,
        "joules_scope": scope,
    }
