"""Runs, their medians and intervals, and the line of a benchmark that they make."""

import itertools
import math
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as some

from edge_slm.answer import Energy, Usage
from edge_slm.bench.measure import Runs, case_of, interval, repeated
from edge_slm.energy.accounts import Bill

Metered = Callable[[], AbstractContextManager[Bill]]


def billing(bills: Sequence[Bill]) -> Metered:
    """Return a stand-in for `metered` that hands out bills made by hand, in turn."""
    turn = itertools.cycle(bills)

    @contextmanager
    def metered() -> Iterator[Bill]:
        yield next(turn)

    return metered


def bill(seconds: float, cpu_seconds: float, joules: float | None = None, **more: object) -> Bill:
    low, high = (None, None) if joules is None else (joules - 1, joules + 1)
    facts = {"method": "rapl", "scope": "package", **more}
    known = facts if joules is not None else {}
    energy = Energy(joules=joules, low=low, high=high, cpu_seconds=cpu_seconds, **known)  # type: ignore[arg-type]
    return Bill(energy=energy, seconds=seconds)


@pytest.fixture
def billed(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Runs[None]]:
    def runs(*bills: Bill) -> Runs[None]:
        monkeypatch.setattr("edge_slm.energy.accounts.metered", billing(bills))
        return repeated(lambda: None, repeats=len(bills))

    return runs


def test_it_runs_as_often_as_asked_and_keeps_what_the_timed_runs_gave() -> None:
    numbers, steps = itertools.count(), list[int]()
    runs = repeated(lambda: next(numbers), repeats=3, warmup=2, advance=steps.append)
    assert runs.outcomes == [2, 3, 4]
    assert steps == [1] * 5
    assert all(run.seconds > 0 and run.energy.cpu_seconds is not None for run in runs.runs)


@pytest.mark.parametrize("warmup", [0, 1])
def test_memory_is_seen_in_the_warm_up_and_without_one_in_the_runs(warmup: int) -> None:
    def hold() -> int:
        held = bytes(200_000_000).replace(b"\0", b"\1")
        time.sleep(1)  # a peak that is gone before it is looked for is missed
        return len(held)

    small = repeated(lambda: None, repeats=1, warmup=warmup).runs[0].peak_bytes
    large = repeated(hold, repeats=1, warmup=warmup).runs[0].peak_bytes
    assert large - small > (150_000_000 if warmup else -1)
    assert small > 1_000_000


def test_what_a_run_raises_goes_to_the_caller() -> None:
    def fails() -> None:
        raise KeyError("mine")

    for warmup in (0, 1):
        with pytest.raises(KeyError):
            repeated(fails, repeats=2, warmup=warmup)


@pytest.mark.parametrize(("repeats", "warmup"), [(0, 1), (-1, 0), (1, -1)])
def test_fewer_than_one_run_is_a_mistake_of_the_caller(repeats: int, warmup: int) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        repeated(lambda: None, repeats=repeats, warmup=warmup)


@pytest.mark.parametrize(
    ("count", "low", "high", "coverage"),
    [
        (2, 1, 2, 0.5),
        (3, 1, 3, 0.75),
        (5, 1, 5, 0.9375),
        (6, 1, 6, 0.96875),
        (10, 2, 9, 0.9785),  # the classic table: ranks 2 and 9 of 10
        (20, 6, 15, 0.9586),
        (100, 40, 61, 0.9648),
    ],
)
def test_the_interval_is_that_of_the_binomial_table(
    count: int, low: int, high: int, coverage: float
) -> None:
    values = list(range(1, count + 1))
    random.Random(3).shuffle(values)
    found = interval(values)
    assert (found.low, found.high) == (low, high)
    assert found.coverage == pytest.approx(coverage, abs=1e-4)
    assert found.median == (count + 1) / 2


def test_one_value_bounds_nothing() -> None:
    assert interval([3.5]) == type(interval([3.5]))(3.5, None, None, None)


