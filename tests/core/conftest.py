"""A folder of its own for each test, and an interface in English."""

from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("no-deadline", deadline=None)
settings.load_profile("no-deadline")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep every test away from the user's own models, bases and language."""
    folder = tmp_path / "home"
    monkeypatch.setenv("EDGE_SLM_HOME", str(folder))
    monkeypatch.setenv("EDGE_SLM_LANG", "en")
    return folder
