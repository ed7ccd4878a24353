"""Runs a job: tries its recipes one after the other or on a cluster, chooses, delivers.

Knows no format. What is done for one recipe is in attempt.py, where files go in workspace.py and
delivery.py.
"""

import shlex
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field

import msgspec

from edge_slm import errors
from edge_slm.bench import fingerprint
from edge_slm.bench.lines import now
from edge_slm.errors import EdgeSlmError
from edge_slm.i18n import size, t
from edge_slm_quantize import apart, delivery
from edge_slm_quantize.attempt import attempt
from edge_slm_quantize.disk import needed
from edge_slm_quantize.job import Job, versions, wanted
from edge_slm_quantize.metrics import METRICS
from edge_slm_quantize.original import with_size
from edge_slm_quantize.recipe import parse
from edge_slm_quantize.records import Measured
from edge_slm_quantize.report.card import card_id
from edge_slm_quantize.report.result import Outcome, Result, without_words
from edge_slm_quantize.search import cluster, plan
from edge_slm_quantize.search.gate import miss_text, nearest_miss
from edge_slm_quantize.search.plan import Step
from edge_slm_quantize.search.probe import speed_note
from edge_slm_quantize.search.words import amount, duration
from edge_slm_quantize.sources.checks import odd_sizes
from edge_slm_quantize.workspace import Workspace, opened, require_disk

Tell = Callable[[str], object]


@dataclass
class _Progress:
    """What has been found so far, and since when."""

    began: float = field(default_factory=time.monotonic)
    tried: list[Outcome] = field(default_factory=list)

    @property
    def spent(self) -> float:
        """Seconds since the beginning."""
        return time.monotonic() - self.began


def run(job: Job, tell: Tell) -> Result:
    """Try the recipes of a job, and leave the chosen model and the report in its folder.

    Args:
        job: of `job.prepared`.
        tell: called with a line on each recipe.
    Raises:
        EdgeSlmError: the disk is too small; or no recipe could be made: the error of the first.
    """
    require_disk(needed(job), job.root)
    with opened(job.root, job.key) as space:
        progress = _Progress()
        with cluster.executor(job.request.engine, job.root) as pool:
            reference = _reference(job, space, tell)
            _try_all(job, space, pool, reference, progress, tell)
        _raise_if_all_failed(progress.tried)
        result = _delivered(_result(job, reference, progress), job, space)
        if result.stopped is None:
            space.trim()
    return result


def _try_all(
    job: Job,
    space: Workspace,
    pool: cluster.Cluster,
    reference: Measured,
    progress: _Progress,
    tell: Tell,
) -> None:
    for step, future in _submitted(job, space, pool, reference, progress, tell):
        one = cluster.outcome(future)
        progress.tried.append(one)
        _remember(job, step, one)
        tell(_told(one))
        if one.passed and job.plan.stop_at_first:
            break


def _submitted(
    job: Job,
    space: Workspace,
    pool: cluster.Cluster,
    reference: Measured,
    progress: _Progress,
    tell: Tell,
) -> Iterator[tuple[Step, "Future[Outcome]"]]:
    """Yield steps and what will come of them, as many at work as the pool has workers."""
    flying: list[tuple[Step, Future[Outcome]]] = []
    arguments = (job.root, job.key, job.gate, reference.values, job.plan.stop_at_first)
    for step in job.plan.open:
        behind = len(progress.tried) + len(flying)
        if not plan.fits(step, progress.spent, job.request.budget, behind):
            break
        tell(_announced(step))
        order = job.order(step.recipe, space.folder)
        flying.append((step, pool.submit(attempt, order, *arguments)))
        while len(flying) >= pool.workers:
            yield flying.pop(0)
    yield from flying


def _reference(job: Job, space: Workspace, tell: Tell) -> Measured:
    order = job.order(job.plan.open[0].recipe, space.folder)
    asked = wanted(job.source.task, job.gate)
    order = msgspec.structs.replace(order, recipe="", metrics=asked)
    tell(t("The original: measuring it…", "L'original : mesure…"))
    found = space.measured("reference", order, lambda: apart.measure_source(order))
    return with_size(found, job.source)


def _remember(job: Job, step: Step, one: Outcome) -> None:
    """Note how long a step took, for the next plan; of another machine's nothing is known."""
    if job.request.engine or one.made is None:
        return
    recipe = parse(step.recipe)
    weights = job.source.parameters
    job.history.remember(f"make/{recipe.base}", weights, one.made.seconds)
    if one.measured is None or one.dropped:
        return
    groups = {METRICS[name].group for name in one.measured.values} - {"size"}
    guesses = {name: job.history.expected(f"measure/{name}", weights).seconds for name in groups}
    total = sum(guesses.values())
    for name, guess in guesses.items():
        # Only the whole is timed: each part is taken to be off by the same factor.
        seconds = one.measured.seconds * (guess / total if total else 1 / len(guesses))
        job.history.remember(f"measure/{name}", weights, seconds)


