"""One recipe, tried: made, judged on a little text, measured in full. Runs here or on a cluster.

All that it is given and gives back is plain data, and all files are in the job's folder: a worker
of a cluster does the same as this machine does.
"""

from collections.abc import Mapping
from pathlib import Path

from edge_slm.errors import EdgeSlmError
from edge_slm_quantize import apart
from edge_slm_quantize.recipe import Recipe, parse
from edge_slm_quantize.records import Made, Measured, Order
from edge_slm_quantize.report.result import Outcome
from edge_slm_quantize.search import plan
from edge_slm_quantize.search.gate import Gate
from edge_slm_quantize.workspace import Workspace


def attempt(
    order: Order,
    root: Path,
    key: str,
    gate: Gate,
    reference: Mapping[str, float],
    by_proxy: bool,
) -> Outcome:
    """Try one recipe; what is in the job's folder already is not done again.

    Args:
        order: the recipe, and what is to be measured.
        root, key: of the job's folder (Workspace).
        gate: what must hold.
        reference: values of the source.
        by_proxy: whether a little text may settle it.
    """
    space, recipe = Workspace(root, key), parse(order.recipe)
    made: Made | None = None
    try:
        made = space.made(recipe, lambda folder: apart.make(order, folder))
        path, artefact = space.artefact(recipe, made), made.artefact
        short = plan.proxy(gate, order) if by_proxy else None
        if short:
            quick = space.measured(recipe.slug, short, lambda: apart.measure(short, artefact, path))
            if reason := plan.proxy_verdict(gate, quick, reference):
                return _judged(recipe, made, quick, gate, reference, dropped=reason)
        full = space.measured(recipe.slug, order, lambda: apart.measure(order, artefact, path))
    except EdgeSlmError as error:
        return Outcome(recipe=recipe.name, made=made, error=str(error), kind=type(error).__name__)
    return _judged(recipe, made, full, gate, reference)


def _judged(
    recipe: Recipe,
    made: Made,
    measured: Measured,
    gate: Gate,
    reference: Mapping[str, float],
    dropped: str | None = None,
) -> Outcome:
    verdict = gate.judge(measured.values, reference)
    return Outcome(
        recipe=recipe.name,
        made=made,
        measured=measured,
        passed=verdict.passed and dropped is None,
        parts=verdict.parts,
        dropped=dropped,
    )
