"""What metering takes from the speed of a small model, in a process of its own.

A model writes the same tokens again and again, every other time with an account open. Speeds on a
machine that others use too differ by more than the price sought: therefore pairs, one after the
other, in changing order, and beside them the price by itself: processor time of opening and closing
an account, and of keeping one open.
"""

import itertools
import statistics
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import msgspec

from edge_slm.bench.metering_apart import simulate_here
from edge_slm.bench.runtime.apart import run_apart, serve_order

PROMPT = "One, two, three, four, five, six, seven, eight,"
OPENINGS = 200


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What to run.

    Attributes:
        model: id of a chat model.
        pairs: of runs, one with an account and one without.
        tokens: to write in one run.
        hold_s: seconds for which an account is kept open with nothing to do.
        root: system root of a simulated machine; None for this machine's own meter.
        home: folder for what the program keeps; needed with `root`, and holds a link to the store.
        idle_w: watts of the simulated machine at rest.
    """

    model: str
    pairs: int
    tokens: int
    hold_s: float
    root: str | None = None
    home: str | None = None
    idle_w: float = 0.0


class Write(msgspec.Struct, frozen=True):
    """One run: tokens, wall seconds, CPU-seconds of this process and the model's."""

    tokens: int
    seconds: float
    cpu_s: float


class Overhead(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured.

    Attributes:
        meter: name of the meter that was read; None for the estimate.
        plain, paid: runs without and with an account, pair by pair.
        open_close_us: CPU time of opening and closing one account, in microseconds: the median.
        held_share: CPU-seconds a second that an open account takes, with nothing to do.
    """

    meter: str | None
    plain: list[Write]
    paid: list[Write]
    open_close_us: float
    held_share: float


def overhead(order: Order) -> Overhead:
    """Return what metering took, measured in a process of its own.

    Raises:
        EdgeSlmError: it failed.
    """
    return msgspec.convert(run_apart("edge_slm.bench.overhead_apart", order), Overhead)


def home_with_models(folder: Path) -> Path:
    """Return `folder` with links to the user's models, so that nothing else of theirs is touched.

    Raises:
        OSError: the links cannot be made.
    """
    from edge_slm import paths

    for kept in (paths.store_dir(), paths.user_cards_dir()):
        if kept.exists():
            (folder / kept.name).symlink_to(kept.resolve())
    return folder


def _measure(order: Order) -> dict[str, Any]:
    if order.root and order.home:
        simulate_here(order.root, order.home, order.idle_w)
    from edge_slm.energy.accounts import accounts, metered
    from edge_slm.engines import Done
    from edge_slm.engines.loaded import Engines

    meter = accounts().meter
    engines = Engines(order.model)
    try:
        chat, _ = engines.chat()

        def write() -> int:
            *_, end = chat.stream(PROMPT, order.tokens)
            assert isinstance(end, Done)
            return end.usage.completion_tokens

        write()
        ways: tuple[Callable[[], AbstractContextManager[object]], ...] = (nullcontext, metered)
        runs: tuple[list[Write], list[Write]] = ([], [])
        for pair in range(order.pairs):
            for way in (0, 1) if pair % 2 == 0 else (1, 0):
                runs[way].append(_timed(write, ways[way]))
        found = Overhead(
            meter=meter.name if meter else None,
            plain=runs[0],
            paid=runs[1],
            open_close_us=_open_close_us(metered),
            held_share=max(0.0, _held(metered, order.hold_s) - _held(nullcontext, order.hold_s)),
        )
    finally:
        engines.close()
    result: dict[str, Any] = msgspec.to_builtins(found)
    return result


def _timed(
    write: Callable[[], int], account: Callable[[], AbstractContextManager[object]]
) -> Write:
    from edge_slm.process_tree import cpu_seconds

    before, began = cpu_seconds(), time.perf_counter()
    with account():
        tokens = write()
    seconds = time.perf_counter() - began
    return Write(tokens, seconds, cpu_seconds() - before)


def _open_close_us(account: Callable[[], AbstractContextManager[object]]) -> float:
    used = []
    for _ in itertools.repeat(None, OPENINGS):
        began = time.process_time_ns()
        with account():
            pass
        used.append((time.process_time_ns() - began) / 1000)
    return statistics.median(used)


def _held(account: Callable[[], AbstractContextManager[object]], seconds: float) -> float:
    with account():
        began = time.process_time()
        time.sleep(seconds)
        return (time.process_time() - began) / seconds


if __name__ == "__main__":
    serve_order(Order, _measure)
