"""One step of a job in a process of its own: what it leaks, holds or crashes on ends with it.

    python -m edge_slm_quantize.apart TASK.json ANSWER.json

The parent writes the task and reads the answer. What libraries print goes to the step's log, so
that standard output stays the command's. It knows no format: FORMATS names the module of each.
"""

import contextlib
import importlib
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Literal

import msgspec

from edge_slm import errors
from edge_slm.errors import CrashError, EdgeSlmError
from edge_slm.i18n import t
from edge_slm_quantize.recipe import Format, Task, parse
from edge_slm_quantize.records import Artefact, Made, Measured, Order

# The module that makes and the one that measures; each is imported in the child only.
FORMATS: dict[Format, tuple[str, str]] = {
    "gguf": ("gguf.make", "gguf.measure"),
    "onnx": ("onnx.make", "onnx.measure"),
    "ctranslate2": ("ct2.make", "ct2.measure"),
    "qnn": ("npu.make_qnn", "npu.measure_qnn"),
    "rknn": ("npu.make_rknn", "npu.measure_rknn"),
}
# What measures a source as it is given.
SOURCES: dict[tuple[str, Task], str] = {
    ("gguf", "chat"): "gguf.measure",
    ("gguf", "embed"): "gguf.measure",
    ("safetensors", "chat"): "gguf.measure",
    ("safetensors", "embed"): "gguf.measure",
    ("safetensors", "speech"): "ct2.measure",
    ("safetensors", "translate"): "ct2.measure",
    ("ctranslate2", "speech"): "ct2.measure",
    ("ctranslate2", "translate"): "ct2.measure",
}
_FOLDER = "edge-slm-step-"  # of a task and its answer
_LONGEST_REASON = 300  # characters of a library's own words that a sentence shows


class Work(msgspec.Struct, frozen=True, kw_only=True):
    """What a child is to do: make in `folder`, or measure what lies at `path`.

    artefact: what is measured; None measures the source itself.
    """

    what: Literal["make", "measure"]
    order: Order
    folder: str = ""
    path: str = ""
    artefact: Artefact | None = None


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What a child answers: one of the three. `kind` is the class of the error."""

    made: Made | None = None
    measured: Measured | None = None
    error: str | None = None
    kind: str = "EdgeSlmError"


def make(order: Order, folder: Path) -> Made:
    """Make an artefact in an empty folder, in a process of its own.

    Raises:
        EdgeSlmError: as the format's `make` does; CrashError where its process died.
    """
    reply = _run(Work(what="make", order=order, folder=str(folder)))
    assert reply.made
    return reply.made


def measure(order: Order, artefact: Artefact, path: Path) -> Measured:
    """Measure an artefact, in a process of its own; raises as `make` does."""
    reply = _run(Work(what="measure", order=order, artefact=artefact, path=str(path)))
    assert reply.measured
    return reply.measured


def measure_source(order: Order) -> Measured:
    """Measure the source itself as the reference, in a process of its own; raises as `make` does.

    Nothing is measured of a source in a format that no engine here runs.
    """
    if (order.source.format, order.source.task) not in SOURCES or not order.metrics:
        return Measured(values={})
    reply = _run(Work(what="measure", order=order, path=order.source.path))
    assert reply.measured
    return reply.measured


def _run(task: Work) -> Reply:
    with tempfile.TemporaryDirectory(prefix=_FOLDER) as name:
        asked, answered, log = (Path(name) / one for one in ("task.json", "answer.json", "log"))
        asked.write_bytes(msgspec.json.encode(task))
        # -P: a file of the folder in which the user stands must not be taken for a module.
        command = [sys.executable, "-P", "-m", __spec__.name, str(asked), str(answered)]
        with log.open("wb") as sink:
            code = _wait(command, sink.fileno())
        if answered.is_file():
            reply = msgspec.json.decode(answered.read_bytes(), type=Reply)
            if reply.error is not None:
                raise _error(reply)
            return reply
        raise CrashError(_died(task, code, log))


def _wait(command: list[str], sink: int) -> int:
    # Standard input says nothing; its end tells the child that nobody waits for it any more.
    child = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=sink, stderr=sink, env=_environment()
    )
    try:
        return child.wait()
    finally:
        if child.poll() is None:
            child.kill()
            child.wait()


def _environment() -> Mapping[str, str]:
    """Return the child's variables: it finds the packages where this process did."""
    roots = [
        str(Path(importlib.import_module(name).__file__ or "").parents[1])
        for name in ("edge_slm", "edge_slm_quantize")
    ]
    known = os.environ.get("PYTHONPATH")
    path = os.pathsep.join([*dict.fromkeys(roots), *([known] if known else [])])
    # Threads that spin while they wait starve whoever shares the processor.
    return {
        "OMP_WAIT_POLICY": "passive",
        **os.environ,
        "PYTHONPATH": path,
        "TOKENIZERS_PARALLELISM": "false",
    }


