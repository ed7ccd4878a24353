"""A meter is read on demand and by a thread, which ends; each start counts anew."""

import threading
import time
from collections.abc import Sequence

import pytest

from edge_slm.answer import Method
from edge_slm.energy.counting import between
from edge_slm.energy.meter import Channel, Scope
from edge_slm.energy.sampling import LATE, Sampler

WATTS = 10.0


class Gauge:
    """Shows the same watts, and tells when it has been read often."""

    method: Method = "hwmon"
    scope: Scope = "board"
    name = "gauge"
    channels = (Channel("board", "power"),)

    def __init__(self, interval_s: float) -> None:
        self.interval_s = interval_s
        self.readings = 0
        self.often = threading.Event()

    def read(self) -> Sequence[float | None]:
        self.readings += 1
        if self.readings > 5:
            self.often.set()
        return (WATTS,)

    def close(self) -> None:
        pass


def test_watts_become_joules_while_a_thread_reads() -> None:
    gauge = Gauge(0.01)
    sampler = Sampler(gauge)
    sampler.start()
    before = sampler.read()
    assert gauge.often.wait(60)
    spent = between(before, sampler.read())
    sampler.stop()
    assert spent.joules == pytest.approx(WATTS * (spent.seconds - spent.missing_s))


def test_the_thread_ends_when_it_is_stopped() -> None:
    gauge = Gauge(0.001)
    sampler = Sampler(gauge)
    sampler.start()
    (thread,) = [one for one in threading.enumerate() if one.name == "energy-meter"]
    assert gauge.often.wait(60)
    sampler.stop()
    thread.join(60)
    assert not thread.is_alive()


def test_a_start_counts_anew() -> None:
    sampler = Sampler(Gauge(60.0))
    sampler.start()
    sampler.read()
    time.sleep(0.01)
    assert sampler.read().joules > 0
    sampler.start()
    assert sampler.read().joules == 0
    sampler.stop()


def test_a_pause_of_the_program_is_missing_and_not_drawn_over() -> None:
    gauge = Gauge(0.001)
    sampler = Sampler(gauge)  # not started: nothing reads meanwhile
    before = sampler.read()
    time.sleep(2 * LATE * gauge.interval_s)
    spent = between(before, sampler.read())
    assert spent.joules == 0
    assert spent.missing_s == pytest.approx(spent.seconds)


def test_it_may_be_read_from_many_threads() -> None:
    sampler = Sampler(Gauge(0.001))
    sampler.start()
    before = sampler.read()
    readers = [threading.Thread(target=lambda: [sampler.read() for _ in range(50)]) for _ in "four"]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    spent = between(before, sampler.read())
    sampler.stop()
    assert spent.joules == pytest.approx(WATTS * (spent.seconds - spent.missing_s))
