"""What users do, measured and judged on one line: HR answers, translations, transcripts."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from edge_slm.bench import tasks_hr, tasks_speech, tasks_translation
from edge_slm.bench.collecting import Stopped, collected
from edge_slm.bench.record import Case
from edge_slm.bench.tasks_runs import Plan
from edge_slm.engines.loaded import Engines
from edge_slm.profiles import PROFILES


class Part(NamedTuple):
    """Yields the cases of a part, and tells how many requests that takes."""

    cases: Callable[[Plan], Iterator[Case]]
    steps: Callable[[Plan], int]


PARTS = {
    "hr": Part(tasks_hr.cases, tasks_hr.steps),
    "translation": Part(tasks_translation.cases, tasks_translation.steps),
    "speech": Part(tasks_speech.cases, tasks_speech.steps),
}


def settled(plan: Plan) -> Plan:
    """Return the plan with the model that a quick run takes: the small one where it is installed.

    Raises:
        UsageError: the model named is none, or no chat model.
        MissingError: it is not installed.
    """
    with closing(Engines(plan.model)) as engines:
        if plan.model:
            engines.chat_spec(plan.model)
        elif plan.quick and PROFILES["lite"][0] in engines.chat_models():
            return replace(plan, model=PROFILES["lite"][0])
    return plan


def steps(names: Sequence[str], plan: Plan) -> int:
    """Return how many requests some parts answer, for a progress bar."""
    return sum(PARTS[name].steps(plan) for name in names)


def run(names: Sequence[str], plan: Plan) -> tuple[list[Case], Stopped]:
    """Run parts, by their names in `PARTS`, one after the other (collecting.collected)."""
    return collected([(name, partial(PARTS[name].cases, plan)) for name in names])
