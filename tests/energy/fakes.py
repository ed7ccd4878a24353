"""A meter whose truth is known: idle watts, and joules for each CPU-second of this process tree."""

import time
from collections.abc import Sequence

from edge_slm import process_tree
from edge_slm.answer import Method
from edge_slm.energy.meter import Channel, Scope

IDLE_W = 3.0
WATTS = 10.0  # of a CPU-second


class TrueMeter:
    """Counts IDLE_W and WATTS since it was made; `fails` makes its readings None."""

    method: Method = "rapl"
    scope: Scope = "package"
    name = "true meter"
    channels = (Channel("package-0", "energy", range_j=1e9),)
    interval_s = 0.05

    def __init__(self) -> None:
        self.fails = False
        self.closed = False
        self._began = time.monotonic()

    def read(self) -> Sequence[float | None]:
        if self.fails:
            return (None,)
        seconds = time.monotonic() - self._began
        return (IDLE_W * seconds + WATTS * process_tree.cpu_seconds(),)

    def close(self) -> None:
        self.closed = True


def burn(seconds: float) -> None:
    """Use so much CPU time."""
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass
