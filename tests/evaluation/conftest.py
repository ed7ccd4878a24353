"""A folder of its own for each test, and a small corpus."""

import json
from pathlib import Path

import pytest

CORPUS = {
    "conges": ("Congés", "Un agent a droit à vingt-cinq jours de congés annuels."),
    "teletravail": ("Télétravail", "Le télétravail est ouvert trois jours par semaine."),
    "cantine": ("Cantine", "La cantine du siège sert des repas chauds à midi."),
}


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Three documents as JSON lines."""
    path = tmp_path / "corpus.jsonl"
    rows = ({"id": n, "title": title, "text": text} for n, (title, text) in CORPUS.items())
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path
