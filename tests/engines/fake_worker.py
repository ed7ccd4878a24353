"""A worker with a scripted engine: a real process, the real loop, no model.

The text of the last message is its script: one order a line, see `ScriptedEngine`. A model's file
may hold a script for loading.
"""

import ctypes
import os
import signal
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_slm.answer import Segment, Usage
from edge_slm.engines import GREEDY, Done, Options, Piece, Prompt
from edge_slm.engines.stopping import StopFlag
from edge_slm.engines.workers import wire, worker
from edge_slm.errors import UsageError


class ScriptedEngine:
    """Does what it is told: say, crash, hang, compute, take memory."""

    def __init__(self, path: Path, stop: StopFlag) -> None:
        self._path = path
        self._stop = stop
        self._held: list[bytearray] = []
        list(self._follow(path.read_text(encoding="utf-8")))

    def count_tokens(self, text: str) -> int:
        """Return the number of words."""
        return len(text.split())

    def stream(
        self, prompt: Prompt, max_tokens: int | None, options: Options = GREEDY
    ) -> Iterator[Piece | Done]:
        """Follow the script of the last message."""
        script = prompt if isinstance(prompt, str) else prompt[-1].content
        yield from self._follow(script)
        yield Done(Usage(len(script), 0, max_tokens or 0), complete=True)

    def prepare(self, prompt: Prompt) -> bool:
        """Return whether the prompt is long."""
        return len(prompt) > 1

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """Return the length of the text and its number of words."""
        return np.asarray([len(text), self.count_tokens(text)], np.float32)

    def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the same for each text."""
        for text in texts:
            list(self._follow(text))
        return np.stack([self.embed_query(text) for text in texts])

    def transcribe(self, audio: Path, language: str | None) -> tuple[Iterator[Segment], str, float]:
        """Follow the script in the file; each piece is a segment."""
        script = audio.read_text(encoding="utf-8")
        pieces = (piece.text for piece in self._follow(script))
        return (Segment(0.0, 1.0, text) for text in pieces), language or "fr", 2.0

    def _follow(self, script: str) -> Iterator[Piece]:
        for line in script.splitlines():
            order, _, rest = line.partition(" ")
            action = getattr(self, f"_{order}", None)
            if order == "say":
                yield from (Piece(f"{word} ") for word in rest.split())
            elif order == "pid":
                yield Piece(str(os.getpid()))
            elif action:
                action(rest)

    def _sleep(self, seconds: str) -> None:
        """Wait, and heed a stop."""
        end = time.monotonic() + float(seconds)
        while time.monotonic() < end:
            self._stop.check()
            time.sleep(0.005)

    def _compute(self, seconds: str) -> None:
        """Wait, and heed nothing, as native code does that cannot be interrupted."""
        time.sleep(float(seconds))

    def _signal(self, name: str) -> None:
        os.kill(os.getpid(), signal.Signals[name])
        time.sleep(60)

    def _once(self, line: str) -> None:
        """Follow the rest in the first process only."""
        mark = self._path.with_suffix(".once")
        if not mark.exists():
            mark.touch()
            list(self._follow(line))

    def _illegal(self, _: str) -> None:
        """Run an instruction that no processor has, where mmap allows it."""
        import mmap

        code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
        code.write(b"\x0f\x0b" if os.uname().machine == "x86_64" else b"\x00\x00\x00\x00")
        start = ctypes.addressof(ctypes.c_char.from_buffer(code))
        ctypes.CFUNCTYPE(None)(start)()

    def _null(self, _: str) -> None:
        ctypes.string_at(0)

    def _exit(self, code: str) -> None:
        os._exit(int(code))

    def _take(self, megabytes: str) -> None:
        self._held.append(bytearray(os.urandom(1 << 20) * int(megabytes)))

    def _print(self, text: str) -> None:
        """Print as native code does, on the file descriptors."""
        os.write(1, f"{text}\n".encode())
        os.write(2, f"{text}\n".encode())

    def _usage(self, sentence: str) -> None:
        raise UsageError(sentence)

    def _bug(self, text: str) -> None:
        raise RuntimeError(text)

    def _frame(self, data: str) -> None:
        """Write bytes, given in hexadecimal, among the frames."""
        for number in range(3, 64):
            try:
                os.write(number, bytes.fromhex(data))
            except OSError:
                continue


def build(order: wire.Load, stop: StopFlag) -> ScriptedEngine:
    """Make the engine of an order."""
    return ScriptedEngine(Path(os.fsdecode(order.path)), stop)


if __name__ == "__main__":
    worker.main(build)
