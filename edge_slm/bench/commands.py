"""Time and memory of what a user does, each measured in processes of its own."""

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from edge_slm.assistant import Assistant
from edge_slm.errors import EdgeSlmError
from edge_slm.i18n import t
from edge_slm.profiles import PROFILES
from edge_slm.store import Store

QUESTION = "Combien de jours dure le congé de paternité pour des jumeaux ?"
WRITTEN = "Traduis en anglais : La demande doit être déposée deux mois avant le départ."

Row = dict[str, Any]


def start(repeat: int) -> Row:
    """Return the milliseconds of `edge-slm --help`, and of a Python that does nothing."""
    bare = [_milliseconds([sys.executable, "-c", "pass"]) for _ in range(repeat)]
    helped = [_milliseconds(_command("--help")) for _ in range(repeat)]
    return {
        "python_ms": _median(bare),
        "help_ms": _median(helped),
        "help_best_ms": round(min(helped), 1),
    }


def ask(repeat: int) -> Row:
    """Return the milliseconds of a question to a cold process, and to an assistant kept open."""
    cold = [_milliseconds(_command("ask", "--json", QUESTION)) for _ in range(repeat)]
    row: Row = {"cold_process_ms": _median(cold)}
    with Assistant.open() as assistant:
        for name, request in (("question", QUESTION), ("translation", WRITTEN)):
            assistant.ask(request)
            warm = [assistant.ask(request).timings_ms["total"] for _ in range(repeat)]
            row[f"warm_{name}_ms"] = _median(warm)
    return row


def memory(_: int) -> Row:
    """Return the peak memory, in bytes, of the demo with each profile that is installed."""
    store = Store()
    row: Row = {}
    for profile, models in PROFILES.items():
        if all(store.installed(model) for model in models):
            output = _run(_command("demo", "--json", "--profile", profile))
            row[f"{profile}_peak_bytes"] = msgspec.json.decode(output)["peak_memory_bytes"]
    return row


SUITES: dict[str, Callable[[int], Row]] = {"start": start, "ask": ask, "memory": memory}


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "edge_slm", *arguments]


def _milliseconds(command: Sequence[str]) -> float:
    begin = time.perf_counter()
    _run(command)
    return (time.perf_counter() - begin) * 1000


def _run(command: Sequence[str]) -> bytes:
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode:
        reason = done.stderr.decode(errors="replace").strip().splitlines()
        raise EdgeSlmError(
            t(
                "“{command}” failed: {reason}",
                "« {command} » a échoué : {reason}",
                command=" ".join(command[1:]),
                reason=reason[-1] if reason else done.returncode,
            )
        )
    return done.stdout


def _median(values: Sequence[float]) -> float:
    return round(statistics.median(values), 1)
