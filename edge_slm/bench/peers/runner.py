"""A peer in a process of its own that talks in JSON lines (packaging/peers/lines.py).

It may crash, hang, or say what is no JSON: each becomes a sentence, and its processes are ended.
"""

import os
import queue
import subprocess
import tempfile
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, NoReturn, TypeVar

import msgspec
import psutil

from edge_slm.bench.runtime.peer import Peer
from edge_slm.errors import EdgeSlmError
from edge_slm.i18n import t
from edge_slm.process_tree import descendants

LOADING_S = 1800.0  # the first time, a model is converted: minutes for half a gigabyte
ANSWER_S = 600.0
LONGEST = 1 << 20  # bytes of a line


class Said(msgspec.Struct, frozen=True):
    """What a runner answers: its text, its tokens where it knows them, and its own clocks."""

    text: str
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    first_token_s: float | None = None
    seconds: float = 0.0
    cpu_seconds: float | None = None
    peak_bytes: int | None = None


class _Line(msgspec.Struct, frozen=True):
    error: str | None = None
    ready: bool = False
    note: str = ""


_Form = TypeVar("_Form", _Line, Said)


class Runner:
    """A runner at work.

    Attributes:
        pid: of its process.
        note: in which form it holds the weights, in its own words.
    """

    def __init__(
        self,
        peer: Peer,
        model: Path,
        *,
        threads: int,
        context: int,
        work: Path,
        loading_s: float = LOADING_S,
        answer_s: float = ANSWER_S,
    ) -> None:
        """Start it and wait until its model is loaded.

        Args:
            peer: from the catalogue.
            model: a file, or a folder where the model has several.
            threads: how many compute.
            context: tokens that prompt and reply may hold together.
            work: a folder for what is converted from this model.
            loading_s, answer_s: how long it may take; then it counts as hanging.
        Raises:
            EdgeSlmError: it does not start, or says what is no JSON.
        """
        self._name, self._answer_s = peer.name, answer_s
        self._log = tempfile.TemporaryFile()  # noqa: SIM115  # `close` closes it
        options = ["--model", model, "--threads", threads, "--context", context, "--work", work]
        try:
            self._process = subprocess.Popen(
                [*peer.command, *map(str, options)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._log,
                env={"OMP_WAIT_POLICY": "passive", "HF_HUB_OFFLINE": "1", **os.environ},
            )
        except OSError as error:
            self._log.close()
            raise _failed(peer.name, str(error)) from error
        self.pid = self._process.pid
        self._lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        threading.Thread(target=self._listen, name="peer", daemon=True).start()
        self.note = self._decoded(self._next(loading_s), _Line).note

    def ask(self, request: dict[str, Any]) -> Said:
        """Send a request and return the answer.

        Raises:
            EdgeSlmError: the runner crashed, hangs, or says what is no answer; it is ended then,
                unless it said itself what went wrong.
        """
        assert self._process.stdin
        try:
            self._process.stdin.write(msgspec.json.encode(request) + b"\n")
            self._process.stdin.flush()
        except OSError:
            self._fail(self._last_words())
        return self._decoded(self._next(self._answer_s), Said)

    def close(self) -> None:
        """End it and all that it started."""
        below = []
        for pid in descendants(self.pid):
            with suppress(psutil.NoSuchProcess):
                below.append(psutil.Process(pid))
        self._process.kill()
        for process in below:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self._process.wait()
        psutil.wait_procs(below, timeout=5)
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(OSError):  # bytes that it did not read
                if pipe:
                    pipe.close()
        self._log.close()

    def _listen(self) -> None:
        out = self._process.stdout
        assert out
        with suppress(OSError, ValueError):  # closed meanwhile
            while line := out.readline(LONGEST):
                self._lines.put(line)
                if not line.endswith(b"\n"):
                    return
        self._lines.put(b"")

    def _next(self, patience_s: float) -> bytes:
        try:
            line = self._lines.get(timeout=patience_s)
        except queue.Empty:
            self._fail(
                t("no word in {s:.0f} s", "pas un mot en {s:.0f} s", s=patience_s),
            )
        if not line:
            self._fail(self._last_words())
        if not line.endswith(b"\n"):
            self._fail(t("a line without an end", "une ligne sans fin"))
        return line

    def _decoded(self, line: bytes, form: type[_Form]) -> _Form:
        try:
            told = msgspec.json.decode(line, type=_Line)
            if told.error is None:
                return msgspec.json.decode(line, type=form)
        except msgspec.DecodeError:
            self._fail(
                t(
                    "no JSON: {line}",
                    "pas du JSON : {line}",
                    line=ascii(line[:60].decode(errors="replace")),
                )
            )
        if form is _Line:
            self._fail(told.error)
        raise _failed(self._name, told.error)

    def _last_words(self) -> str:
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(5)
        lines = _tail(self._log)
        code = self._process.poll()
        return lines[-1] if lines else t("status {code}", "code de sortie {code}", code=code)

    def _fail(self, reason: str) -> NoReturn:
        self.close()
        raise _failed(self._name, reason)


def _tail(log: IO[bytes]) -> Sequence[str]:
    end = log.seek(0, os.SEEK_END)
    log.seek(max(0, end - 4000))
    return [line for line in log.read().decode(errors="replace").splitlines() if line.strip()]


def _failed(name: str, reason: str) -> EdgeSlmError:
    return EdgeSlmError(
        t(
            "The peer {name} failed ({reason}): python packaging/peers/make_peer.py {name} makes "
            "it again.",
            "Le témoin {name} a échoué ({reason}) : python packaging/peers/make_peer.py {name} "
            "le refait.",
            name=name,
            reason=reason[:300],
        )
    )