@given(some.lists(some.floats(-1e9, 1e9), min_size=2, max_size=60))
def test_the_median_lies_in_its_interval(values: list[float]) -> None:
    found = interval(values)
    assert found.low is not None and found.high is not None and found.coverage is not None
    assert min(values) <= found.low <= found.median <= found.high <= max(values)
    assert found.coverage >= 0.95 or len(values) < 6


def test_the_interval_covers_the_true_median_as_often_as_it_says() -> None:
    chance = random.Random(7)
    for count in (4, 9, 15):
        trials, inside = 4000, 0
        for _ in range(trials):
            found = interval([chance.expovariate(1) for _ in range(count)])
            assert found.low is not None and found.high is not None
            inside += found.low <= math.log(2) <= found.high
        expected = found.coverage or 0
        deviation = math.sqrt(expected * (1 - expected) / trials)
        assert abs(inside / trials - expected) < 5 * deviation


def test_a_case_holds_medians_and_what_bounds_them(billed: Callable[..., Runs[None]]) -> None:
    runs = billed(bill(2, 3, 30), bill(4, 5, 10), bill(3, 4, 20))
    case = case_of(
        "tasks",
        "hr",
        runs,
        model="small",
        usage=Usage(100, 60, 41),
        first_token_s=1.0,
        answers=1,
        correct=1,
        more={"own": 1},
    )
    assert (case.seconds, case.seconds_low, case.seconds_high, case.repeats) == (3, 2, 4, 3)
    assert (case.cpu_seconds, case.more["cpu_seconds_low"], case.more["cpu_seconds_high"]) == (
        4,
        3,
        5,
    )
    assert case.more["interval_coverage"] == 0.75 and case.more["own"] == 1
    assert (case.joules, case.joules_low, case.joules_high) == (20, 9, 31)
    assert (case.joules_method, case.joules_scope) == ("rapl", "package")
    assert case.watts == pytest.approx(20 / 3)
    assert (case.prompt_tokens, case.cached_tokens, case.tokens) == (100, 60, 41)
    assert case.tokens_per_s == pytest.approx(40 / 2)
    assert case.machine.id and case.versions["edge_slm"] and case.date and case.command


def test_a_speed_is_not_reckoned_for_several_answers(billed: Callable[..., Runs[None]]) -> None:
    runs = billed(bill(2, 3))
    several = case_of("tasks", "hr", runs, usage=Usage(9, 0, 41), first_token_s=1.0, answers=10)
    assert several.tokens_per_s is None


def test_where_nothing_was_measured_there_are_no_joules(billed: Callable[..., Runs[None]]) -> None:
    case = case_of("tasks", "hr", billed(bill(2, 3)))
    assert (case.joules, case.joules_method, case.watts, case.seconds_low) == (
        None,
        None,
        None,
        None,
    )
    assert "interval_coverage" not in case.more


@pytest.mark.parametrize(
    "other",
    [bill(2, 3), bill(2, 3, 9.0, method="estimate", scope="cpu"), bill(2, 3, 9, scope="wall")],
)
def test_joules_of_two_kinds_are_not_mixed(billed: Callable[..., Runs[None]], other: Bill) -> None:
    case = case_of("tasks", "hr", billed(bill(2, 3, 30), other, bill(2, 3, 31)))
    assert case.joules is None and case.joules_method is None
    assert "not every run was measured in the same way" in case.conditions.note


def test_what_was_wrong_with_the_meter_is_noted_once(billed: Callable[..., Runs[None]]) -> None:
    bills = [bill(2, 3, 30), bill(2, 3, 30)]
    for one in bills:
        one.faults = ("The counter stood still.",)
    note = case_of("tasks", "hr", billed(*bills)).conditions.note
    assert note.count("The counter stood still") == 1


def test_a_name_of_a_file_that_is_no_text_does_not_break_the_command(
    billed: Callable[..., Runs[None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["edge-slm", "bench", "tasks", "caf\udce9"])
    case = case_of("tasks", "hr", billed(bill(1, 1)))
    assert case.command == "edge-slm bench tasks caf�"
