"""Results of jobs, made by hand."""

from typing import Any

import msgspec

from edge_slm.bench.record import Conditions
from edge_slm_quantize.records import Measured
from edge_slm_quantize.report.result import Outcome, Result
from edge_slm_quantize.search import gate
from edge_slm_quantize.search.plan import Plan, Step
from tests.bench.cases import MACHINE
from tests.quantize.orders import SOURCE, TARGET, TEXTS, a_made

GATE = "kld<=0.1"


def an_outcome(recipe: str, size: int, kld: float, speed: float, **changes: Any) -> Outcome:
    """Return a recipe that was made and measured, with an interval of a tenth around its kld."""
    values = {
        "kld": kld,
        "kld_low": 0.9 * kld,
        "kld_high": 1.1 * kld,
        "top1_agreement": 1 - kld,
        "tokens_per_second": speed,
        "cpu_seconds_per_100": 100 / speed,
    }
    verdict = gate.parse(GATE).judge(values, {})
    return msgspec.structs.replace(
        Outcome(
            recipe=recipe,
            made=a_made(recipe, f"{recipe}.gguf", size),
            measured=Measured(
                values=values,
                absent={"faq_accuracy": "no base is here"},
                conditions=Conditions(load=0.1, note="on battery"),
            ),
            passed=verdict.passed,
            parts=verdict.parts,
        ),
        **changes,
    )


def a_result(**changes: Any) -> Result:
    """Return a job of four recipes: two pass, one does not, one was never made."""
    result = Result(
        source=SOURCE,
        target=TARGET,
        gate=GATE,
        chosen="Q4_K_M",
        recipes=(
            an_outcome("Q4_0", 90_000_000, 0.28, 109.0),
            an_outcome("Q4_K_M", 105_000_000, 0.05, 74.0),
            an_outcome("Q8_0", 145_000_000, 0.004, 77.0),
            Outcome(recipe="Q6_K", dropped="larger than what passed"),
        ),
        reference=Measured(values={"perplexity": 32.7}),
        plan=Plan(
            target="bench",
            steps=(Step(recipe="Q4_0", bytes_expected=1, seconds_expected=1.0),),
            seconds=1.0,
            shared_seconds=0.0,
            stop_at_first=True,
            known=False,
        ),
        texts_origin=TEXTS.origin,
        texts_sha256=TEXTS.sha256,
        machine=MACHINE,
        command="edge-slm quantize small --for bench",
        versions={"edge_slm": "0.1.0"},
        date="2026-01-02T03:04:05+00:00",
    )
    return msgspec.structs.replace(result, **changes)
