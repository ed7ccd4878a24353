"""Peers side by side: runners that work, those that misbehave, what is said of the figures."""

import os
import sys
import wave
from pathlib import Path
from typing import Any

import msgspec
import psutil
import pytest
from click.testing import CliRunner

from edge_slm.answer import Energy, Usage
from edge_slm.bench.conditions import conditions, reading
from edge_slm.bench.measure import Run, Runs
from edge_slm.bench.peers import catalogue, contenders, suite, verdict
from edge_slm.bench.peers.contenders import OURS, Contender
from edge_slm.bench.peers.questions import Question
from edge_slm.bench.peers.rounds import Asked, rounds
from edge_slm.bench.peers.runner import Runner
from edge_slm.bench.record import Case
from edge_slm.bench.runtime.peer import Peer, peers_dir
from edge_slm.bench.runtime.timing import Timed
from edge_slm.cli import bench
from edge_slm.errors import EdgeSlmError, UsageError
from edge_slm.profiles import PROFILES

FAKE = Peer(
    "fake", "1", "by hand", (sys.executable, str(Path(__file__).with_name("fake_runner.py")))
)
EIFFEL = Question("question", "La tour Eiffel a été inaugurée en 1889.", "Quand ?", "1889")
ANSWER = "Elle a été inaugurée en 1889, et elle est à Paris depuis ce temps."


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda *_, **__: str(tmp_path / "cache"))
    monkeypatch.setenv("EDGE_SLM_LANG", "en")


def start(deed: str, tmp_path: Path, **limits: float) -> Runner:
    return Runner(
        FAKE, Path(f"{deed}.gguf"), threads=2, context=512, work=tmp_path / "work", **limits
    )


def test_a_runner_answers_and_is_gone_when_closed(tmp_path: Path) -> None:
    runner = start("words", tmp_path)
    assert runner.note == "made up"
    for number in range(3):
        said = runner.ask({"text": f"n° {number} ✓", "max_tokens": 5})
        assert (said.text[-6:], said.completion_tokens) == (f"n° {number} ✓", 5)
    runner.close()
    assert not psutil.pid_exists(runner.pid)


def test_a_runner_that_crashes_is_a_sentence_with_its_last_words(tmp_path: Path) -> None:
    runner = start("crash", tmp_path)
    with pytest.raises(EdgeSlmError, match=r"fake failed \(segmentation fault"):
        runner.ask({"text": "x"})
    assert not psutil.pid_exists(runner.pid)


def test_a_runner_that_hangs_is_ended_with_what_it_started(tmp_path: Path) -> None:
    runner = start("hang", tmp_path, answer_s=1.5)
    with pytest.raises(EdgeSlmError, match="no word in 2 s"):
        runner.ask({"text": "x"})
    child = int((tmp_path / "work").read_text())
    for pid in (runner.pid, child):
        gone = not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
        assert gone


@pytest.mark.parametrize(
    ("deed", "words"),
    [
        ("garbage", "no JSON: 'here you are"),
        ("binary", "no JSON"),
        ("huge", "a line without an end"),
    ],
)
def test_a_runner_that_says_no_answer_is_ended(deed: str, words: str, tmp_path: Path) -> None:
    runner = start(deed, tmp_path)
    with pytest.raises(EdgeSlmError, match=words):
        runner.ask({"text": "x"})
    assert not psutil.pid_exists(runner.pid)


def test_a_runner_that_says_what_went_wrong_may_be_asked_again(tmp_path: Path) -> None:
    runner = start("complain", tmp_path)
    for _ in range(2):
        with pytest.raises(EdgeSlmError, match="too long"):
            runner.ask({"text": "x"})
    runner.close()


