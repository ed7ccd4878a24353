"""The suite of the long run: what is noted, what is judged, how it ends."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_slm.answer import Answer, Energy, Route, Usage
from edge_slm.assistant import Assistant
from edge_slm.bench import soak as suite
from edge_slm.bench.conditions import reading
from edge_slm.bench.soak_drift import Asked, Drift, drift, grows_without_bound
from edge_slm.cli import run
from edge_slm.errors import CrashError

MIX = (("question", "q"), ("translation", "t"))
MB = 1_000_000


def _asked(
    memories: Sequence[float], seconds: Callable[[int], float] = lambda _: 1.0
) -> list[Asked]:
    return [
        Asked("question", float(n), seconds(n), seconds(n), int(memory))
        for n, memory in enumerate(memories)
    ]


def _quarters(values: Sequence[float]) -> list[Sequence[float]]:
    size = len(values) // 4
    return [values[start : start + size] for start in range(0, 4 * size, size)]


@given(
    st.floats(1, 1000),
    st.lists(st.floats(0, 1), min_size=40, max_size=40),
)
def test_a_steady_leak_is_found_whatever_the_noise_below_it(
    leak: float, noise: list[float]
) -> None:
    values = [1e6 + leak * n + leak * part for n, part in enumerate(noise)]
    assert grows_without_bound(_quarters(values))


@given(st.lists(st.floats(0, 1e9), min_size=5, max_size=5))
def test_memory_that_does_what_it_did_in_each_quarter_before_is_bounded(
    rounds: list[float],
) -> None:
    assert not grows_without_bound([rounds] * 4)


def test_caches_that_fill_are_no_leak() -> None:
    filling = [1e9 + 1e8 * (1 - 0.9**n) for n in range(80)]
    assert not grows_without_bound(_quarters(filling))


def test_the_growth_is_told_per_hundred_requests() -> None:
    found = drift(_asked([MB * n for n in range(400)]), 1)
    assert found.growth_bytes == pytest.approx(100 * MB)
    assert found.endless is True


def test_growth_in_the_first_quarter_alone_is_none() -> None:
    found = drift(_asked([MB * min(n, 90) for n in range(400)]), 1)
    assert found.growth_bytes == 0
    assert found.endless is False


def test_a_run_that_slows_down_says_so() -> None:
    found = drift(_asked([MB] * 40, seconds=lambda n: 1.0 if n < 20 else 2.0), 1)
    assert found.speed == pytest.approx(0.5)
    assert found.cpu == pytest.approx(2.0)


@pytest.mark.parametrize("requests", [0, 1, 3])
def test_less_than_four_rounds_tell_nothing(requests: int) -> None:
    assert drift(_asked([MB] * requests), 1) == Drift()


def test_few_rounds_are_not_judged() -> None:
    found = drift(_asked([MB * n for n in range(16)]), 1)
    assert found.growth_bytes is not None
    assert found.endless is None


def test_rounds_that_all_failed_have_no_speed() -> None:
    failed = [Asked("question", 0.0, 1.0, 1.0, MB, failure="broken")] * 40
    assert drift(failed, 1).speed is None


class Scripted:
    """An assistant that answers as it is told to: a text, or what it raises."""

    def __init__(self, *answers: str | BaseException) -> None:
        self._answers = iter(answers)
        self.asked: list[str] = []

    def ask(self, text: str) -> Answer:
        self.asked.append(text)
        told = next(self._answers)
        if isinstance(told, BaseException):
            raise told
        return Answer(
            text=told,
            kind="written",
            task="hr_faq",
            language="fr",
            ai_generated=True,
            route=Route("hr_faq", 1.0, ""),
            usage=Usage(10, 0, 11),
            timings_ms={"first_token": 500.0, "total": 1500.0},
            energy=Energy(joules=2.0, low=1.0, high=4.0, method="estimate", scope="cpu"),
        )


def _soak(*answers: str | BaseException, minutes: float = 0.0) -> suite.Run:
    return suite.soak(cast(Assistant, Scripted(*answers)), MIX, minutes)


def test_at_least_one_round_is_asked() -> None:
    found = _soak("a", "b")
    assert [request.name for request in found.asked] == ["question", "translation"]
    assert not found.interrupted
    assert suite.tokens_per_s(found.asked) == pytest.approx(10.0)


def test_a_failure_is_noted_and_the_run_goes_on() -> None:
    found = _soak(CrashError("the model died"), "b")
    case = suite.whole_case(found, reading(), reading())
    assert case.more["failures"] == 1
    assert case.more["first_failure"] == "the model died"
    assert case.more["requests"] == 2
    assert not suite.sound(case)


def test_joules_of_all_answers_are_added() -> None:
    case = suite.whole_case(_soak("a", "b"), reading(), reading())
    assert (case.joules_low, case.joules, case.joules_high) == (2.0, 4.0, 8.0)
    assert case.joules_method == "estimate"
    assert suite.sound(case)


def test_no_answer_at_all_has_no_joules() -> None:
    case = suite.whole_case(_soak(OSError(), OSError("disk")), reading(), reading())
    assert case.joules is None
    assert case.tokens_per_s is None


def test_ctrl_c_ends_with_what_was_seen_so_far() -> None:
    minutes: list[suite.Minute] = []
    assistant = cast(Assistant, Scripted("a", KeyboardInterrupt()))
    found = suite.soak(assistant, MIX, 1.0, minutes.append)
    assert found.interrupted
    assert len(found.asked) == 1
    assert [len(minute.asked) for minute in minutes] == [1]


def test_an_answer_that_differs_from_the_first_is_counted() -> None:
    found = suite.Run(MIX)
    assistant = cast(Assistant, Scripted("a", "b", "a", "c"))
    for number in range(4):
        found.ask(assistant, MIX[number % 2], 0.0)
    assert found.changed == 1


def test_a_worker_that_comes_after_the_first_round_is_a_restart(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pids = iter([[1], [1, 2], [1, 2], [1, 3]])
    monkeypatch.setattr(suite, "descendants", lambda _: next(pids))
    monkeypatch.setattr(suite, "memory_now", lambda _: MB)
    found = suite.Run(MIX)
    assistant = cast(Assistant, Scripted(*"aaaa"))
    for number in range(4):
        found.ask(assistant, MIX[number % 2], 0.0)
    assert found.restarts == 1


def _command(monkeypatch: pytest.MonkeyPatch, *answers: str | BaseException) -> None:
    @contextmanager
    def assistant(_: str | None) -> Iterator[Scripted]:
        yield Scripted(*answers)

    monkeypatch.setattr(suite, "assistant_to_soak", assistant)
    monkeypatch.setattr(suite, "mix_of_this_machine", lambda: MIX)


SHORT = ["bench", "soak", "--minutes", "1"]


def test_a_run_without_a_fault_ends_well(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(suite, "MINUTE_S", 0.0)
    _command(monkeypatch, "a", "b")
    assert run(SHORT) == 0
    told = capsys.readouterr().out
    assert "minute 1: requests 1, failures 0" in told
    assert "too few rounds" in told


def test_json_is_all_that_standard_output_holds(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(suite, "MINUTE_S", 0.0)
    _command(monkeypatch, "a", "b")
    assert run([*SHORT, "--json"]) == 0
    told = capsys.readouterr()
    rows = [json.loads(line) for line in told.out.splitlines()]
    assert [row["case"] for row in rows][-1] == "whole"
    assert "minute 1" in told.err


def test_a_failed_request_fails_the_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(suite, "MINUTE_S", 0.0)
    monkeypatch.setenv("EDGE_SLM_LANG", "fr")
    _command(monkeypatch, CrashError("\x00 le modèle est mort"), "b")
    assert run(SHORT) == 1
    assert "Premier échec" in capsys.readouterr().out


def test_ctrl_c_leaves_the_figures_and_130(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    _command(monkeypatch, "a", KeyboardInterrupt())
    assert run([*SHORT, "--out", str(tmp_path)]) == 130
    assert "requests 1" in capsys.readouterr().out
    assert "whole" in (tmp_path / "results.jsonl").read_text()


def test_ctrl_c_before_the_first_answer_leaves_nothing_half_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _command(monkeypatch, KeyboardInterrupt())
    assert run([*SHORT, "--out", str(tmp_path / "out")]) == 130
    assert not (tmp_path / "out").exists()


def test_without_models_a_sentence_says_how_to_get_them(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(SHORT) == 3
    assert "edge-slm models pull" in capsys.readouterr().err


@pytest.mark.parametrize("minutes", ["0", "-3", "nan", "x", "1e9"])
def test_a_length_that_makes_no_sense_is_wrong_usage(minutes: str) -> None:
    assert run(["bench", "soak", "--minutes", minutes]) == 2


@pytest.mark.model
def test_a_round_of_the_real_mix_fails_nothing() -> None:
    with suite.assistant_to_soak(None) as assistant:
        found = suite.soak(assistant, suite.mix_of_this_machine(), 0.0)
    assert suite.failures(found.asked) == 0
    assert suite.tokens_per_s(found.asked)
