"""Which recipes are made, in which order, and how long that will take.

Not a full grid. What cannot pass is left out before anything is made: by format, by package, by
expected size. The rest is made from the smallest upward; each is judged on a little text first
(`proxy`, `proxy_verdict`), in full if it may still pass, and the first that passes is the smallest
that does. Recipes that the user named are all measured, in the user's order.
"""

import importlib.util
from collections.abc import Collection, Mapping, Sequence

import msgspec

from edge_slm.bench.tables import aligned
from edge_slm.errors import EdgeSlmError, MissingError, UsageError
from edge_slm.i18n import size, t
from edge_slm_quantize.metrics import METRICS
from edge_slm_quantize.recipe import Format, Recipe, Task
from edge_slm_quantize.records import Measured, Order, Source, Target
from edge_slm_quantize.search.gate import Gate
from edge_slm_quantize.search.history import START_S, Estimate, History
from edge_slm_quantize.search.size import Expected, expected, weights_of
from edge_slm_quantize.search.words import amount, duration

# Four chunks: with two, the interval of a mean is over five times as wide (Student, 12.7/√2
# against 3.2/√4) and drops next to nothing.
PROXY_TOKENS = 2048
_PROXY_GAIN = (
    3  # the whole text must be so many times longer, or the proxy costs more than it saves
)
_DIVERGENCE = ("kld", "kld_high")
_TASKS: dict[Format, tuple[Task, ...]] = {
    "gguf": ("chat", "embed"),
    "onnx": ("chat", "embed", "speech"),
    "ctranslate2": ("speech", "translate"),
    "qnn": ("chat", "embed"),
    "rknn": ("embed",),
}
# RKNN's compiler lives in an environment of its own, which its step looks for.
_PACKAGES: dict[Format, tuple[str, ...]] = {
    "gguf": ("llama_cpp", "gguf"),
    "onnx": ("torch", "transformers", "optimum", "onnx", "onnxruntime"),
    "ctranslate2": ("ctranslate2",),
    "qnn": ("torch", "transformers", "onnx", "onnxruntime", "onnxruntime_qnn"),
    "rknn": (),
}


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One recipe of a plan: bytes and seconds expected; `pruned` says why it is left out."""

    recipe: str
    bytes_expected: int
    seconds_expected: float
    pruned: str | None = None


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What a job will do.

    steps: in order; those that are pruned at the end.
    seconds: of all steps that are not pruned, with `shared_seconds` of what they share.
    stop_at_first: whether the first that passes ends the search.
    known: whether all times come from steps that ran on this machine.
    """

    target: str
    steps: tuple[Step, ...]
    seconds: float
    shared_seconds: float
    stop_at_first: bool
    known: bool
    budget: float | None = None

    @property
    def open(self) -> tuple[Step, ...]:
        """The steps that are not pruned."""
        return tuple(step for step in self.steps if step.pruned is None)


def plan(
    source: Source,
    target: Target,
    recipes: Sequence[Recipe],
    gate: Gate,
    budget_seconds: float | None,
    history: History,
    *,
    named: bool = False,
    metrics: Collection[str] = (),
) -> Plan:
    """Return a plan.

    Args:
        source: the model.
        target: the device.
        recipes: what may be tried, in order of preference.
        gate: what must hold.
        budget_seconds: how long the job may take; None for as long as it needs.
        history: how long steps took on this machine.
        named: whether the user named the recipes; then none is left out for its size.
        metrics: what is measured of each besides what the gate needs.
    Raises:
        IntegrityError: a header of the source is damaged.
        UsageError: no recipe can be made of this model for this device; it says why.
        MissingError: a package that they need is not installed.
        EdgeSlmError: some can, and all are too large.
    """
    weights = weights_of(source)
    wanted = set(metrics) | gate.metrics
    steps = []
    known = True
    kind: type[EdgeSlmError] = UsageError
    for recipe in recipes:
        weighs = expected(source, recipe, weights)
        takes = _seconds(source, recipe, wanted, history)
        unfit = _unfit(source, target, recipe)
        lacking = None if unfit else _lacking(recipe)
        large = None if unfit or lacking or named else _too_large(target, gate, weighs)
        reason = unfit or lacking or large
        if lacking or large:  # another machine, or another gate, could do it
            kind = MissingError if lacking else EdgeSlmError
        steps.append(
            Step(
                recipe=recipe.name,
                bytes_expected=weighs.bytes,
                seconds_expected=round(takes.seconds, 1),
                pruned=reason,
            )
        )
        known = known and (takes.known or reason is not None)
    if all(step.pruned for step in steps):
        raise kind(_nothing(source, target, steps))
    if not named:
        steps.sort(key=lambda step: step.bytes_expected)
    steps.sort(key=lambda step: step.pruned is not None)
    used = [r for r in recipes if any(s.recipe == r.name and not s.pruned for s in steps)]
    shared = _shared(source, used, wanted, history)
    return Plan(
        target=target.id,
        steps=tuple(steps),
        seconds=sum(s.seconds_expected for s in steps if not s.pruned) + shared.seconds,
        shared_seconds=shared.seconds,
        stop_at_first=not named,
        known=known,
        budget=budget_seconds,
    )


