"""The converted model, for the tests that need it."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def e5_gguf() -> Path:
    """Return the GGUF of the multilingual E5 model, from the store."""
    from edge_slm.store import Store

    return Store().path("multilingual-e5-small-q4_0")
