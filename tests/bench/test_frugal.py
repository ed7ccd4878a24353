"""The frugal comparison: who takes part, what a run gives, what is said of it either way."""

from pathlib import Path

import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from edge_slm.bench.frugal import Contender, Workload, contenders, run
from edge_slm.bench.tasks_hr import make_base
from edge_slm.bench.tasks_translation import Segment
from edge_slm.cli import bench
from edge_slm.cli.bench.frugal import _cloud, _compared
from edge_slm.errors import MissingError, UsageError
from edge_slm.evaluation.answers import Question
from edge_slm.profiles import PROFILES
from tests.bench.cases import a_case

SMALL, LARGE = PROFILES["lite"][0], PROFILES["standard"][0]
ROUTED = a_case(
    suite="frugal", case="questions", contender="routed-ladder", cpu_seconds=2.0, tokens=0
)
GENERAL = replace(ROUTED, contender=f"general {LARGE}", model=LARGE, cpu_seconds=70.0, tokens=500)


def test_the_smallest_writes_the_next_translates_and_each_is_a_general_one() -> None:
    found = contenders([LARGE, "smollm2-135m-instruct-q4_1", SMALL])
    assert found == [
        Contender("small-ladder", "ladder", SMALL, SMALL),
        Contender("routed-ladder", "ladder", SMALL, LARGE),
        Contender(f"general {SMALL}", "always_generate", SMALL, SMALL),
        Contender(f"general {LARGE}", "always_generate", LARGE, LARGE),
    ]


@pytest.mark.parametrize("installed", [[], [SMALL], ["smollm2-135m-instruct-q4_1", SMALL]])
def test_one_model_alone_is_no_comparison(installed: list[str]) -> None:
    with pytest.raises(MissingError, match="models pull"):
        contenders(installed)


def test_what_wins_and_what_loses_is_said() -> None:
    (fewer,) = _compared([ROUTED, GENERAL])
    assert "8 right against 8 of 10" in fewer
    assert "35.0 times fewer" in fewer
    (more,) = _compared([ROUTED, replace(GENERAL, cpu_seconds=1.0)])
    assert "2.0 times more" in more


def test_without_a_right_answer_there_is_no_ratio() -> None:
    assert list(_compared([ROUTED, replace(GENERAL, correct=0)])) == []
    assert list(_compared([replace(ROUTED, correct=0), GENERAL])) == []


def test_the_cloud_is_said_apart_and_called_an_estimate() -> None:
    (told,) = _cloud([ROUTED, GENERAL])
    assert told.startswith("Not measured, and no rank")
    assert "EcoLogits" in told
    assert list(_cloud([ROUTED])) == []


def test_questions_without_a_corpus_are_refused(tmp_path: Path) -> None:
    words = ["frugal", "--questions", str(tmp_path / "q.jsonl")]
    assert isinstance(CliRunner().invoke(bench.command, words).exception, UsageError)


@pytest.mark.model
def test_a_contender_answers_and_translates(tmp_path: Path) -> None:
    base = tmp_path / "exemple.db"
    make_base(base, quick=True, approved=False)
    questions = [
        Question(
            "Combien de jours dure le congé de paternité pour des jumeaux ?",
            document="conge-paternite.md",
            must_appear=("32",),
        ),
        Question("Quelle est la capitale de la Mongolie ?", answerable=False),
    ]
    work = Workload(questions, base, [Segment("1", "fr", "en", "Bonjour.", "Hello.")])
    steps: list[int] = []
    asked, translated, both = run(Contender("small", "ladder", SMALL, SMALL), work, steps.append)
    assert sum(steps) == work.steps == 3
    assert (asked.answers, asked.correct) == (2, 2)
    assert translated.quality_name == "chrf"
    assert translated.tokens and translated.model == SMALL
    assert both.cpu_seconds == pytest.approx(asked.cpu_seconds + translated.cpu_seconds)
    assert both.joules_method == asked.joules_method
    assert both.correct is None
