"""Switches, stops and crash drills over real processes with scripted engines."""

import sys
import threading
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import pytest

from edge_slm.bench.runtime import cancels, crashes, switches, workload
from edge_slm.bench.runtime.cpu_watch import CpuWatch
from edge_slm.engines.stopping import Stopped
from edge_slm.engines.workers import wire
from edge_slm.engines.workers.pool import Pool
from edge_slm.engines.workers.spec import Spec
from edge_slm.errors import EdgeSlmError, MissingError

FAKE = (sys.executable, str(Path(__file__).parents[2] / "engines" / "fake_worker.py"))
NEED = 1_000_000_000


@pytest.fixture
def spec(tmp_path: Path) -> Callable[..., Spec]:
    """Makes specs of scripted models."""

    def make(kind: wire.Kind = "chat", name: str = "m") -> Spec:
        path = tmp_path / name
        path.write_text("")
        return Spec(name, wire.Load(kind, bytes(path)), 2)

    return make


@pytest.fixture
def pool(monkeypatch: pytest.MonkeyPatch) -> Iterator[Pool]:
    """A pool with room for two models of NEED bytes."""
    monkeypatch.setattr("edge_slm.engines.workers.ledger.expected", lambda *_: NEED)
    monkeypatch.setattr("edge_slm.machine.resident_memory", lambda: 0)
    monkeypatch.setattr("edge_slm.machine.available_ram", lambda: 1 << 50)
    made = Pool(int(2.5 * NEED), command=FAKE)
    yield made
    made.close()


def test_switches_count_what_fails(
    pool: Pool, spec: Callable[..., Spec], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def job(_: Pool, one: Spec) -> workload.Job:
        def ask(random: Random) -> None:
            asked.append(one.model)
            if one.model == "bad":
                raise EdgeSlmError("no")

        return workload.Job(one, ask)

    monkeypatch.setattr(switches, "job", job)
    steps: list[int] = []
    row = switches.switches(pool, [spec(name=n) for n in ("a", "b", "bad")], 30, steps.append)
    assert row["switches"] == len(asked) == sum(steps) == 30
    assert all(one != next_ for one, next_ in pairwise(asked))
    assert row["failed"] == asked.count("bad") > 0
    assert row["failures"] == ["bad: no"] * 3
    assert row["budget_bytes"] == pool.budget < row["models_bytes"] == 3 * NEED
    assert row["peak_bytes"] > 0


def test_one_model_is_nothing_to_switch_between(pool: Pool, spec: Callable[..., Spec]) -> None:
    with pytest.raises(MissingError, match="two models"):
        switches.switches(pool, [spec()], 3)


def test_a_tight_budget_holds_each_model_and_not_all(
    monkeypatch: pytest.MonkeyPatch, spec: Callable[..., Spec]
) -> None:
    needs = {"a": 900_000_000, "b": 400_000_000, "c": 300_000_000}
    monkeypatch.setattr(
        "edge_slm.engines.workers.ledger.expected", lambda one, *_: needs[one.model]
    )
    monkeypatch.setattr("edge_slm.machine.resident_memory", lambda: 50_000_000)
    budget = switches.tight_budget([spec(name=name) for name in needs])
    assert 950_000_000 < budget < 50_000_000 + sum(needs.values())


def test_contexts_of_the_chat_model_stand_in_for_models(spec: Callable[..., Spec]) -> None:
    found = workload.several([spec("chat"), spec("embed", "e")], 4)
    contexts = [one.load.settings.context for one in found if one.kind == "chat"]
    assert contexts == [4096, 2048, 1024]
    assert len(set(found)) == 4
    assert workload.several([spec("embed", "e")], 4) == [spec("embed", "e")]


def _phase(work: Callable[[Callable[[], None]], None]) -> cancels.Phase:
    return cancels.Phase("decode", lambda: None, work, lambda _: 0.01)


def test_a_stop_that_comes_too_late_does_not_count() -> None:
    with CpuWatch() as watch:
        assert cancels.cancel(_phase(lambda mark: mark()), watch, Random(1)) is None


def test_a_stop_that_fails_is_told() -> None:
    release = threading.Event()

    def work(mark: Callable[[], None]) -> None:
        mark()
        release.wait(0.2)
        raise EdgeSlmError("it broke")

    with CpuWatch() as watch:
        one = cancels.cancel(_phase(work), watch, Random(1))
    assert one and one.failure == "it broke"


def test_a_stop_is_timed() -> None:
    from edge_slm.engines.workers.waiting import Patience

    def work(mark: Callable[[], None]) -> None:
        mark()
        patience = Patience()
        while True:
            patience.check()
            threading.Event().wait(patience.step())

    with CpuWatch() as watch:
        one = cancels.cancel(_phase(work), watch, Random(1))
    assert one and one.failure is None and one.idle_s is not None


def test_percentiles_are_times_that_were_measured() -> None:
    done = [cancels.Cancel("load", second / 100, None) for second in range(1, 101)]
    done += [cancels.Cancel("decode", None, None), cancels.Cancel("decode", 0.5, "it broke")]
    row = cancels.summary(done)
    assert (row["cancel_load_p50_ms"], row["cancel_load_p99_ms"]) == (500, 990)
    assert row["cancel_decode_p99_ms"] == 500
    assert (row["cancels"], row["cancels_never_idle"], row["cancels_failed"]) == (102, 1, 1)


def test_a_stop_raises_nothing_that_is_not_expected() -> None:
    def work(mark: Callable[[], None]) -> None:
        mark()
        raise Stopped

    with CpuWatch() as watch:
        one = cancels.cancel(_phase(work), watch, Random(1))
    assert one and one.failure is None


@pytest.mark.skipif(sys.platform == "win32", reason="no signals")
@pytest.mark.parametrize("name", ["SIGSEGV", "SIGKILL"])
def test_a_struck_worker_loses_one_request_at_most(
    pool: Pool, spec: Callable[..., Spec], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def requests(of: Pool, one: Spec) -> crashes.Request:
        from edge_slm.engines import Message
        from edge_slm.engines.workers.remote import RemoteChat

        chat = RemoteChat(of, one)
        return lambda: chat.stream([Message("user", "say a b c d\nsleep 0.1\nsay e")], 7)

    monkeypatch.setattr(crashes, "requests", requests)
    one = crashes.drill(pool, spec(), name)
    assert one.lost == 0
    assert one.failed <= 1
    assert one.orphans == 0


def test_lost_requests_are_those_beyond_the_one_at_work(
    monkeypatch: pytest.MonkeyPatch, spec: Callable[..., Spec], pool: Pool
) -> None:
    drills = iter([crashes.Drill("chat", name, 3, 2, 1.0, 0) for name in crashes.SIGNALS])
    monkeypatch.setattr(crashes, "drill", lambda *_: next(drills))
    row: dict[str, Any] = crashes.crashes(lambda: pool, [spec()])
    assert (row["crash_lost"], row["crash_in_flight_failed"]) == (6, 3)
    assert row["crash_drills"] == 3
