"""Fakes of the engines, and a small base to answer from."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from edge_slm.kb.base import KnowledgeBase
from edge_slm.kb.documents import Block, Document
from tests.fakes import DIMENSIONS, FakeEmbedder

settings.register_profile("no-deadline", deadline=None)
settings.load_profile("no-deadline")

CONTACT = "rh@mairie.example"
LEAVE = Document(
    "conges.md",
    "Les congés annuels",
    (
        Block("Un agent à temps plein a droit à 25 jours de congés annuels.", 1, "Durée"),
        Block("Le report se demande avant le 31 décembre.", 2, "Report"),
    ),
)
MEALS = Document(
    "repas.md",
    "Les titres-restaurant",
    (
        Block("La valeur du titre-restaurant est de 9,50 €.", 1, "Valeur"),
        Block("Mois | Titres\nJanvier | 20\nFévrier | 18", 2, "Nombre"),
    ),
)
LEAVE_QUESTION = "Combien de jours de congés annuels pour un agent à temps plein ?"
MEALS_QUESTION = "Quelle est la valeur du titre-restaurant ?"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep every test away from the user's own models, bases and language."""
    folder = tmp_path / "home"
    monkeypatch.setenv("EDGE_SLM_HOME", str(folder))
    monkeypatch.setenv("EDGE_SLM_LANG", "en")
    return folder


@pytest.fixture
def embedder() -> FakeEmbedder:
    return FakeEmbedder()


@pytest.fixture
def base(home: Path, embedder: FakeEmbedder) -> Iterator[KnowledgeBase]:
    """A French base of two documents, `rh`."""
    path = home / "kb" / "rh.db"
    with KnowledgeBase.create(path, "fake", DIMENSIONS, contact=CONTACT) as base:
        base.add(LEAVE, embedder)
        base.add(MEALS, embedder)
        yield base
