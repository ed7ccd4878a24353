"""edge-slm bench: figures with the command, the versions and the machine."""

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


def test_bad_input(run: Runner) -> None:
    sentence(run("bench", "nothing"), 2)
    sentence(run("bench", "commands", "--repeat", "0"), 2)
