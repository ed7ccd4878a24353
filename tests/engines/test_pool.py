"""The pool: turns, the memory budget, workers that hang, and the end."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from edge_slm.engines.stopping import Stopped
from edge_slm.engines.workers.pool import Pool
from edge_slm.engines.workers.waiting import cancelled_by
from edge_slm.errors import BusyError, CrashError, EdgeSlmError
from tests.core.source_tree import ROOT
from tests.engines.conftest import FAKE, NEED, MakePool, Scripted, workers


def until(condition: Callable[[], bool]) -> None:
    """Wait for something that must come."""
    while not condition():
        time.sleep(0.01)


def in_thread(action: Callable[[], object]) -> tuple[threading.Thread, list[object]]:
    """Run an action in a thread; what it returns or raises is the only item of the list."""
    results: list[object] = []

    def run() -> None:
        try:
            results.append(action())
        except (EdgeSlmError, Stopped) as error:
            results.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, results


@pytest.fixture
def models(make_pool: MakePool, tmp_path: Path) -> Callable[..., list[Scripted]]:
    """Makes scripted models a, b, c… in a pool for a number of them."""

    def make(count: int, room: float, **options: object) -> list[Scripted]:
        pool = make_pool(room, **options)
        return [Scripted(pool, tmp_path, name) for name in "abcdefgh"[:count]]

    return make


def states(pool: Pool) -> dict[str, str]:
    """Return what each model does."""
    return {one.model: one.state for one in pool.status()}


def test_requests_for_one_model_are_served_in_their_order(model: Scripted) -> None:
    first = model.stream("say one\nsleep 60")
    next(first)
    threads, said = [], []
    for number in range(4):
        thread, result = in_thread(lambda n=number: said.append(model.say(f"say {n}")))  # type: ignore[misc]
        threads.append(thread)
        until(lambda n=number: model.status.waiting == n + 1)  # type: ignore[misc]
        assert result == []
    first.close()  # type: ignore[attr-defined]
    for thread in threads:
        thread.join()
    assert said == ["0 ", "1 ", "2 ", "3 "]
    assert model.status.requests == 5


def test_a_queue_that_is_full_says_busy(make_pool: MakePool, tmp_path: Path) -> None:
    model = Scripted(make_pool(queue=1), tmp_path)
    first = model.stream("say one\nsleep 60")
    next(first)
    thread, result = in_thread(lambda: model.say("say two"))
    until(lambda: model.status.waiting == 1)
    thread3, result3 = in_thread(lambda: model.say("say three"))
    thread3.join()
    assert isinstance(result3[0], BusyError)
    assert "1 requests wait" in str(result3[0])
    first.close()  # type: ignore[attr-defined]
    thread.join()
    assert result == ["two "]


def test_models_work_side_by_side(models: Callable[..., list[Scripted]]) -> None:
    a, b = models(2, 2)
    reply = a.stream("say one\nsleep 60")
    next(reply)
    assert b.say("say two") == "two "
    assert states(a.pool) == {"a": "busy", "b": "idle"}


def test_the_model_not_used_for_longest_makes_room(models: Callable[..., list[Scripted]]) -> None:
    a, b, c = models(3, 2)
    pids = [int(model.say("pid")) for model in (a, b)]
    a.say("say again")
    c.say("say hello")
    assert states(a.pool) == {"a": "idle", "b": "absent", "c": "idle"}
    assert psutil.pid_exists(pids[0])
    assert not psutil.pid_exists(pids[1])
    assert b.say("say back") == "back "
    assert states(a.pool) == {"a": "absent", "b": "idle", "c": "idle"}
    assert [one.restarts for one in a.pool.status()] == [0, 0, 0]


def test_what_is_set_aside_never_passes_the_budget(models: Callable[..., list[Scripted]]) -> None:
    scripted = models(5, 2.5)
    for turn in range(12):
        scripted[(turn * 3) % 5].say("say x")
        assert scripted[0].pool.used <= scripted[0].pool.budget
        assert len(workers()) <= 2


def test_pinned_models_stay(models: Callable[..., list[Scripted]]) -> None:
    a, b, c = models(3, 2, pinned=["a"])
    for model in (a, b, c, b, c):
        model.say("say x")
    assert states(a.pool) == {"a": "idle", "b": "absent", "c": "idle"}
    assert [one.pinned for one in a.pool.status()] == [True, False, False]


def test_a_model_that_can_never_fit_is_refused_with_numbers(
    models: Callable[..., list[Scripted]],
) -> None:
    (a,) = models(1, 0.5)
    with pytest.raises(EdgeSlmError, match=r"a needs 1\.0 GB .* budget is 500\.0 MB;"):
        a.say("say x")
    a, b = models(2, 1.5, pinned=["a"])
    a.say("say x")
    with pytest.raises(
        EdgeSlmError, match=r"b needs 1\.0 GB .* is 1\.5 GB, of which 1\.0 GB is pinned: a;"
    ):
        b.say("say x")
    assert a.say("say on") == "on "


def test_a_machine_without_room_is_told_apart(
    models: Callable[..., list[Scripted]], monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = models(2, 9)
    a.say("say x")
    monkeypatch.setattr("edge_slm.machine.available_ram", lambda: NEED // 2)
    with pytest.raises(EdgeSlmError, match=r"b needs 1\.0 GB, .* 500\.0 MB free"):
        b.say("say x")
    assert states(a.pool)["a"] == "absent"  # it made room first


def test_a_model_at_work_is_waited_for(models: Callable[..., list[Scripted]]) -> None:
    a, b = models(2, 1)
    reply = a.stream("say one\nsleep 60")
    next(reply)
    thread, result = in_thread(lambda: b.say("say two"))
    until(lambda: any(one.model == "b" and one.requests for one in a.pool.status()))
    time.sleep(0.2)
    assert result == []
    reply.close()  # type: ignore[attr-defined]
    thread.join()
    assert result == ["two "]
    assert states(a.pool) == {"a": "absent", "b": "idle"}


def test_waiting_for_memory_can_be_cancelled(models: Callable[..., list[Scripted]]) -> None:
    a, b = models(2, 1)
    reply = a.stream("say one\nsleep 60")
    next(reply)
    event = threading.Event()

    def ask() -> str:
        with cancelled_by(event):
            return b.say("say two")

    thread, result = in_thread(ask)
    until(lambda: len(a.pool.status()) == 2)
    event.set()
    thread.join()
    assert isinstance(result[0], Stopped)
    reply.close()  # type: ignore[attr-defined]
    assert b.say("say two") == "two "


def test_a_thread_never_waits_for_what_it_holds_itself(
    models: Callable[..., list[Scripted]],
) -> None:
    a, b = models(2, 1)
    reply = a.stream("say one\nsleep 60")
    next(reply)
    for model in (a, b):
        with pytest.raises(BusyError, match="a is still being read"):
            model.say("say x")
    reply.close()  # type: ignore[attr-defined]
    assert b.say("say x") == "x "


def test_a_worker_that_grows_beyond_what_was_set_aside_makes_others_go(
    models: Callable[..., list[Scripted]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "edge_slm.engines.workers.ledger.expected", lambda spec, order=None: 60_000_000
    )
    a, b = models(2, 0.2)
    a.say("say x")
    b.say("take 120")
    assert states(a.pool) == {"a": "absent", "b": "idle"}
    (_, big) = a.pool.status()
    assert big.reserved == big.measured > 120_000_000


def test_models_that_died_idle_cost_nothing(models: Callable[..., list[Scripted]]) -> None:
    a, b = models(2, 2)
    pid = int(a.say("pid"))
    os.kill(pid, signal.SIGKILL)
    assert b.say("say x") == "x "
    assert a.say("say back") == "back "
    assert [one.restarts for one in a.pool.status()] == [1, 0]


def test_a_crash_loses_nothing_but_the_request_in_flight(model: Scripted) -> None:
    first = model.stream("say one\nsignal SIGSTOP")
    next(first)
    waiting = []
    for number in range(3):
        waiting.append(in_thread(lambda n=number: model.say(f"say {n}")))  # type: ignore[misc]
        until(lambda n=number: model.status.waiting == n + 1)  # type: ignore[misc]
    (child,) = workers()
    child.kill()
    with pytest.raises(CrashError):
        list(first)
    for thread, _ in waiting:
        thread.join()
    assert [result for _, (result,) in waiting] == ["0 ", "1 ", "2 "]


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take a worker for dead soon."""
    monkeypatch.setattr("edge_slm.engines.workers.process.QUIET", 0.3)
    monkeypatch.setattr("edge_slm.engines.workers.process.HANGING", 0.7)


