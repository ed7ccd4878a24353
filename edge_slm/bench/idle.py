"""The machine at rest, and what this program costs while nobody asks it anything.

The watts are kept for the accounts (energy/idle.py), which count from them, unless the machine was
busy meanwhile. Whoever starts the suite keeps the machine quiet; that it was is checked, by the
processor time of all programs.
"""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from edge_slm.bench.conditions import conditions, reading
from edge_slm.bench.lines import line
from edge_slm.bench.memory_now import memory_now
from edge_slm.bench.record import Case
from edge_slm.energy import cpu, idle, meters
from edge_slm.energy.meter import Meter
from edge_slm.energy.sampling import Sampler
from edge_slm.errors import EdgeSlmError
from edge_slm.i18n import decimal, t
from edge_slm.process_tree import cpu_ns, cpu_seconds, descendants

SUITE = "idle"
SECONDS, QUICK_SECONDS = 180.0, 10.0
OWN_SECONDS = 60.0  # at most, for each of our own waiting processes
SETTLE_S = 2.0  # what a process still does after its last answer is not waiting
STEPS = idle.WINDOWS + 2
HOUR_S = 3600.0

Advance = Callable[[int], None]


def idling(
    seconds: float, model: str | None = None, advance: Advance = lambda _: None
) -> Iterator[Case]:
    """Yield the lines of the suite: the machine, an open assistant, a server.

    Args:
        seconds: for the machine; our own processes take as many, at most `OWN_SECONDS` each.
        model: id of the assistant's chat model; None for the best that is installed.
        advance: called with 1 after each of `STEPS` parts.
    Raises:
        UsageError: EDGE_SLM_METER names a meter that is not here.
        EdgeSlmError: the assistant or the server did not start.
    """
    yield machine_case(meters.chosen(), seconds, advance)
    own = min(seconds, OWN_SECONDS)
    assistant = [sys.executable, "-m", "edge_slm.bench.idle_apart", *([model] if model else [])]
    yield waiting_case("assistant", assistant, "ready", own)
    advance(1)
    server = [sys.executable, "-m", "edge_slm", "serve", "--port", "0"]
    yield waiting_case("serve", server, "http://", own)
    advance(1)


def machine_case(meter: Meter | None, seconds: float, advance: Advance = lambda _: None) -> Case:
    """Return the line of the machine at rest, and keep its watts if it was at rest.

    `more` holds the spread of the watts, the share of all processors that programs used, whether
    the baseline was kept, and sentences on why a figure is absent or was not kept.

    Args:
        meter: what measures; None for the processors' share alone.
        seconds: how long.
        advance: called with 1 after each of `energy.idle.WINDOWS` stretches.
    """
    before, own = reading(), cpu_seconds()
    began, busy = time.monotonic(), _busy()
    found, why = _watts(meter, seconds, advance)
    passed = time.monotonic() - began
    after_busy = _busy()
    share = None if busy is None or after_busy is None else _share(after_busy - busy, passed)
    kept = False
    if found and meter:
        kept, why = _keep(meter, found, share)
    return line(
        SUITE,
        "machine",
        seconds=passed,
        cpu_seconds=max(0.0, cpu_seconds() - own),
        conditions=conditions(before, reading()),
        watts=found.watts if found else None,
        joules_method=meter.method if found and meter else None,
        joules_scope=meter.scope if found and meter else None,
        more={
            "spread_w": found.spread_w if found else None,
            "busy_share": share,
            "kept": kept,
            "why": why,
        },
    )


def _busy() -> float | None:
    return cpu.busy_cpu_seconds(meters.system_root())


def _share(busy_s: float, seconds: float) -> float:
    return round(max(0.0, busy_s) / seconds / cpu.processors(), 4)


def _watts(
    meter: Meter | None, seconds: float, advance: Advance
) -> tuple[idle.Baseline | None, str]:
    if meter is None:
        for _ in range(idle.WINDOWS):
            time.sleep(seconds / idle.WINDOWS)
            advance(1)
        return None, t(
            "This machine has no energy meter: watts are not known.",
            "Cette machine n'a pas de compteur d'énergie : la puissance n'est pas connue.",
        )
    try:
        return idle.measure(Sampler(meter, _busy), _busy, seconds, advance), ""
    except EdgeSlmError as error:
        return None, str(error)


def _keep(meter: Meter, found: idle.Baseline, share: float | None) -> tuple[bool, str]:
    """Keep a baseline; return whether it was, and why not."""
    if share is not None and not found.rested:
        return False, t(
            "Programs used {p} % of the processors: the machine was not at rest, and its watts are "
            "not kept; close other programs and measure again.",
            "Des programmes ont pris {p} % des processeurs : la machine n'était pas au repos et sa "
            "puissance n'est pas gardée ; fermez les autres programmes et mesurez de nouveau.",
            p=decimal(100 * share, 0),
        )
    try:
        idle.remember(meter.name, found)
    except OSError as error:
        return False, t(
            "The watts could not be kept: {error}",
            "La puissance n'a pas pu être gardée : {error}",
            error=error,
        )
    if idle.known(meter.name) == found:
        return True, ""
    return False, t(
        "A longer measure is known and still good: it stays.",
        "Une mesure plus longue est connue et encore valable : elle reste.",
    )


def waiting_case(name: str, command: Sequence[str], ready: str, seconds: float) -> Case:
    """Return the line of a program that waits: CPU-seconds an hour, and its memory.

    Args:
        name: of the case.
        command: a program that waits for ever.
        ready: words of the line that it writes once it waits.
        seconds: for how long it is watched, after `SETTLE_S`.
    Raises:
        EdgeSlmError: it ended before it waited; its last line is in the sentence.
    """
    with _started(command, ready) as pid:
        time.sleep(SETTLE_S)
        before, began, used = reading(), time.monotonic(), tree_cpu_seconds(pid)
        time.sleep(seconds)
        spent = max(0.0, tree_cpu_seconds(pid) - used)
        passed = time.monotonic() - began
        pids = [pid, *descendants(pid)]
        return line(
            SUITE,
            name,
            seconds=passed,
            cpu_seconds=spent,
            conditions=conditions(before, reading()),
            peak_bytes=memory_now(pids),
            more={
                "cpu_s_per_hour": round(spent / passed * HOUR_S, 2),
                "processes": len(pids),
            },
        )


def tree_cpu_seconds(root: int) -> float:
    """Return the CPU time that a process and those below it have used, in s."""
    return sum(cpu_ns(pid) or 0 for pid in (root, *descendants(root))) / 1e9


@contextmanager
def _started(command: Sequence[str], ready: str) -> Iterator[int]:
    """Yield the id of a process that has written a line with `ready`; end it after the block."""
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert process.stdout and process.stdin
    last = ""
    try:
        while ready not in last:
            told = process.stdout.readline().decode(errors="replace")
            if not told:
                raise _not_started(command, last or str(process.wait()))
            last = told.strip()
        yield process.pid
    finally:
        process.terminate()
        process.communicate()


def _not_started(command: Sequence[str], reason: str) -> EdgeSlmError:
    return EdgeSlmError(
        t(
            "“{command}” did not start: {reason}",
            "« {command} » n'a pas démarré : {reason}",
            command=" ".join(command[1:]),
            reason=reason,
        )
    )
