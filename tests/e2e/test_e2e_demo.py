"""The demo: three kinds of answers by real models, from nothing but the models."""

import re

import pytest

from .conftest import Demo
from .runner import AUDIO, MONGOLIA, TWINS, Runner

pytestmark = pytest.mark.model


def test_the_question_is_answered_with_its_page(demo: Demo) -> None:
    answer = demo.answers[0]
    assert answer["kind"] in ("quote", "written")
    assert "32" in answer["text"]
    source = answer["sources"][0]
    assert (source["document"], source["page"]) == ("conge-paternite.md", 1)
    assert "32" in source["quote"]


def test_a_question_off_the_subject_is_declined(demo: Demo) -> None:
    answer = demo.answers[1]
    assert answer["kind"] == "declined"
    assert answer["sources"] == []
    assert "traduire" in answer["text"]
    assert "Oulan" not in answer["text"]


def test_the_sentence_is_translated_by_a_model(demo: Demo) -> None:
    answer = demo.answers[2]
    assert (answer["kind"], answer["language"]) == ("translation", "en")
    assert answer["model"]["id"].startswith("qwen2.5")
    assert {"request", "two", "months"} <= set(re.findall(r"\w+", answer["text"].lower()))
    assert answer["usage"]["completion_tokens"] > 0


def test_the_recording_is_written_down(demo: Demo) -> None:
    answer = demo.answers[3]
    assert (answer["kind"], answer["language"]) == ("transcript", "fr")
    said = re.findall(r"\w+", (AUDIO / "message.txt").read_text(encoding="utf-8").lower())
    heard = set(re.findall(r"\w+", answer["text"].lower()))
    assert sum(word in heard for word in said) >= 0.8 * len(said)
    assert answer["segments"][-1]["end"] > answer["segments"][0]["end"] > 0


def test_peak_memory_is_told_and_bounded(demo: Demo) -> None:
    # The first figure: less than the weights alone take. The second: what `lite` may take.
    assert 300_000_000 < demo.peak_memory < 1_500_000_000


def test_again_it_prints_for_people_and_keeps_the_base(run: Runner, demo: Demo) -> None:
    result = run("demo", "--profile", "lite", env={"EDGE_SLM_LANG": "fr"})
    assert result.returncode == 0
    assert result.stderr == ""  # the sample base is not made again
    for words in (TWINS, MONGOLIA, "conge-paternite.md", "page 1", "Mémoire au plus"):
        assert words in result.stdout
    assert "\x1b" not in result.stdout
