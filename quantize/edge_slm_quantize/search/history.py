"""How long steps took on this machine, so that the next plan knows.

A step's time is taken to grow with the weights of the model. Where nothing was measured here yet,
`DEFAULTS` stands in; a plan says so. The file can be lost without harm: it is computed again.
"""

import statistics
from pathlib import Path
from typing import NamedTuple

import msgspec

from edge_slm import paths
from edge_slm.files import replacing

# A smaller model takes the time of starting a process: no rate per weight follows from that.
LEAST = 10_000_000
KEPT = 8  # times of a step, the newest
Times = dict[str, dict[str, list[float]]]  # by machine and step: seconds per 10**9 weights

# Seconds per 10**9 weights on two cores of a Sapphire Rapids (AVX-512), for the order of magnitude
# only. “make” of the GGUF types: one timed run each of SmolLM2-135M, while others shared the
# machine. All others, and all of “measure”: rough guesses after runs that were timed loosely, of
# one small model each. None says how a time grows with the model. The first real run replaces each.
DEFAULTS: dict[str, float] = {
    "make/F16": 4.5,
    "make/Q8_0": 6.7,
    "make/Q6_K": 8.9,
    "make/Q5_K_M": 9.7,
    "make/Q4_K_M": 11.0,
    "make/Q4_0": 4.5,
    "make/IQ4_XS": 97.0,
    "make/Q3_K_M": 11.0,
    "make/Q2_K": 6.0,
    "make/onnx": 300.0,
    "make/ctranslate2": 40.0,
    "make/qnn": 450.0,
    "make/rknn": 350.0,
    "imatrix": 420.0,
    "measure/size": 0.0,
    "measure/divergence": 95.0,
    "measure/vectors": 110.0,
    "measure/speed": 45.0,
    "measure/suite": 300.0,
    "measure/npu": 2000.0,
}
# Starting a process and importing what the format needs: guesses, never timed one by one.
START_S = {"gguf": 2.0, "onnx": 15.0, "ctranslate2": 8.0, "qnn": 15.0, "rknn": 15.0}


class Estimate(NamedTuple):
    """Seconds, and whether they come from steps that ran on this machine."""

    seconds: float
    known: bool


class History:
    """Times of one machine, kept in a file of the cache."""

    def __init__(self, machine: str, path: Path | None = None) -> None:
        """Read what is known.

        Args:
            machine: id of the fingerprint (bench.fingerprint.machine).
            path: the file; None for the one of the user's cache.
        """
        self.machine = machine
        self.path = path or paths.cache_dir() / "quantize-times.json"

    def expected(self, step: str, weights: int, spare: str = "") -> Estimate:
        """Return how long a step will take.

        Args:
            step: “make/Q4_0”, “measure/divergence”…
            weights: of the model, in numbers.
            spare: the step whose default holds when this one has none.
        """
        known = self._read().get(self.machine, {}).get(step, [])
        rate = statistics.median(known) if known else DEFAULTS.get(step, DEFAULTS.get(spare, 0.0))
        return Estimate(rate * weights / 1e9, bool(known))

    def remember(self, step: str, weights: int, seconds: float) -> None:
        """Note how long a step took; a cache that cannot be written is left as it is."""
        if weights < LEAST or not 0 <= seconds < float("inf"):
            return
        times = self._read()
        rates = times.setdefault(self.machine, {}).setdefault(step, [])
        rates.append(seconds / (weights / 1e9))
        del rates[:-KEPT]
        try:
            with replacing(self.path) as temporary:
                temporary.write_bytes(msgspec.json.encode(times))
        except OSError:
            return

    def _read(self) -> Times:
        try:
            return msgspec.json.decode(self.path.read_bytes(), type=Times)
        except (OSError, msgspec.MsgspecError, ValueError, RecursionError):
            return {}
