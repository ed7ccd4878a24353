"""What all tests share: a folder of their own, an interface in English, a fake embedder."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from edge_slm.energy.accounts import accounts
from edge_slm.offline import SWITCHES
from tests.fakes import FakeEmbedder

settings.register_profile("no-deadline", deadline=None)
settings.load_profile("no-deadline")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Path:
    """Keep every test that needs no real model away from the user's models, bases and language."""
    folder = tmp_path / "home"
    if request.node.get_closest_marker("model") is None:
        monkeypatch.setenv("EDGE_SLM_HOME", str(folder))
        monkeypatch.setenv("EDGE_SLM_LANG", "en")
    return folder


@pytest.fixture(autouse=True)
def energy(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Note nothing in the user's ledger, and look for meters anew in each test."""
    monkeypatch.setenv("EDGE_SLM_LEDGER", "off")
    accounts.cache_clear()
    yield
    accounts.cache_clear()


@pytest.fixture(autouse=True)
def switches() -> Iterator[None]:
    """Undo what a command run in this process tells the hub's library: later tests may fetch."""
    before = {name: os.environ.get(name) for name in SWITCHES}
    yield
    for name, value in before.items():
        if value is None:
            os.environ.pop(name, None)


@pytest.fixture
def embedder() -> FakeEmbedder:
    """An embedder without a model."""
    return FakeEmbedder()
