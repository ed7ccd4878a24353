"""What tests of external meters share: a clock that is set, sources that speak when they like."""

import time
from typing import ClassVar

import pytest

from edge_slm.energy.meter import Meter
from edge_slm.energy.meters import external_mqtt, external_serial
from edge_slm.energy.meters.external_meter import Heard


class Clock:
    """Monotonic seconds that a test sets."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        """Return the seconds."""
        return self.now_s


class Noted(Heard):
    """Keeps all that was ever heard, by anybody."""

    all: ClassVar[list[float]] = []

    def put(self, value: float, age_s: float = 0.0) -> None:
        """Keep a figure, and note it."""
        self.all.append(value)
        super().put(value, age_s)


def noting(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return what serial lines and topics are heard to say from now on, in order."""
    monkeypatch.setattr(Noted, "all", [])
    for module in (external_serial, external_mqtt):
        monkeypatch.setattr(module, "Heard", Noted)
    return Noted.all


def reads(meter: Meter, wanted: object) -> bool:
    """Return whether a meter comes to read a value: its source speaks when it likes."""
    for _ in range(3000):
        (value,) = meter.read()
        if value == wanted:
            return True
        time.sleep(0.01)
    return False


def figure(meter: Meter) -> float:
    """Return what a meter of one channel reads, which must be a figure."""
    (value,) = meter.read()
    assert value is not None
    return value
