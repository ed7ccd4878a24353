"""Fakes of the engines, and a small base to answer from."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_slm.kb.base import KnowledgeBase
from edge_slm.kb.documents import Block, Document
from tests.fakes import DIMENSIONS, FakeEmbedder

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


@pytest.fixture
def base(home: Path, embedder: FakeEmbedder) -> Iterator[KnowledgeBase]:
    """A French base of two documents, `rh`."""
    path = home / "kb" / "rh.db"
    with KnowledgeBase.create(path, "fake", DIMENSIONS, contact=CONTACT) as base:
        base.add(LEAVE, embedder)
        base.add(MEALS, embedder)
        yield base