def _error(reply: Reply) -> EdgeSlmError:
    kind = getattr(errors, reply.kind, EdgeSlmError)
    error = kind(reply.error)
    assert isinstance(error, EdgeSlmError)
    return error


def _died(task: Work, code: int, log: Path) -> str:
    if code in (-9, 137):
        return t(
            "{recipe}: the system ended the step, most often for want of memory; close other "
            "programs, or leave this recipe out.",
            "{recipe} : le système a arrêté l'étape, le plus souvent faute de mémoire ; fermez "
            "d'autres programmes, ou laissez cette recette.",
            recipe=task.order.recipe,
        )
    lines = log.read_bytes().decode("utf-8", "replace").strip().splitlines()
    return t(
        "{recipe}: the step stopped with code {code}; its last words: {words}",
        "{recipe} : l'étape s'est arrêtée avec le code {code} ; ses derniers mots : {words}",
        recipe=task.order.recipe,
        code=code,
        words=lines[-1][:_LONGEST_REASON] if lines else "–",
    )


def _end_with_the_parent(folder: Path) -> None:
    # sys.stdin would be locked by this thread when Python ends.
    while os.read(0, 1):
        pass
    # The task holds texts of the user: a parent that was killed could not remove it.
    if folder.name.startswith(_FOLDER):
        shutil.rmtree(folder, ignore_errors=True)
    os._exit(1)


def _child(asked: Path, answered: Path) -> None:
    from edge_slm import offline

    offline.forbid_network()
    threading.Thread(target=_end_with_the_parent, args=(asked.parent,), daemon=True).start()
    task = msgspec.json.decode(asked.read_bytes(), type=Work)
    try:
        reply = _made(task) if task.what == "make" else _measured(task)
    except EdgeSlmError as error:
        reply = Reply(error=str(error), kind=type(error).__name__)
    except MemoryError:
        reply = Reply(error=_no_memory(task.order))
    except OSError as error:
        reply = Reply(error=_system(task.order, error))
    except Exception as error:  # noqa: BLE001 - the step's edge: what is not known has a sentence too
        traceback.print_exc()
        reply = Reply(error=_unknown(task.order, error), kind="CrashError")
    temporary = answered.with_suffix(".part")
    temporary.write_bytes(msgspec.json.encode(reply))
    temporary.replace(answered)


def _made(task: Work) -> Reply:
    from edge_slm.machine import peak_memory
    from edge_slm_quantize.hashing import sha256_at

    module = _module(FORMATS[parse(task.order.recipe).format][0])
    start = time.perf_counter()
    artefact = module.make(task.order, Path(task.folder))
    seconds = time.perf_counter() - start
    made = Made(
        artefact=artefact,
        seconds=seconds,
        cpu_seconds=time.process_time(),
        peak_bytes=peak_memory(),
        sha256=sha256_at(Path(task.folder) / artefact.path),
    )
    return Reply(made=made)


def _measured(task: Work) -> Reply:
    from edge_slm.bench import conditions

    start, before = time.perf_counter(), conditions.reading()
    path, source = Path(task.path), task.order.source
    if task.artefact is None:
        found = _module(SOURCES[source.format, source.task]).measure_reference(task.order, path)
    else:
        module = _module(FORMATS[task.artefact.format][1])
        found = module.measure(task.order, task.artefact, path)
    around = conditions.conditions(before, conditions.reading())
    seconds = time.perf_counter() - start
    return Reply(measured=msgspec.structs.replace(found, seconds=seconds, conditions=around))


def _module(name: str) -> ModuleType:
    return importlib.import_module(f"{__package__}.{name}")


def _unknown(order: Order, error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return t(
        "{recipe}: the step failed ({kind}: {what}); report it, or leave this recipe out.",
        "{recipe} : l'étape a échoué ({kind} : {what}) ; signalez-le, ou laissez cette recette.",
        recipe=order.recipe,
        kind=type(error).__name__,
        what=lines[0][:_LONGEST_REASON] if lines else "",
    )


def _no_memory(order: Order) -> str:
    return t(
        "{recipe}: this machine's memory does not suffice.",
        "{recipe} : la mémoire de cette machine ne suffit pas.",
        recipe=order.recipe,
    )


def _system(order: Order, error: OSError) -> str:
    return t(
        "{recipe}: a file could not be read or written: {error}.",
        "{recipe} : un fichier n'a pu être lu ou écrit : {error}.",
        recipe=order.recipe,
        error=error,
    )


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):  # the parent says so
        _child(Path(sys.argv[1]), Path(sys.argv[2]))
