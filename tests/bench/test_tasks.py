"""The suite `tasks`: its parts on fakes, its samples, its options, and a run on a real model."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from edge_slm.answer import Answer, Energy, ModelUsed, Route, Usage
from edge_slm.assistant import Assistant
from edge_slm.bench import tasks, tasks_hr, tasks_speech
from edge_slm.bench.collecting import collected
from edge_slm.bench.measure import Run, Runs
from edge_slm.bench.record import Case, Conditions
from edge_slm.bench.tasks_runs import Plan, joined, total, writing
from edge_slm.bench.tasks_translation import read_segments
from edge_slm.cli import bench, run
from edge_slm.cli.bench import tasks as command
from edge_slm.engines import ChatEngine, Embedder
from edge_slm.engines.loaded import Engines
from edge_slm.errors import CrashError, MissingError, UsageError
from edge_slm.kb import approvals
from edge_slm.kb.base import KnowledgeBase
from edge_slm.paths import examples_dir
from edge_slm.profiles import PROFILES
from tests.bench.cases import a_case
from tests.fakes import FakeEmbedder, ScriptedChat

SMALLEST = PROFILES["lite"][0]  # what make test brings
SEGMENTS = examples_dir() / "translation" / "segments.tsv"
WANTED = {
    "suite", "case", "seconds", "cpu_seconds", "peak_bytes", "tokens", "joules", "joules_method",
    "machine", "versions",
}  # fmt: skip


class FakeEngines(Engines):
    """Engines whose embedder is a fake and whose chat model follows a script."""

    def __init__(self, *_: Any) -> None:
        """Load nothing."""
        super().__init__()
        self.chats: list[ScriptedChat] = []

    def embedder(self, model: str = "fake") -> Embedder:
        """Return the fake."""
        return FakeEmbedder()

    def chat(self, model: str | None = None) -> tuple[ChatEngine, ModelUsed]:
        """Return a chat model that says the same again and again."""
        self.chats.append(ScriptedChat(["Oui, 25 jours [1]."] * 9))
        return self.chats[-1], ModelUsed("scripted", "0" * 64, "none")


NO_TOKEN = Usage()


def answer(text: str, usage: Usage = NO_TOKEN, **times: float) -> Answer:
    return Answer(
        text=text,
        kind="translation",
        task="translation",
        language="en",
        ai_generated=True,
        route=Route("translation", 1.0, ""),
        usage=usage,
        timings_ms=times,
    )


def runs_of(value: str, **conditions: Any) -> Runs[str]:
    timed = Run(value, 1.0, Energy(cpu_seconds=1.0), 1)
    return Runs((timed,), Conditions(load=1.0, **conditions))


def test_the_command_knows_all_parts() -> None:
    assert tuple(tasks.PARTS) == command.PARTS


def test_it_is_the_suite_that_runs_when_none_is_named() -> None:
    assert bench.DEFAULT == "tasks"


def test_runs_made_anew_count_as_repeats_of_one_case() -> None:
    first = runs_of("a", mhz=(3000.0, 2000.0), throttled=1, note="load 3")
    last = runs_of("b", mhz=(2500.0, 1500.0), throttled=2, note="load 3")
    both = joined([first, last])
    assert both.outcomes == ["a", "b"]
    assert both.conditions.mhz == (3000.0, 1500.0)
    assert (both.conditions.throttled, both.conditions.note) == (3, "load 3")
    assert joined([runs_of("a"), runs_of("b")]).conditions.throttled is None


def test_the_speed_of_writing_leaves_the_reading_out() -> None:
    pair = [
        answer("a", Usage(10, 0, 11), first_token=500.0, total=1500.0),
        answer("b", Usage(10, 4, 21), first_token=1500.0, total=2500.0),
    ]
    assert writing(pair) == {"first_token_s": 1.0, "tokens_per_s": 15.0}
    assert total(pair) == Usage(20, 4, 32)
    assert writing([answer("a")]) == {"first_token_s": None, "tokens_per_s": None}


def test_a_part_that_stops_keeps_its_cases_and_stops_no_other() -> None:
    def breaking() -> Iterator[Case]:
        yield a_case(case="one")
        raise CrashError("gone")

    def lacking() -> Iterator[Case]:
        raise MissingError("no model")

    cases, stopped = collected(
        [("a", breaking), ("b", lacking), ("c", lambda: [a_case(case="two")])]
    )
    assert [one.case for one in cases] == ["one", "two"]
    assert [(name, str(error)) for name, error in stopped] == [("a", "gone"), ("b", "no model")]


def test_what_the_caller_has_to_mend_is_said_at_once() -> None:
    def wrong() -> Iterator[Case]:
        raise UsageError("bad row")

    with pytest.raises(UsageError):
        collected([("a", wrong)])


def test_the_sample_segments_are_whole() -> None:
    segments = read_segments(SEGMENTS)
    assert len({segment.id for segment in segments}) == len(segments) == 24
    pairs = [(segment.source, segment.target) for segment in segments]
    assert pairs.count(("fr", "en")) == pairs.count(("en", "fr")) == 12


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00\xff\xfe\x80" * 50,
        b"text\treference\nun\tone\n",
        b"id\tsource\ttarget\ttext\treference\na\tfr\ten\tun\n",
        b"id\tsource\ttarget\ttext\treference\na\tfr\ten\tun\t \n",
        b"id\tsource\ttarget\ttext\treference\na\tfr\ten\tun\tone\ttwo\n",
        b"id\tsource\ttarget\ttext\treference\na\tfr\ten\t" + b"x" * 200_000 + b"\tone\n",
    ],
)
def test_what_is_no_file_of_segments_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "segments.tsv"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=r"segments\.tsv"):
        read_segments(path)


def test_a_file_of_segments_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"nothing\.tsv"):
        read_segments(tmp_path / "nothing.tsv")


def test_marks_of_quotation_are_letters_like_others(tmp_path: Path) -> None:
    path = tmp_path / "segments.tsv"
    path.write_text('id\tsource\ttarget\ttext\treference\na\tfr\ten\t"Oui\tYes"\n', "utf-8")
    assert read_segments(path)[0][3:] == ('"Oui', 'Yes"')


@pytest.mark.parametrize("quick", [True, False])
def test_approved_answers_stand_on_a_passage_of_their_document(tmp_path: Path, quick: bool) -> None:
    path = tmp_path / "handbook.db"
    documents = tasks_hr.make_base(path, quick, engines=FakeEngines())
    with KnowledgeBase.open(path) as base:
        assert len(base.documents()) == documents
        rows = approvals.all_of(base)
    assert len(rows) == (2 if quick else 6)
    assert all(row["passage"] for row in rows)
    assert all(row["approved_by"] == tasks_hr.APPROVER for row in rows)


def test_questions_of_a_quick_run_are_on_its_documents() -> None:
    chosen = tasks_hr.questions(quick=True)
    named = {Path(row.source).stem for row in chosen if row.source}
    assert named == set(tasks_hr.QUICK_DOCUMENTS)
    assert sum(not row.is_answerable for row in chosen) == tasks_hr.QUICK_UNANSWERABLE
    assert len(tasks_hr.questions(quick=False)) > 10 * len(tasks_hr.QUICK_DOCUMENTS)


def test_hr_answers_are_cases_by_rung(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks_hr, "Engines", FakeEngines)
    steps: list[int] = []
    plan = Plan(None, 2, True, steps.append)
    cases = {one.case: one for one in tasks_hr.cases(plan)}
    assert cases["hr.approved"].correct == cases["hr.approved"].answers == 2
    assert cases["hr.declined"].tokens == 0
    assert sum(steps) == tasks_hr.steps(plan)
    everything, written = cases.pop("hr.all"), cases.pop("hr.written")
    assert everything.answers == len(tasks_hr.questions(quick=True))
    assert everything.answers == sum(one.answers or 0 for one in cases.values())
    assert everything.correct == sum(one.correct or 0 for one in cases.values())
    assert everything.more["kinds"] == {
        name.partition(".")[2]: one.answers for name, one in cases.items()
    }
    assert (written.answers, written.repeats) == (tasks_hr.QUICK_WRITTEN, 2)
    assert set(written.more["kinds"]) <= {"written", "declined"}


def test_hr_answers_without_an_embedder_are_missing() -> None:
    with pytest.raises(MissingError):
        list(tasks_hr.cases(Plan(quick=True)))


def test_recordings_are_the_shortest_first_and_one_when_quick() -> None:
    heard: list[str] = []

    class Listening(Assistant):
        def transcribe(self, audio: Path, *_: Any, on_segment: Any = None, **__: Any) -> Answer:
            heard.append(audio.stem)
            on_segment(None, 2.0)
            return answer(audio.with_suffix(".txt").read_text("utf-8").upper())

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tasks_speech, "Assistant", Listening)
        (quick,) = tasks_speech.cases(Plan(quick=True, repeats=1))
        both = list(tasks_speech.cases(Plan(repeats=1)))
    assert [one.case for one in both] == ["speech.question", "speech.message"]
    assert heard == ["question"] * 4 + ["message"]
    assert (quick.quality, quick.quality_name, quick.tokens) == (0.0, "wer", None)
    assert quick.more["audio_seconds"] == 2.0


def test_a_benchmark_without_any_model_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["bench", "tasks", "--quick", "--json"]) == 3
    shown = capsys.readouterr()
    assert shown.out == ""
    lines = [line for line in shown.err.splitlines() if not line.endswith("…")]
    assert len(lines) == 1
    assert "edge-slm models pull" in lines[0]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["nothing"], 2),
        (["tasks", "--part", "cooking"], 2),
        (["tasks", "--repeat", "0"], 2),
        (["tasks", "--quick", "--model", "nothing-of-the-kind"], 2),
        (["tasks", "--quick", "--model", "whisper-base"], 2),
        (["tasks", "--quick", "--model", SMALLEST], 3),
        (["tasks", "--quick", "--against", "nowhere.jsonl"], 2),
        (["--quick", "--part", "speech"], 3),
    ],
)
def test_what_cannot_be_measured_is_said_in_one_sentence(
    words: list[str], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["bench", *words]) == code
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "Traceback" not in shown.err


def test_parts_that_lack_a_model_are_left_out_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def lacking(_: Plan) -> Iterator[Case]:
        raise MissingError("no model of that kind")

    def speaking(_: Plan) -> Iterator[Case]:
        yield a_case(suite="tasks", case="speech.x")

    parts = {
        "hr": tasks.Part(lacking, lambda _: 1),
        "translation": tasks.Part(lacking, lambda _: 1),
        "speech": tasks.Part(speaking, lambda _: 1),
    }
    monkeypatch.setattr(tasks, "PARTS", parts)
    result = CliRunner().invoke(bench.command, ["tasks", "--quick", "--json"])
    assert result.exit_code == 0
    (row,) = [msgspec.json.decode(line) for line in result.stdout.splitlines()]
    assert row["case"] == "speech.x"
    assert row.keys() >= WANTED
    assert "hr: no model of that kind" in result.stderr.splitlines()


@pytest.mark.model
def test_translations_by_a_small_model() -> None:
    words = ["tasks", "--quick", "--part", "translation", "--model", SMALLEST, "--json"]
    result = CliRunner().invoke(bench.command, words)
    assert result.exit_code == 0, result.output
    rows = [msgspec.json.decode(line) for line in result.stdout.splitlines()]
    assert [row["case"] for row in rows] == ["translation.fr-en", "translation.en-fr"]
    for row in rows:
        assert row.keys() >= WANTED
        assert (row["model"], row["answers"]) == (SMALLEST, 2)
        assert row["tokens"] > 2
        assert 0 <= row["quality"] <= 100
