"""A server on fake engines, its client, and a base with two documents."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from edge_slm.kb.base import KnowledgeBase
from edge_slm.server.app import Server, build
from edge_slm.server.site import Site
from tests.fakes import DIMENSIONS, FakeEmbedder
from tests.kb.samples import LEAVE, MEALS, REMOTE, document

from .fakes import CHAT, EMBED, SPEECH, FakeEngines, install

LOCAL = "http://127.0.0.1:8321"


@pytest.fixture
def engines(home: Path) -> FakeEngines:
    """Fake engines, under the names of installed models."""
    install(CHAT, "chat")
    install(SPEECH, "speech")
    install(EMBED, "embed")
    return FakeEngines()


@pytest.fixture
def server(engines: FakeEngines) -> Server:
    """A server on the fake engines."""
    return Server(Site(engines))


@pytest.fixture
def client(server: Server) -> Iterator[TestClient]:
    """A client of the server."""
    with TestClient(build(server), base_url=LOCAL) as client:
        yield client


@pytest.fixture
def base(home: Path) -> str:
    """A base of two documents; its name."""
    with KnowledgeBase.create(home / "kb" / "rh.db", EMBED, DIMENSIONS) as base:
        embedder = FakeEmbedder()
        base.add(document("conges.md", LEAVE, REMOTE, title="Congés", pages=(1, 2)), embedder)
        base.add(document("cantine.md", MEALS, title="Cantine"), embedder)
    return "rh"
