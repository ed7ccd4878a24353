"""edge-slm bench: figures with the command, the versions and the machine."""

import json

import pytest

from .runner import Runner, sentence


def test_the_start(run: Runner) -> None:
    row = run.json("bench", "commands", "--part", "start", "--repeat", "1", "--json")
    assert row["start"]["help_ms"] > row["start"]["python_ms"] > 0
    assert row["command"].startswith("edge-slm bench commands")
    assert row["machine"]


@pytest.mark.model
def test_a_question(run: Runner, sample: str) -> None:
    result = run("bench", "commands", "--part", "ask", "--repeat", "1")
    assert result.returncode == 0, result.stderr
    figures = dict(line.split(": ", 1) for line in result.stdout.splitlines())
    assert float(figures["ask.cold_process_ms"]) > float(figures["ask.warm_question_ms"]) > 0


@pytest.mark.model
def test_tasks_are_lines_with_their_quality(run: Runner) -> None:
    result = run("bench", "tasks", "--quick", "--json")
    assert result.returncode == 0, result.stderr
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert {row["case"].partition(".")[0] for row in rows} == {"hr", "translation", "speech"}
    for row in rows:
        assert row["suite"] == "tasks"
        assert row["seconds"] > 0
        assert row["cpu_seconds"] > 0
        assert row["peak_bytes"] > 0
        assert row["machine"]["id"]
        assert row["versions"]["edge_slm"]
        assert row["quality_name"] in ("accuracy", "chrf", "wer")
        assert (row["joules"] is None) == (row["joules_method"] is None)


def test_bad_input(run: Runner) -> None:
    sentence(run("bench", "nothing"), 2)
    sentence(run("bench", "commands", "--repeat", "0"), 2)