@pytest.mark.parametrize(
    ("deed", "words"), [("refuse", "no such form of blocks"), ("leave", "out of memory")]
)
def test_a_runner_that_cannot_load_says_why(deed: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(EdgeSlmError, match=words):
        start(deed, tmp_path)


def test_a_peer_whose_program_is_gone_is_a_sentence(tmp_path: Path) -> None:
    gone = Peer("fake", "1", "by hand", (str(tmp_path / "nothing"),))
    with pytest.raises(EdgeSlmError, match=r"make_peer\.py fake"):
        Runner(gone, Path("words.gguf"), threads=1, context=1, work=tmp_path)


def test_the_clock_of_a_runner_is_its_own(tmp_path: Path) -> None:
    runner = start("words", tmp_path)
    reply = contenders.asked(runner, {"text": "Bonjour", "max_tokens": 64})
    assert (reply.first_s, reply.total_s) == (0.001, 0.002)
    assert reply.usage == Usage(9, 0, 64)
    runner.close()


def test_who_fails_is_left_out_and_the_others_go_on() -> None:
    order: list[str] = []
    left_out: list[str] = []

    def asking(name: str, fails_at: int | None = None) -> Asked[int]:
        def run(number: int) -> int:
            order.append(name)
            if number == fails_at:
                raise EdgeSlmError(f"{name} is gone")
            return number

        return Asked(name, os.getpid(), run)

    done = rounds([asking("a"), asking("b", 1), asking("c")], 2, left_out.append)
    assert {name: runs.outcomes for name, runs in done.items()} == {"a": [1, 2], "c": [1, 2]}
    assert left_out == ["b is gone"]
    assert order == ["a", "b", "c", "b", "c", "a", "a", "c"]  # another begins each round
    assert done["a"].runs[0].peak_bytes > 0


def runs_of(*texts: str, first_s: float = 1.0, cpu_s: float = 2.0, tokens: int = 64) -> Runs[Timed]:
    replies = [Timed(text, first_s, first_s + 3.0, Usage(50, 0, tokens)) for text in texts]
    around = conditions(reading(), reading())
    return Runs(
        tuple(Run(r, r.total_s, Energy(cpu_seconds=cpu_s), 1000) for r in replies), around, 1
    )


def line(name: str, runs: Runs[Timed], *, exact: bool = False) -> Case:
    contender = Contender(name, lambda *_: runs.outcomes[0], exact)
    return suite._line(EIFFEL, contender, runs, "m", [ANSWER] * len(runs.runs))


def test_a_line_tells_who_answered_and_whether_rightly() -> None:
    case = line("transformers", runs_of(ANSWER, ANSWER, "Je ne sais pas du tout."))
    assert (case.contender, case.answers, case.correct, case.tokens) == ("transformers", 1, 1, 64)
    assert case.more["same_texts"] == 2
    assert case.more["sound"]
    assert case.tokens_per_s == pytest.approx(21)


@pytest.mark.parametrize("text", ["", "1.1.1.1.1.", "!!! ???", "This is what the answer would be."])
def test_what_is_no_french_is_not_sound(text: str) -> None:
    assert not EIFFEL.sound(text)
    assert not EIFFEL.right(text + "1889")


def test_where_a_peer_wins_a_sentence_says_so_with_the_ratio() -> None:
    ours = line(OURS, runs_of(ANSWER, ANSWER))
    theirs = line("openvino-genai", runs_of(ANSWER, ANSWER, first_s=0.5, cpu_s=3.0))
    (said,) = verdict.sentences([ours, theirs])
    assert said == "question: openvino-genai beats us: our first word takes 2.00 times as long."


def test_a_win_within_the_spread_and_another_length_are_told() -> None:
    ours = line(OURS, runs_of(ANSWER))
    fast = line("xllamacpp", runs_of(ANSWER, cpu_s=1.0, tokens=10))
    fast = msgspec.structs.replace(fast, more={**fast.more, "cpu_seconds_range": [0.5, 2.5]})
    (said,) = verdict.sentences([ours, fast])
    assert said.endswith(
        "2.00 times its processor time (within the spread of the runs); it wrote 10 tokens, we 64."
    )


def test_nonsense_written_fast_is_no_win() -> None:
    ours = line(OURS, runs_of(ANSWER))
    nonsense = line("onnxruntime-genai", runs_of("1.1.1.1.", first_s=0.1))
    assert verdict.sentences([ours, nonsense]) == []


def test_of_peers_that_read_our_file_it_is_told_how_often_they_wrote_our_words() -> None:
    ours = line(OURS, runs_of(ANSWER, ANSWER), exact=True)
    same = line("llama-server", runs_of(ANSWER, "Elle date de 1889."), exact=True)
    other = line("transformers", runs_of(ANSWER, ANSWER))
    assert verdict.agreement([ours, same, other]) == [
        "question: llama-server reads the same file: the same words as ours in 1 of 2 runs."
    ]


def test_an_equal_peer_is_no_win() -> None:
    ours = line(OURS, runs_of(ANSWER))
    assert verdict.sentences([ours, line("xllamacpp", runs_of(ANSWER, first_s=0.9999))]) == []


def test_a_peer_that_alone_is_right_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = line(OURS, runs_of("Je ne sais pas du tout.")), line("b", runs_of(ANSWER))
    (said,) = verdict.sentences([ours, theirs])
    assert "its answer holds the word expected" in said
    monkeypatch.setenv("EDGE_SLM_LANG", "fr")
    assert "nous bat" in verdict.sentences([ours, theirs])[0]


def test_a_peer_that_writes_nothing_is_left_out() -> None:
    left_out: list[str] = []
    silent = Contender("mute", lambda *_: Timed(" \n", 1, 2, Usage()), exact=False)
    us = Contender(OURS, lambda *_: Timed(ANSWER, 1, 2, Usage(1, 0, 9)), exact=True)
    present = [suite._Present(us, os.getpid()), suite._Present(silent, os.getpid())]
    done = suite._rounds(present, EIFFEL, 1, left_out.append, lambda _: None)
    assert list(done) == [OURS]
    assert left_out == ["question: mute wrote nothing: left out."]


def test_all_are_asked_the_same_in_a_round_and_something_new_in_the_next() -> None:
    heard: dict[str, list[Any]] = {"a": [], OURS: []}

    def contender(name: str) -> suite._Present:
        def ask(messages: Any, _: int) -> Timed:
            heard[name].append(messages)
            return Timed(ANSWER, 1, 2, Usage(1, 0, 9))

        return suite._Present(Contender(name, ask, exact=False), os.getpid())

    suite._rounds([contender(OURS), contender("a")], EIFFEL, 2, print, lambda _: None)
    assert heard["a"] == heard[OURS]
    assert len({messages[0].content for messages in heard["a"]}) == 3


def test_a_peer_not_made_is_left_out_with_how_to_make_it() -> None:
    assert catalogue.made("openvino-genai") is None
    assert "make_peer.py openvino-genai" in catalogue.absent("openvino-genai")


@pytest.mark.parametrize("content", [b"", b"\xff\x00", b"[]", b'{"name":"x"}'])
def test_a_damaged_peer_is_no_peer(content: bytes) -> None:
    folder = peers_dir() / "openvino-genai"
    folder.mkdir(parents=True)
    (folder / "peer.json").write_bytes(content)
    assert catalogue.made("openvino-genai") is None


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--peer", "nobody"], "nobody"),
        (["--peer", "pywhispercpp"], "add --speech"),
        (["--speech", "--peer", "transformers"], "leave --speech out"),
        (["--speech", "--model", "x"], "leave --model out"),
        (["--repeat", "0"], "--repeat"),
        (["--model", "no-such-model"], "no-such-model"),
    ],
)
def test_a_wrong_option_is_one_sentence(words: list[str], said: str) -> None:
    result = CliRunner().invoke(bench.command, ["peers", *words])
    assert isinstance(result.exception, SystemExit | UsageError)
    assert said in f"{result.output} {result.exception}"


def test_the_sound_of_a_sample_is_what_whisper_hears(tmp_path: Path) -> None:
    from edge_slm.bench.peers import speech

    (path,) = (one for one in speech._recordings() if one.stem == "question")
    with wave.open(str(speech._decoded(path, tmp_path))) as file:
        form = (file.getnchannels(), file.getsampwidth(), file.getframerate())
        assert form == (1, 2, 16000)
        assert file.getnframes() > 16000


@pytest.mark.model
def test_our_engine_and_a_runner_answer_side_by_side(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "made", lambda _: FAKE)
    left_out: list[str] = []
    cases = suite.chat(PROFILES["lite"][0], ["transformers"], 1, left_out.append)
    assert {(case.case, case.contender) for case in cases} >= {("question", OURS)}
    assert "transformers" in {case.contender for case in cases}
    assert all(case.cpu_seconds > 0 and case.peak_bytes for case in cases)
