"""`edge-slm translate` and `edge-slm transcribe`: every way in, every way out."""

import json
import re
from pathlib import Path

import pytest

from .runner import AUDIO, CHAT, Runner

pytestmark = pytest.mark.model

MARKDOWN = """# Le badge

- Le badge perdu est remplacé en 3 jours.

```
edge-slm ask
```
"""
TIME = re.compile(r"\d\d:\d\d:\d\d[.,]\d{3} --> \d\d:\d\d:\d\d[.,]\d{3}")


def test_text_to_english_and_back(run: Runner) -> None:
    there = run("translate", "--model", CHAT, "La porte est ouverte le vendredi.")
    assert there.returncode == 0
    assert there.stderr == ""
    assert "friday" in there.stdout.lower()
    assert there.stdout.count("\n") == 1
    # “--to” and “--from” take names too.
    back = run.json(
        *("translate", "--model", CHAT, "--from", "anglais", "--to", "français"),
        "The door is open.",
    )
    assert (back["kind"], back["language"], back["ai_generated"]) == ("translation", "fr", True)
    assert "porte" in back["text"].lower()
    assert back["model"]["id"] == CHAT
    assert back["sources"] == []


def test_a_file_keeps_its_markdown_and_the_glossary_is_used(run: Runner, tmp_path: Path) -> None:
    (tmp_path / "fiche.md").write_text(MARKDOWN, encoding="utf-8")
    (tmp_path / "words.csv").write_text("badge;access card\n", encoding="utf-8")
    result = run(
        *("translate", "fiche.md", "--model", CHAT, "--to", "en", "--glossary", "words.csv"),
        *("-o", "out/sheet.md"),
        cwd=tmp_path,
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout == ""
    written = (tmp_path / "out" / "sheet.md").read_text(encoding="utf-8")
    lines = written.splitlines()
    assert lines[0].startswith("# ")
    assert lines[1] == ""
    assert lines[2].startswith("- ")
    assert "3" in lines[2]
    assert lines[3:] == ["", "```", "edge-slm ask", "```"]
    # A term that the model passed over is said, never silently lost.
    assert "access card" in written.lower() or "access card" in result.stderr
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["sheet.md"]


def test_standard_input(run: Runner) -> None:
    result = run("translate", "-", "--model", CHAT, text="Merci.\n\nBonne journée.\n")
    assert result.returncode == 0
    first, blank, last = result.stdout.splitlines()
    assert "thank" in first.lower()
    assert blank == ""
    assert "day" in last.lower()


def test_a_recording_as_text_and_in_a_file(run: Runner, tmp_path: Path) -> None:
    out = tmp_path / "sub" / "question.txt"
    result = run("transcribe", AUDIO / "question.flac", "--language", "fr", "-o", out)
    assert result.returncode == 0, result.stderr
    assert result.stdout == ""
    assert "jumeaux" in out.read_text(encoding="utf-8")


def test_a_recording_as_srt(run: Runner) -> None:
    lines = run("transcribe", AUDIO / "question.flac", "--format", "srt").stdout.splitlines()
    assert lines[0] == "1"
    assert TIME.fullmatch(lines[1])
    assert "," in lines[1]
    assert "paternité" in lines[2]


def test_a_recording_as_vtt_translated_keeps_its_times(run: Runner) -> None:
    result = run(
        *("transcribe", AUDIO / "question.flac", "--format", "vtt", "--translate-to", "en"),
    )
    assert result.returncode == 0, result.stderr
    lines = result.stdout.splitlines()
    assert lines[:2] == ["WEBVTT", ""]
    assert TIME.fullmatch(lines[2])
    assert "." in lines[2]
    assert "days" in result.stdout.lower()
    assert "jours" not in result.stdout.lower()


def test_a_recording_as_json(run: Runner) -> None:
    result = run("transcribe", AUDIO / "question.flac", "--format", "json")
    answer = json.loads(result.stdout)
    assert (answer["kind"], answer["task"], answer["language"]) == ("transcript", "speech", "fr")
    assert answer["text"] == " ".join(segment["text"] for segment in answer["segments"])
    assert all(segment["start"] < segment["end"] for segment in answer["segments"])
    assert answer["model"]["id"] == "whisper-base"
