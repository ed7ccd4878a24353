"""What the runners share: options, and requests and replies as JSON lines.

A runner loads its model once, says `{"ready": true, "note": ...}`, then answers one line each:
`{"text": ..., "max_tokens": n}` or `{"audio": path, "language": code}` with
`{text, prompt_tokens, completion_tokens, first_token_s, seconds, cpu_seconds, peak_bytes}`, or
`{"error": ...}`. Only the standard library: it runs in the peer's own environment.
"""

import argparse
import contextlib
import json
import multiprocessing
import os
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, NamedTuple

Said = Callable[[], None]
# Takes a request; calls `said` when the first token is known; returns the reply.
Answer = Callable[[dict[str, Any], Said], "Reply"]


class Reply(NamedTuple):
    """A text, and its tokens read and written; None where the library does not tell."""

    text: str
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class Given(NamedTuple):
    """A model file or folder, threads, tokens of context, and a folder for this model."""

    model: Path
    threads: int
    context: int
    work: Path


class Loaded(NamedTuple):
    """What answers, and in which form the weights are, in a few words."""

    answer: Answer
    note: str


def run(load: Callable[[Given], Loaded]) -> None:
    """Load, say so, and answer until standard input ends.

    A failure to load is said in one line and ends the process with status 1.
    """
    given = _given()
    out = _own_output()
    try:
        loaded = load(given)
    except Exception as error:  # noqa: BLE001  # outermost edge: libraries raise what they like
        _say(out, {"error": f"{type(error).__name__}: {error}"[:500]})
        sys.exit(1)
    _say(out, {"ready": True, "note": loaded.note})
    for line in sys.stdin.buffer:
        try:
            _say(out, _measured(loaded.answer, json.loads(line)))
        except Exception as error:  # noqa: BLE001  # outermost edge: the next request may do
            _say(out, {"error": f"{type(error).__name__}: {error}"[:500]})


def linked(given: Given, suffix: str) -> Path:
    """Return the model under a name that ends in `suffix`, in the folder of this model.

    Libraries tell a format by its name, and write beside it; the store's file has neither.
    """
    path = given.work / f"model{suffix}"
    if not path.exists():
        path.unlink(missing_ok=True)  # a link to a file that is gone
        try:
            path.symlink_to(given.model)
        except OSError:  # a system that grants no links
            shutil.copyfile(given.model, path)
    return path


@contextlib.contextmanager
def made(folder: Path) -> Any:
    """Yield a folder to fill, which gets the name `folder` when it is whole."""
    part = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        yield part
        part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def apart(convert: Callable[..., None], *arguments: Any) -> None:
    """Run a conversion in a process of its own, so that its memory is not the runner's.

    Raises:
        RuntimeError: it failed; why is on standard error.
    """
    process = multiprocessing.get_context("spawn").Process(target=convert, args=arguments)
    process.start()
    process.join()
    if process.exitcode:
        raise RuntimeError("the model cannot be converted")


def _given() -> Given:
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--context", type=int, required=True)
    parser.add_argument("--work", type=Path, required=True)
    asked = parser.parse_args()
    asked.work.mkdir(parents=True, exist_ok=True)
    return Given(asked.model.absolute(), asked.threads, asked.context, asked.work.absolute())


def _own_output() -> IO[bytes]:
    """Return standard output; what libraries print there goes to standard error instead."""
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return out


def _say(out: IO[bytes], row: dict[str, Any]) -> None:
    out.write(json.dumps(row, ensure_ascii=True).encode() + b"\n")
    out.flush()


def _measured(answer: Answer, request: dict[str, Any]) -> dict[str, Any]:
    first: list[float] = []

    def said() -> None:
        if not first:
            first.append(time.perf_counter())

    began, burnt = time.perf_counter(), time.process_time()
    reply = answer(request, said)
    ended = time.perf_counter()
    return {
        **reply._asdict(),
        "first_token_s": first[0] - began if first else None,
        "seconds": ended - began,
        "cpu_seconds": time.process_time() - burnt,
        "peak_bytes": _peak_bytes(),
    }


def _peak_bytes() -> int | None:
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024  # getrusage(2): kilobytes on Linux
