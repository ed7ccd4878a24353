"""A folder of its own for each test, a fake embedder, an empty base."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_slm.kb.base import KnowledgeBase
from tests.fakes import DIMENSIONS


@pytest.fixture
def base(home: Path) -> Iterator[KnowledgeBase]:
    """An empty French base, `rh`."""
    with KnowledgeBase.create(home / "kb" / "rh.db", "fake", DIMENSIONS) as base:
        yield base
