"""A process that uses up as much processor time as it is told, by its own clock.

    python -m edge_slm.bench.burner THREADS

Each line of standard input is a number of CPU-seconds, all threads together; each line of standard
output says how many were used for it. At the end of the input the process tells what it used in
all, its start included, and ends. Hashing is what it computes: it needs no memory bandwidth, and
Python lets threads hash at the same time.
"""

import hashlib
import subprocess
import sys
import threading
import time

_BLOCK = bytes(1 << 18)  # hashed in under a millisecond: the clock is read that often


class Burner:
    """Such a process, from `with` to its end; `close` may be called before."""

    def __init__(self, threads: int = 1) -> None:
        """Start it and wait until it takes orders.

        Args:
            threads: that compute at the same time, at least 1.
        """
        self._process = subprocess.Popen(
            [sys.executable, "-m", "edge_slm.bench.burner", str(threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.burn(0.0)

    def __enter__(self) -> "Burner":
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """End it, whatever it is at."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                pipe.close()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def begin(self, cpu_s: float) -> None:
        """Order so many CPU-seconds, and do not wait."""
        assert self._process.stdin
        self._process.stdin.write(f"{cpu_s!r}\n")
        self._process.stdin.flush()

    def burn(self, cpu_s: float) -> float:
        """Order so many CPU-seconds, wait, and return how many were used."""
        self.begin(cpu_s)
        return self._told()

    def close(self) -> float:
        """Let it end, and return the CPU-seconds that it used in all."""
        assert self._process.stdin
        self._process.stdin.close()
        used = self._told()
        self._process.wait()
        return used

    def _told(self) -> float:
        assert self._process.stdout
        return float(self._process.stdout.readline())


def burn(cpu_s: float, threads: int = 1) -> float:
    """Use up CPU-seconds in this process, and return how many it used."""
    began = time.process_time()
    end = began + cpu_s

    def compute() -> None:
        while time.process_time() < end:
            hashlib.sha256(_BLOCK).digest()

    others = [threading.Thread(target=compute) for _ in range(threads - 1)]
    for other in others:
        other.start()
    compute()
    for other in others:
        other.join()
    return time.process_time() - began


def _serve(threads: int) -> None:
    for line in sys.stdin:
        _tell(burn(float(line), threads))
    _tell(time.process_time())


def _tell(cpu_s: float) -> None:
    sys.stdout.write(f"{cpu_s!r}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    _serve(int(sys.argv[1]))