def fits(step: Step, spent: float, budget: float | None, done: int) -> bool:
    """Return whether there is time for a step; for the first there always is.

    Args:
        step: the next.
        spent, budget: seconds since the job began, and that it may take (None: any).
        done: steps behind it.
    """
    return budget is None or done == 0 or spent + step.seconds_expected <= budget


def proxy(gate: Gate, order: Order) -> Order | None:
    """Return the order of a short measurement that may settle a recipe; None where none can."""
    if not gate.metrics & set(_DIVERGENCE) or order.tokens < _PROXY_GAIN * PROXY_TOKENS:
        return None
    return msgspec.structs.replace(order, tokens=PROXY_TOKENS, metrics=("kld", "kld_low"))


def proxy_verdict(
    gate: Gate, measured: Measured, reference: Mapping[str, float] | None = None
) -> str | None:
    """Return why a recipe is dropped after a short measurement; None where it may still pass.

    What is compared is the lower end of the interval: one recipe in forty that lies just at the
    limit is dropped wrongly.
    """
    low = measured.values.get("kld_low")
    if low is None:
        return None
    bounds = {name: (low, float("inf")) for name in _DIVERGENCE}
    blocked = gate.blocked(bounds, reference)
    if not blocked:
        return None
    return t(
        "after {n} tokens, kld is {low} at least (95 %), and the gate asks {parts}",
        "après {n} jetons, kld vaut au moins {low} (95 %), et la condition demande {parts}",
        n=PROXY_TOKENS,
        low=amount("kld", low),
        parts=", ".join(blocked),
    )


def text(planned: Plan) -> str:
    """Return a plan as lines for a terminal."""
    rows = [
        (
            step.recipe,
            size(step.bytes_expected),
            "–" if step.pruned else duration(step.seconds_expected),
            step.pruned or "",
        )
        for step in planned.steps
    ]
    head = t(
        "recipe,expected size,time,left out because",
        "recette,taille attendue,temps,écartée parce que",
    ).split(",")
    table = aligned(head if any(row[3] for row in rows) else head[:3], _cut(rows))
    return "\n".join([_opening(planned), *(f"  {line}" for line in table.splitlines())])


