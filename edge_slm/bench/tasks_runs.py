"""What the parts of the suite `tasks` share: a plan, and runs that find nothing kept."""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import msgspec

from edge_slm.answer import Answer, Usage
from edge_slm.assistant import Assistant
from edge_slm.bench.measure import Runs, repeated
from edge_slm.bench.record import Conditions
from edge_slm.bench.runtime.states import own_states

SUITE = "tasks"
Outcome = TypeVar("Outcome")
Advance = Callable[[int], object]


def _nothing(_: int) -> None:
    pass


@dataclass(frozen=True)
class Plan:
    """What to measure.

    Attributes:
        model: id of the chat model; None for the best that is installed.
        repeats: timed runs of each case.
        quick: few items, and the small model where none is named.
        advance: called with the number of requests answered, for a progress bar.
    """

    model: str | None = None
    repeats: int = 3
    quick: bool = False
    advance: Advance = _nothing


def started_anew(
    opened: Callable[[], Assistant],
    warm: Callable[[Assistant], object],
    works: Sequence[Callable[[Assistant], Outcome]],
    repeats: int,
) -> list[Runs[Outcome]]:
    """Run works with engines just started and no state kept on disk, as often as asked.

    A second run with the same engines would find the prompts of the first one read already, which
    no user who asks once meets.

    Args:
        opened: opens the assistant.
        warm: what it does before the clock runs, such as to load its models.
        works: what is timed, one after the other, with the same assistant.
        repeats: timed runs of each.
    Returns:
        the runs of each work.
    """
    parts: list[list[Runs[Outcome]]] = [[] for _ in works]
    for _ in range(repeats):
        with own_states(), opened() as assistant:
            warm(assistant)
            for part, work in zip(parts, works, strict=True):
                part.append(repeated(partial(work, assistant), repeats=1, warmup=0))
    return [joined(part) for part in parts]


def joined(parts: Sequence[Runs[Outcome]]) -> Runs[Outcome]:
    """Return the runs of several as one; conditions are those of the first and of the last."""
    runs = tuple(run for part in parts for run in part.runs)
    first, last = parts[0], parts[-1]
    conditions = _between([part.conditions for part in parts])
    return Runs(runs, conditions, warmup=first.warmup, root=last.root)


def _between(parts: Sequence[Conditions]) -> Conditions:
    first, last = parts[0], parts[-1]
    throttled = [part.throttled for part in parts if part.throttled is not None]
    return msgspec.structs.replace(
        first,
        mhz=(first.mhz[0], last.mhz[1]),
        celsius=(first.celsius[0], last.celsius[1]),
        throttled=sum(throttled) if throttled else None,
        note="; ".join(dict.fromkeys(part.note for part in parts if part.note)),
    )


def total(answers: Sequence[Answer]) -> Usage:
    """Return the tokens of all answers together."""
    used = [answer.usage for answer in answers]
    return Usage(
        sum(usage.prompt_tokens for usage in used),
        sum(usage.cached_tokens for usage in used),
        sum(usage.completion_tokens for usage in used),
    )


def model_of(answers: Sequence[Answer]) -> str | None:
    """Return the id of the model that wrote, None where none did."""
    return next((answer.model.id for answer in answers if answer.model), None)


def writing(answers: Sequence[Answer]) -> dict[str, Any]:
    """Return the median seconds to the first text, and the tokens per second after it.

    Keys are those of `measure.case_of`; a figure is None where nothing was written.
    """
    times = [answer.timings_ms for answer in answers if "first_token" in answer.timings_ms]
    written = [answer for answer in answers if answer.usage.completion_tokens > 1]
    seconds = sum(_after_first_ms(answer) for answer in written) / 1000
    tokens = sum(answer.usage.completion_tokens - 1 for answer in written)
    return {
        "first_token_s": statistics.median(one["first_token"] for one in times) / 1000
        if times
        else None,
        "tokens_per_s": tokens / seconds if seconds > 0 else None,
    }


def _after_first_ms(answer: Answer) -> float:
    times = answer.timings_ms
    return times.get("total", 0.0) - times.get("first_token", times.get("total", 0.0))
