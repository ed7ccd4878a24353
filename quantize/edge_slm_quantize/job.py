"""A job: what the user asks for, understood and planned. Nothing is made here. Knows no format."""

from dataclasses import dataclass
from pathlib import Path

import msgspec

from edge_slm import paths
from edge_slm_quantize.delivery import check_id
from edge_slm_quantize.metrics import METRICS, Group
from edge_slm_quantize.recipe import Format, Task, parse, parse_list
from edge_slm_quantize.records import Order, Source, Suites, Target, Texts
from edge_slm_quantize.search import plan, targets
from edge_slm_quantize.search.gate import Gate
from edge_slm_quantize.search.gate import parse as parse_gate
from edge_slm_quantize.search.history import History
from edge_slm_quantize.search.plan import Plan
from edge_slm_quantize.workspace import key_of

# What is measured of every recipe, whatever the gate asks; task suites only where it asks.
_GROUPS: dict[Task, tuple[Group, ...]] = {
    "chat": ("size", "divergence", "speed"),
    "embed": ("size", "vectors", "speed"),
    "speech": ("size", "speed"),
    "translate": ("size", "speed"),
}
_ALSO: dict[Task, tuple[str, ...]] = {
    "chat": (),
    "embed": ("recall_at_5",),
    "speech": ("wer",),
    "translate": ("chrf",),
}
_NPU: tuple[Format, ...] = ("qnn", "rknn")


_SUITES = Suites()


@dataclass(frozen=True)
class Request:
    """What the user asks for; see the options of the command.

    budget: seconds. tokens: of text to judge on. id: of the new model. quote: whether the report
    may hold words of the texts.
    """

    model: str
    target: str = targets.THIS_MACHINE
    recipes: str | None = None
    gate: str | None = None
    texts: tuple[str, ...] = ()
    budget: float | None = None
    tokens: int = 6144
    suites: Suites = _SUITES
    out: Path | None = None
    id: str | None = None
    install: bool = True
    keep_all: bool = False
    engine: str | None = None
    quote: bool = False


@dataclass(frozen=True)
class Job:
    """A request, understood: nothing is written yet."""

    request: Request
    source: Source
    target: Target
    gate: Gate
    texts: Texts
    plan: Plan
    root: Path
    history: History

    @property
    def key(self) -> str:
        """Name of all that its results depend on."""
        npu = self.target.npu
        return key_of(
            versions(), self.source.sha256, self.texts, msgspec.to_builtins(npu) if npu else None
        )

    def order(self, recipe: str, folder: Path) -> Order:
        """Return the order to try one recipe."""
        return Order(
            recipe=recipe,
            source=self.source,
            target=self.target,
            folder=str(folder),
            texts=self.texts,
            suites=self.request.suites,
            metrics=wanted(self.source.task, self.gate, parse(recipe).format),
            tokens=self.request.tokens,
        )


def wanted(task: Task, gate: Gate, made: Format | None = None) -> tuple[str, ...]:
    """Return the metrics to measure, in the order of METRICS.

    Args:
        task: of the model.
        gate: what it names is always measured.
        made: the format; None for the source itself.
    """
    groups = {*_GROUPS[task], *(("npu",) if made in _NPU else ())}
    asked = gate.metrics | set(_ALSO[task])
    return tuple(
        name
        for name, metric in METRICS.items()
        if task in metric.tasks and (metric.group in groups or name in asked)
    )


def versions() -> dict[str, str]:
    """Return the versions of what results depend on; packages that are not here are left out."""
    from importlib.metadata import PackageNotFoundError, version

    found = {}
    for name in (
        *("edge-slm", "llama-cpp-python", "onnxruntime", "onnxruntime-qnn", "onnx", "optimum"),
        *("optimum-onnx", "transformers", "torch", "ctranslate2", "numpy"),
    ):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def prepared(request: Request) -> Job:
    """Open the model and plan the job; nothing is made.

    Raises:
        UsageError: something in the request is not understood or cannot be used.
        MissingError: the model, or what its recipes need, is not here.
        IntegrityError: the model is damaged.
    """
    from edge_slm.bench import fingerprint
    from edge_slm_quantize.measure.texts import texts_from
    from edge_slm_quantize.sources.opening import open_source

    if request.id is not None:
        check_id(request.id)
    target = targets.load(request.target)
    named = parse_list(request.recipes) if request.recipes is not None else None
    early = parse_gate(request.gate) if request.gate is not None else None  # before a slow reading
    source = open_source(request.model)
    recipes = named or [parse(name) for name in targets.recipes(target, source.task)]
    text = request.gate if early else target.gate[source.task]
    gate = parse_gate(text or "", source.task)
    history = History(fingerprint.machine().id)
    planned = plan.plan(
        source,
        target,
        recipes,
        gate,
        request.budget,
        history,
        named=named is not None,
        metrics=wanted(source.task, gate, recipes[0].format),
    )
    return Job(
        request=request,
        source=source,
        target=target,
        gate=gate,
        texts=texts_from(request.texts),
        plan=planned,
        root=request.out or paths.data_dir() / "quantized" / f"{source.name}-{target.id}",
        history=history,
    )
