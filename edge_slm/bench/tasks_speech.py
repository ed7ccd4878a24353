"""Transcripts of the sample recordings, one case a recording, scored by WER against what was said.

The voice is synthetic and the recordings are two: the word error rate says whether a setting ruins
the model, not how well it hears people.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

from edge_slm import paths
from edge_slm.answer import Answer
from edge_slm.assistant import Assistant
from edge_slm.bench.measure import Runs, case_of, repeated
from edge_slm.bench.record import Case
from edge_slm.bench.tasks_runs import SUITE, Plan, model_of
from edge_slm.errors import MissingError
from edge_slm.evaluation.text_scores import word_error_rate
from edge_slm.i18n import t


class Heard(NamedTuple):
    """A transcript, and the length of its recording in seconds."""

    answer: Answer
    audio_seconds: float


def cases(plan: Plan) -> Iterator[Case]:
    """Yield a case for each recording.

    Raises:
        MissingError: no speech model is installed, or the recordings are not there.
    """
    recordings = _recordings(plan)
    with Assistant.open(model=plan.model, kb=()) as assistant:
        _listen(assistant, recordings[0], plan)  # loads the model
        for path in recordings:
            run = partial(_listen, assistant, path, plan)
            runs = repeated(run, repeats=plan.repeats, warmup=0)
            yield _case(path, runs)


def steps(plan: Plan) -> int:
    """Return how many recordings are written down, for a progress bar."""
    return 1 + plan.repeats * len(_recordings(plan))


def _recordings(plan: Plan) -> list[Path]:
    """Return the recordings that have their text beside them, the shortest first or alone."""
    folder = paths.examples_dir() / "audio"
    found = [path for path in folder.glob("*.flac") if path.with_suffix(".txt").is_file()]
    if not found:
        raise MissingError(
            t(
                "The sample recordings are not in {folder}: reinstall Edge-SLM.",
                "Les enregistrements d'exemple ne sont pas dans {folder} : réinstallez Edge-SLM.",
                folder=folder,
            )
        )
    ordered = sorted(found, key=lambda path: (path.stat().st_size, path.name))
    return ordered[:1] if plan.quick else ordered


def _listen(assistant: Assistant, path: Path, plan: Plan) -> Heard:
    lengths: list[float] = []
    answer = assistant.transcribe(path, on_segment=lambda _, length: lengths.append(length))
    plan.advance(1)
    return Heard(answer, lengths[-1])


def _case(path: Path, runs: Runs[Heard]) -> Case:
    answer, length = runs.outcomes[0]
    said = path.with_suffix(".txt").read_text("utf-8")
    rate = word_error_rate([answer.text], [said])
    case = case_of(
        SUITE,
        f"speech.{path.stem}",
        runs,
        model=model_of([answer]),
        answers=1,
        quality=None if rate is None else round(rate, 4),
        quality_name="wer",
        more={"audio_seconds": round(length, 2), "text": answer.text},
    )
    factor = case.seconds / length
    case.more["real_time_factor"] = round(factor, 4)
    return case
