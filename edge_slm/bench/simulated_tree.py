"""A machine with a meter, simulated: the files of a RAPL package, kept up to date by a process.

The joules in them follow the real machine's processors by a law that is known beforehand:

    joules = idle_w x seconds + watts_per_cpu_s x CPU-seconds of all programs of the machine

so that what the energy accounting makes of them can be held against the truth on a machine without
a meter. It is an instrument to test with: its joules say nothing of what a machine draws. Linux
only, since it reads /proc/stat by itself, in steps of a tick (proc_stat(5)); the law is thus
known no finer than a tick a processor.

    python -m edge_slm.bench.simulated_tree FOLDER IDLE_W WATTS_PER_CPU_S RANGE_UJ
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

INTERVAL_S = 0.01
LATE = "late_s"  # file beside sys: the longest wait between two updates
ZONE = "sys/class/powercap/intel-rapl:0"  # powercap of the kernel's documentation
# user, nice, system, irq, softirq of the line “cpu”; guests' time is in user, stolen time is not
# this machine's.
_BUSY = (1, 2, 3, 6, 7)


@dataclass(frozen=True)
class Law:
    """What the simulated machine draws.

    Attributes:
        idle_w: watts of the machine without a program.
        watts_per_cpu_s: joules of a second of processor time.
        range_j: joules at which the counter starts anew at 0.
    """

    idle_w: float = 20.0
    watts_per_cpu_s: float = 50.0
    range_j: float = 262_143.328850  # max_energy_range_uj of common Intel processors


@contextmanager
def simulated(law: Law) -> Iterator[Path]:
    """Yield a system root with the meter of a simulated machine in it, until the block ends.

    The root holds `proc`, a link to this machine's, and the powercap zone of one package.

    Raises:
        OSError: the process that simulates cannot be started here.
    """
    with tempfile.TemporaryDirectory(prefix="edge-slm-simulated-") as folder:
        root = Path(folder)
        (root / "proc").symlink_to("/proc")
        process = _start(root, law)
        try:
            yield root
        finally:
            process.terminate()
            process.communicate()


def _start(root: Path, law: Law) -> subprocess.Popen[bytes]:
    figures = (law.idle_w, law.watts_per_cpu_s, round(law.range_j * 1e6))
    module = [sys.executable, "-m", "edge_slm.bench.simulated_tree"]
    process = subprocess.Popen(
        [*module, str(root), *map(repr, figures)],
        stdout=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C ends it by way of its starter, when all is read
    )
    assert process.stdout
    if not process.stdout.readline():
        process.communicate()
        raise OSError("the simulated meter did not start")
    return process


def late_seconds(root: Path) -> float:
    """Return the longest time for which the figures stood still, in s, since they are kept.

    They should change every `INTERVAL_S`; a machine, or a host of virtual machines, that has no
    time for the process makes them late, and what is read from them off by so much.
    """
    return float((root / LATE).read_text())


def busy_ticks(line: str) -> int:
    """Return the ticks that processors were busy, from the line “cpu” of /proc/stat.

    Raises:
        ValueError: it is no such line.
        IndexError: it is cut short.
    """
    words = line.split()
    return sum(int(words[field]) for field in _BUSY)


def _run(root: Path, law: Law) -> None:
    zone = root / ZONE
    zone.mkdir(parents=True)
    (zone / "name").write_text("package-0\n")
    range_uj = round(law.range_j * 1e6)
    (zone / "max_energy_range_uj").write_text(f"{range_uj}\n")
    tick_s = 1 / os.sysconf("SC_CLK_TCK")
    starter = os.getppid()
    # Where the counter stands when somebody first looks is no business of theirs.
    start_uj = range_uj // 2
    began, busy = time.monotonic(), _busy()
    told, last, late_s = False, began, 0.0
    _go_first()
    while os.getppid() == starter:  # whoever started it may have been killed
        cpu_s = (_busy() - busy) * tick_s
        joules = law.idle_w * (time.monotonic() - began) + law.watts_per_cpu_s * cpu_s
        _write(zone / "energy_uj", (start_uj + round(joules * 1e6)) % range_uj)
        now = time.monotonic()
        if now - last > late_s:
            late_s = now - last
            _write(root / LATE, late_s)
        last = now
        if not told:
            sys.stdout.write("ready\n")
            sys.stdout.flush()
            told = True
        time.sleep(INTERVAL_S)


def _go_first() -> None:
    """Ask to be woken in time on a busy machine: figures that come late are wrong figures."""
    with suppress(OSError, AttributeError):  # the administrator's right
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))


def _busy() -> int:
    with Path("/proc/stat").open(encoding="ascii") as stat:
        return busy_ticks(stat.readline())


def _write(path: Path, value: float) -> None:
    new = path.with_suffix(".new")
    new.write_text(f"{value}\n")
    new.rename(path)  # whole at any moment, as a file of the kernel is


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    _, _folder, *_figures = sys.argv
    _idle_w, _watts, _range_uj = map(float, _figures)
    _run(Path(_folder), Law(_idle_w, _watts, _range_uj / 1e6))