@pytest.mark.usefixtures("impatient")
def test_a_worker_that_hangs_is_ended_and_the_request_tried_again(model: Scripted) -> None:
    assert model.say("once signal SIGSTOP\nsay well") == "well "
    with pytest.raises(CrashError, match="no sign of life"):
        model.say("signal SIGSTOP")
    assert model.say("say on") == "on "


@pytest.mark.usefixtures("impatient")
def test_a_worker_that_computes_for_long_is_no_worker_that_hangs(model: Scripted) -> None:
    assert model.say("compute 2.5\nsay done") == "done "
    assert model.status.restarts == 0


@pytest.mark.usefixtures("impatient")
def test_a_long_prompt_to_a_worker_that_hangs_blocks_nobody(model: Scripted) -> None:
    pid = int(model.say("pid"))
    os.kill(pid, signal.SIGSTOP)
    assert model.say("say well\n" + "# \n" * 1_000_000) == "well "
    assert model.status.restarts == 1


def test_loading_in_the_background_serves_the_next_request(model: Scripted) -> None:
    model.chat.warm_up()
    model.chat.warm_up()
    until(lambda: model.status.state == "idle")
    assert model.status.requests == 1
    (child,) = workers()
    assert model.say("pid") == str(child.pid)


def test_loading_in_the_background_says_nothing_when_it_fails(
    make_pool: MakePool, tmp_path: Path
) -> None:
    model = Scripted(make_pool(), tmp_path, script="usage Not a model.")
    model.chat.warm_up()
    until(lambda: model.status.requests == 1 and model.status.state == "absent")
    with pytest.raises(EdgeSlmError, match=r"^Not a model\.$"):
        model.say("say x")
    assert not workers()


