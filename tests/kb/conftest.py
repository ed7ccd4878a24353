"""A folder of its own for each test, a fake embedder, an empty base."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from edge_slm.kb.base import KnowledgeBase
from tests.fakes import DIMENSIONS, FakeEmbedder

settings.register_profile("no-deadline", deadline=None)
settings.load_profile("no-deadline")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep every test away from the user's own bases, cache and language."""
    folder = tmp_path / "home"
    monkeypatch.setenv("EDGE_SLM_HOME", str(folder))
    monkeypatch.setenv("EDGE_SLM_LANG", "en")
    return folder


@pytest.fixture
def embedder() -> FakeEmbedder:
    return FakeEmbedder()


@pytest.fixture
def base(home: Path) -> Iterator[KnowledgeBase]:
    """An empty French base, `rh`."""
    with KnowledgeBase.create(home / "kb" / "rh.db", "fake", DIMENSIONS) as base:
        yield base
