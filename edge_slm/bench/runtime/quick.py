"""The short run of `edge-slm bench runtime`: one passage, one copied answer, a few switches."""

from collections.abc import Callable
from contextlib import closing
from typing import Any, TypeVar

from edge_slm.bench.runtime.first_token import Advance, first_token
from edge_slm.bench.runtime.lookup import lookup
from edge_slm.bench.runtime.restarted import ask_restarted
from edge_slm.bench.runtime.states import own_states
from edge_slm.bench.runtime.switches import switches, tight_budget
from edge_slm.bench.runtime.workload import several
from edge_slm.engines.loaded import Engines
from edge_slm.engines.workers.pool import Pool
from edge_slm.profiles import PROFILES

PASSAGE_TOKENS = 500
SWITCHES = 12
STEPS = 2 + SWITCHES  # of the progress bar
Result = TypeVar("Result")
_MODELS = 4  # to switch between, at least


def quick(model: str | None = None, advance: Advance = lambda _: None) -> dict[str, Any]:
    """Measure once what `edge-slm bench runtime` measures at length, without a peer.

    Args:
        model: id of a chat model; by default that of the small profile where it is installed.
        advance: called with the number of steps done, `STEPS` in all.
    Returns:
        one flat row; times in seconds, sizes in bytes.
    Raises:
        MissingError: no chat model is installed.
    """
    with own_states(), closing(Engines(model or _smallest())) as engines:
        chat, used = engines.chat()
        first = first_token(
            chat,
            PASSAGE_TOKENS,
            repeats=1,
            restart=lambda *asked: _after(chat.close, lambda: ask_restarted(used.id, *asked)),
            advance=advance,
        )
        copied = lookup(chat, PASSAGE_TOKENS, repeats=1, advance=advance)
        chat.close()
        specs = several(engines.specs(), _MODELS)
        switched = switches(Pool(tight_budget(specs)), specs, SWITCHES, advance)
    return {
        "model": used.id,
        "first_token_ratio": first["ratio"],
        "lookup_ratio": copied["ratio"],
        "identical": first["identical"] and copied["identical"],
        **switched,
        **{f"first_token_{key}": value for key, value in first.items() if key != "ratio"},
        **{f"lookup_{key}": value for key, value in copied.items() if key != "ratio"},
    }


def _smallest() -> str | None:
    with closing(Engines()) as engines:
        return next((m for m in engines.chat_models() if m in PROFILES["lite"]), None)


def _after(before: Callable[[], None], then: Callable[[], Result]) -> Result:
    before()
    return then()