def test_who_cancels_while_it_loads_in_the_background_stops_that_too(
    make_pool: MakePool, tmp_path: Path
) -> None:
    model = Scripted(make_pool(), tmp_path, script="compute 60")
    model.chat.warm_up()
    until(lambda: bool(workers()))
    event = threading.Event()
    threading.Timer(0.3, event.set).start()
    with cancelled_by(event), pytest.raises(Stopped):
        model.say("say x")
    until(lambda: not workers())


def test_memory_is_given_back_on_demand(model: Scripted) -> None:
    model.chat.close()
    model.say("say x")
    model.chat.close()
    assert not workers()
    assert model.pool.used == 0
    assert model.say("say y") == "y "


def test_closing_ends_all_and_refuses_more(models: Callable[..., list[Scripted]]) -> None:
    a, b = models(2, 2)
    reply = a.stream("say one\ncompute 60")
    next(reply)
    b.say("say x")
    a.pool.close()
    a.pool.close()
    assert not workers()
    with pytest.raises(EdgeSlmError):
        list(reply)
    with pytest.raises(EdgeSlmError, match="are closed"):
        b.say("say x")


def test_closing_reaches_what_is_loading(make_pool: MakePool, tmp_path: Path) -> None:
    model = Scripted(make_pool(), tmp_path, script="compute 60")
    thread, result = in_thread(lambda: model.say("say x"))
    until(lambda: bool(workers()))
    model.pool.close()
    thread.join()
    assert isinstance(result[0], EdgeSlmError)
    assert not workers()


def test_a_pool_that_nobody_holds_ends_its_workers(tmp_path: Path) -> None:
    model = Scripted(Pool(1 << 50, command=FAKE), tmp_path)
    model.say("say x")
    assert workers()
    del model
    until(lambda: not workers())


PARENT = """
import sys
from pathlib import Path
from edge_slm.engines.workers.pool import Pool
from tests.engines.conftest import Scripted, FAKE
model = Scripted(Pool(1 << 50, command=FAKE), Path(sys.argv[1]))
pieces = model.stream(sys.argv[2])
print(next(pieces), flush=True)
next(pieces)
"""


@pytest.mark.parametrize("script", ["pid\nsleep 600", "pid\ncompute 600"])
def test_no_worker_outlives_its_program(tmp_path: Path, script: str) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path), script],
        stdout=subprocess.PIPE,
        cwd=ROOT,
    )
    assert parent.stdout
    worker = psutil.Process(int(parent.stdout.readline()))
    parent.kill()
    parent.wait()
    parent.stdout.close()
    with suppress(psutil.NoSuchProcess):
        until(lambda: not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE)


def test_a_script_without_a_main_guard_can_use_the_pool(tmp_path: Path) -> None:
    script = PARENT.replace("next(pieces)\n", "").replace("print(", "print(next(pieces)) #")
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path), "say one"],
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert (done.stdout, done.stderr) == ("one \n", "")


def test_many_threads_and_models_share_a_small_budget(
    models: Callable[..., list[Scripted]],
) -> None:
    scripted = models(4, 2)
    jobs = []
    for number in range(24):
        model = scripted[number % 4]
        jobs.append(in_thread(lambda m=model, n=number: m.say(f"say {n}")))  # type: ignore[misc]
    for thread, _ in jobs:
        thread.join()
    assert [result for _, result in jobs] == [[f"{n} "] for n in range(24)]
    assert len(workers()) <= 2