def _cut(rows: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
    return list(rows) if any(row[3] for row in rows) else [row[:3] for row in rows]


def _opening(planned: Plan) -> str:
    said = t(
        "Plan for {target}: {n} of {all} recipes, about {time}",
        "Plan pour {target} : {n} recettes sur {all}, environ {time}",
        target=planned.target,
        n=len(planned.open),
        all=len(planned.steps),
        time=duration(planned.seconds),
    )
    if not planned.known:
        said += t(
            " (first run of some steps on this machine: a rough guess)",
            " (des étapes tournent ici pour la première fois : ordre de grandeur)",
        )
    said += "."
    if planned.stop_at_first and len(planned.open) > 1:
        said += t(
            " From the smallest upward; the first that passes ends the search.",
            " De la plus petite à la plus grande ; la première qui passe termine la recherche.",
        )
    if planned.budget is not None and planned.seconds > planned.budget:
        said += t(
            " The budget of {budget} is for {n} of them.",
            " Le budget de {budget} en permet {n}.",
            budget=duration(planned.budget),
            n=affordable(planned),
        )
    return said


def affordable(planned: Plan) -> int:
    """Return how many steps the budget is expected to allow."""
    spent, count = planned.shared_seconds, 0
    for step in planned.open:
        if not fits(step, spent, planned.budget, count):
            break
        spent, count = spent + step.seconds_expected, count + 1
    return count


def _unfit(source: Source, target: Target, recipe: Recipe) -> str | None:
    if recipe.format not in target.formats:
        return t(
            "{target} does not read {format}",
            "{target} ne lit pas {format}",
            target=target.id,
            format=recipe.format,
        )
    if source.task not in _TASKS[recipe.format]:
        return t(
            "it is not made of {task} models",
            "elle ne se fait pas de modèles {task}",
            task=source.task,
        )
    if source.format == "ctranslate2" and (reason := _stuck_in_ct2(source)):
        return reason
    return None


def _lacking(recipe: Recipe) -> str | None:
    absent = [name for name in _PACKAGES[recipe.format] if not _installed(name)]
    if not absent:
        return None
    return t(
        "{packages} is not installed: install edge-slm[quantize]",
        "{packages} n'est pas installé : installez edge-slm[quantize]",
        packages=", ".join(absent),
    )


def _stuck_in_ct2(source: Source) -> str | None:
    """Return why nothing can be made of a CTranslate2 model; of Whisper's floats, anything can."""
    if source.task != "speech":
        return t(
            "of CTranslate2 models only Whisper is taken apart: give its safetensors folder",
            "des modèles CTranslate2, seul Whisper se défait : donnez son dossier safetensors",
        )
    if source.quantisation:
        return t(
            "its weights are {kind} already: give the float model",
            "ses poids sont déjà en {kind} : donnez le modèle en flottants",
            kind=source.quantisation,
        )
    return None


def _installed(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


def _too_large(target: Target, gate: Gate, weighs: Expected) -> str | None:
    for room, what in ((target.ram, "ram"), (target.disk, "disk")):
        if weighs.least > room:
            return t(
                "{size} or more, and {target} has {room} for it ({what})",
                "{size} ou plus, et {target} a {room} pour cela ({what})",
                size=size(weighs.least),
                target=target.id,
                room=size(room),
                what=what,
            )
    # A model in memory is at least as large as its file is.
    large = (float(weighs.least), float("inf"))
    if blocked := gate.blocked({"size": large, "ram": large}):
        return t(
            "{size} or more, and the gate asks {parts}",
            "{size} ou plus, et la condition demande {parts}",
            size=size(weighs.least),
            parts=", ".join(blocked),
        )
    return None


def _seconds(source: Source, recipe: Recipe, wanted: set[str], history: History) -> Estimate:
    spare = "" if recipe.format == "gguf" else f"make/{recipe.format}"
    parts = [history.expected(f"make/{recipe.base}", source.parameters, spare)]
    groups = sorted({METRICS[name].group for name in wanted} - {"size"})
    if recipe.format not in ("qnn", "rknn"):
        groups = [group for group in groups if group != "npu"]
    parts += [history.expected(f"measure/{group}", source.parameters) for group in groups]
    seconds = START_S[recipe.format] + sum(part.seconds for part in parts)
    return Estimate(seconds, all(part.known for part in parts))


def _shared(
    source: Source, recipes: Sequence[Recipe], wanted: set[str], history: History
) -> Estimate:
    """Return what the recipes share: the reference, and an importance matrix."""
    groups = {METRICS[name].group for name in wanted} & {"divergence", "vectors"}
    parts = [history.expected(f"measure/{group}", source.parameters) for group in sorted(groups)]
    if any(recipe.imatrix for recipe in recipes):
        parts.append(history.expected("imatrix", source.parameters))
    return Estimate(sum(p.seconds for p in parts), all(p.known for p in parts))


def _nothing(source: Source, target: Target, steps: Sequence[Step]) -> str:
    return t(
        "No recipe can be tried on {model} for {target}: {reasons}.",
        "Aucune recette ne peut être essayée sur {model} pour {target} : {reasons}.",
        model=source.name,
        target=target.id,
        reasons="; ".join(dict.fromkeys(f"{step.recipe}: {step.pruned}" for step in steps)),
    )
