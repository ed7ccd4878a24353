"""A folder of its own for each test, and a small corpus."""

import json
from pathlib import Path

import pytest

CORPUS = {
    "conges": ("Congés", "Un agent a droit à vingt-cinq jours de congés annuels."),
    "teletravail": ("Télétravail", "Le télétravail est ouvert trois jours par semaine."),
    "cantine": ("Cantine", "La cantine du siège sert des repas chauds à midi."),
}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep every test away from the user's own cache and language."""
    folder = tmp_path / "home"
    monkeypatch.setenv("EDGE_SLM_HOME", str(folder))
    monkeypatch.setenv("EDGE_SLM_LANG", "en")
    return folder


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Three documents as JSON lines."""
    path = tmp_path / "corpus.jsonl"
    rows = ({"id": n, "title": title, "text": text} for n, (title, text) in CORPUS.items())
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path