def _result(job: Job, reference: Measured, progress: _Progress) -> Result:
    tried = [one if job.request.quote else without_words(one) for one in progress.tried]
    passed = [one for one in tried if one.passed and one.made]
    chosen = min(passed, key=lambda one: one.value("size") or 0.0, default=None)
    pruned = [step for step in job.plan.steps if step.pruned]
    behind = {one.recipe for one in tried}
    late = [step for step in job.plan.open if step.recipe not in behind]
    ended = job.plan.stop_at_first and chosen is not None
    return Result(
        source=job.source,
        target=job.target,
        gate=job.gate.text,
        chosen=chosen.recipe if chosen else None,
        nearest=None if chosen else _nearest(job, reference, tried),
        recipes=(
            *tried,
            *(Outcome(recipe=step.recipe, dropped=step.pruned) for step in pruned),
            *(Outcome(recipe=step.recipe, dropped=_not_tried(ended)) for step in late),
        ),
        reference=reference,
        plan=job.plan,
        texts_origin=job.texts.origin,
        texts_sha256=job.texts.sha256,
        machine=fingerprint.machine(),
        speed_note=speed_note(job.target) if any(map(_timed, tried)) else None,
        stopped=_stopped(job) if late and not ended else None,
        notes=(*_larger(chosen, reference), *odd_sizes(job.source), *_elsewhere(job)),
        seconds=progress.spent,
        command=_typed(),
        versions=versions(),
        date=now(),
    )


def _timed(one: Outcome) -> bool:
    speeds = (name for name, metric in METRICS.items() if metric.group == "speed")
    return any(one.value(name) is not None for name in speeds)


def _typed() -> str:
    """Return the command so that a shell runs it again: a gate holds “<” and blanks."""
    words = shlex.join(["edge-slm", *sys.argv[1:]])
    return words.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _nearest(job: Job, reference: Measured, tried: list[Outcome]) -> str | None:
    verdicts = {
        one.recipe: job.gate.judge(one.measured.values, reference.values)
        for one in tried
        if one.measured
    }
    name = nearest_miss(verdicts)
    return miss_text(name, verdicts[name]) if name else None


def _delivered(result: Result, job: Job, space: Workspace) -> Result:
    """Put the files, the card and the report where they belong; the report comes last."""
    request = job.request
    model = request.id or (card_id(job.source.name, result.chosen) if result.chosen else "")
    path = delivery.place(result, space, model, keep_all=request.keep_all)
    result = msgspec.structs.replace(result, path=str(path) if path else None)
    try:
        if path and request.install:
            result = delivery.installed(result, path, model)
    finally:
        # Whatever the store says, what was measured is worth its report.
        delivery.write_report(result, job.root)
    return result


def _raise_if_all_failed(tried: list[Outcome]) -> None:
    if tried and all(one.error for one in tried):
        first = tried[0]
        kind = getattr(errors, first.kind, EdgeSlmError)
        raise kind(first.error)


def _announced(step: Step) -> str:
    return t(
        "{recipe}: about {time}…",
        "{recipe} : environ {time}…",
        recipe=step.recipe,
        time=duration(step.seconds_expected),
    )


def _told(one: Outcome) -> str:
    if one.error:
        return t(
            "{recipe}: failed. {why}", "{recipe} : échec. {why}", recipe=one.recipe, why=one.error
        )
    assert one.made
    what = [size(one.made.artefact.bytes), *_figures(one.measured.values if one.measured else {})]
    if one.dropped:
        end = t("left: {why}", "laissée : {why}", why=one.dropped)
    else:
        end = t("passes", "passe") if one.passed else t("does not pass", "ne passe pas")
    return t(
        "{recipe}: {what}: {end}",
        "{recipe} : {what} : {end}",
        recipe=one.recipe,
        what=", ".join(what),
        end=end,
    )


def _figures(values: Mapping[str, float]) -> list[str]:
    names = ("kld", "cosine", "wer", "chrf")
    said = [f"{name} {amount(name, values[name])}" for name in names if name in values]
    speed = values.get("tokens_per_second")
    return said if speed is None else [*said, amount("tokens_per_second", speed)]


def _larger(chosen: Outcome | None, reference: Measured) -> list[str]:
    made, given = chosen.value("size") if chosen else None, reference.values.get("size")
    if made is None or given is None or made <= given:
        return []
    return [
        t(
            "The chosen model is larger than the original ({made}, {given}), which was quantised "
            "already: keep the original, unless this device needs another format.",
            "Le modèle choisi est plus gros que l'original ({made}, {given}), déjà quantifié : "
            "gardez l'original, à moins que l'appareil ait besoin d'un autre format.",
            made=size(int(made)),
            given=size(int(given)),
        )
    ]


def _elsewhere(job: Job) -> list[str]:
    if job.request.engine is None:
        return []
    return [
        t(
            "The recipes were measured on a cluster: their speeds are those of its machines, which "
            "may differ from each other and from the one where the original was measured.",
            "Les recettes ont été mesurées sur une grappe : leurs vitesses sont celles de ses "
            "machines, qui peuvent différer entre elles et de celle où l'original fut mesuré.",
        )
    ]


def _not_tried(found: bool) -> str:
    if found:
        return t("not tried: a smaller one passes", "non essayée : une plus petite passe")
    return t("not tried: no time left", "non essayée : plus de temps")


def _stopped(job: Job) -> str:
    return t(
        "The budget of {budget} ended before all recipes were tried: the same command with a "
        "larger one goes on from here.",
        "Le budget de {budget} s'est épuisé avant que toutes les recettes soient essayées : la "
        "même commande avec un plus grand reprend d'ici.",
        budget=duration(job.request.budget or 0.0),
    )
