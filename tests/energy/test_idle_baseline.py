"""The idle machine: measured, kept, and measured again when it is old, damaged or better known."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from edge_slm import paths
from edge_slm.energy import idle
from edge_slm.energy.idle import WINDOWS, Baseline, known, measure, remember
from edge_slm.energy.sampling import Sampler
from edge_slm.errors import EdgeSlmError
from tests.energy.fakes import IDLE_W, TrueMeter

KEPT = Baseline(5.0, 0.2, 0.1, 180.0, datetime.now(UTC))


def test_the_mean_and_what_was_busy_are_measured() -> None:
    steps: list[int] = []
    found = measure(Sampler(TrueMeter()), lambda: 1.0, 0.3, steps.append)
    assert found.watts >= IDLE_W * 0.9
    assert found.busy_share == 0
    assert sum(steps) == WINDOWS
    assert found.idle.watts == found.watts


def test_a_busy_machine_is_not_at_rest() -> None:
    busy = iter([0.0, 5.0])
    assert not idle.rests(lambda: next(busy))
    assert idle.rests(lambda: 3.0)
    assert idle.rests(lambda: None)
    assert replace(KEPT, busy_share=0.0).rested
    assert not replace(KEPT, busy_share=4096.0).rested


def test_a_meter_that_cannot_be_read_is_a_sentence() -> None:
    meter = TrueMeter()
    meter.fails = True
    with pytest.raises(EdgeSlmError, match="true meter"):
        measure(Sampler(meter), lambda: None, 0.1)


def test_what_took_longer_is_not_replaced_by_what_was_brief() -> None:
    remember("m", KEPT)
    remember("m", replace(KEPT, watts=9.0, seconds=1.0))
    assert known("m") == KEPT
    remember("m", replace(KEPT, watts=6.0, seconds=300.0))
    found = known("m")
    assert found and found.watts == 6.0


def test_each_meter_has_its_own() -> None:
    remember("m", KEPT)
    assert known("other") is None
    remember("other", replace(KEPT, watts=1.0))
    assert known("m") == KEPT


def test_an_old_one_is_not_known() -> None:
    remember("m", replace(KEPT, measured=datetime.now(UTC) - timedelta(days=31)))
    assert known("m") is None
    remember("m", replace(KEPT, seconds=1.0))
    assert known("m")


@pytest.mark.parametrize(
    "damage",
    [b"", b"{", b"\xff\xfe\x00", b"[]", b'{"m": {"watts": -1}}', b"[" * 100_000, b'{"m": 3}'],
)
def test_a_damaged_file_is_measured_again(damage: bytes) -> None:
    file = paths.cache_dir() / "idle.json"
    file.parent.mkdir(parents=True)
    file.write_bytes(damage)
    assert known("m") is None
    remember("m", KEPT)
    assert known("m") == KEPT


def test_it_can_be_forgotten() -> None:
    remember("m", KEPT)
    idle.forget()
    idle.forget()
    assert known("m") is None
