"""Random switches between models that do not fit in memory together: peak and failed requests."""

import os
from collections.abc import Sequence
from contextlib import closing
from random import Random
from typing import Any

from edge_slm import machine
from edge_slm.bench.memory_watch import MemoryWatch
from edge_slm.bench.runtime.first_token import Advance
from edge_slm.bench.runtime.workload import Job, job
from edge_slm.engines.workers import ledger
from edge_slm.engines.workers.pool import Pool
from edge_slm.engines.workers.spec import Spec
from edge_slm.errors import EdgeSlmError, MissingError
from edge_slm.i18n import t
from edge_slm.process_tree import descendants

BUDGET = 3 << 30
SEED = 3
TOLD = 3  # sentences of failures that are kept
_SHARE = 0.6  # of what all models take together
_SLACK = 64 << 20  # by which this process may grow meanwhile


def tight_budget(specs: Sequence[Spec]) -> int:
    """Return a budget in bytes that holds any of the models, and not all of them."""
    needs = [ledger.expected(spec) for spec in specs]
    room = max(max(needs) + _SLACK, int(_SHARE * sum(needs)))
    return machine.resident_memory() + min(room, sum(needs) - 1)


def switches(
    pool: Pool, specs: Sequence[Spec], count: int, advance: Advance = lambda _: None
) -> dict[str, Any]:
    """Ask one model after the other, each time another than before, drawn at random.

    Args:
        pool: a pool of its own; it is closed.
        specs: the models, two at least.
        count: requests.
        advance: called with 1 after each.
    Returns:
        the peaks of the process tree beside the budget, in bytes, and the requests that failed.
    Raises:
        MissingError: there are fewer than two models.
    """
    if len(specs) < 2:
        raise MissingError(
            t(
                "Switching needs two models: run edge-slm models pull lite.",
                "Il faut deux modèles pour en changer : lancez edge-slm models pull lite.",
            )
        )
    jobs = [job(pool, spec) for spec in specs]
    with closing(pool), MemoryWatch() as watch:
        failures, workers = _switch(jobs, count, advance)
    return {
        "switches": count,
        "models": len(specs),
        "budget_bytes": pool.budget,
        "models_bytes": sum(ledger.expected(spec) for spec in specs),
        "loads": len(workers),
        "peak_bytes": watch.peak.rss_bytes,
        "peak_pss_bytes": watch.peak.pss_bytes,
        "peak_share": round(watch.peak.rss_bytes / pool.budget, 4),
        "failed": len(failures),
        "failures": failures[:TOLD],
    }


def _switch(jobs: Sequence[Job], count: int, advance: Advance) -> tuple[list[str], set[int]]:
    """Return what failed, and the processes that there were: one for each time a model came in."""
    random = Random(SEED)
    failures: list[str] = []
    workers: set[int] = set()
    before = set(descendants(os.getpid()))
    last: Job | None = None
    for _ in range(count):
        last = random.choice([one for one in jobs if one is not last])
        try:
            last.ask(random)
        except EdgeSlmError as error:
            failures.append(f"{last.spec.model}: {error}")
        workers.update(descendants(os.getpid()))
        advance(1)
    return failures, workers - before
