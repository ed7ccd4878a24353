"""What the tests of the ladder share: a base that is sure, quotations that answer or do not."""

from collections.abc import Callable
from dataclasses import replace
from typing import NoReturn

import msgspec
import pytest

from edge_slm.answer import Source
from edge_slm.kb.base import KnowledgeBase
from edge_slm.kb.calibration import Calibration
from edge_slm.kb.rungs import ALL, Rungs
from edge_slm.kb.search import Hit
from edge_slm.tasks.hr_faq.evidence import Evidence, gather
from tests.fakes import FakeEmbedder

DROPPED = "Une phrase rédigée que les passages ne confirment pas a été écartée."
NEVER = 2.0  # a quotation's score is 1 at most


def never() -> NoReturn:
    """Stand for a chat model that must not be loaded."""
    raise AssertionError("the chat model was loaded")


def hit(
    text: str,
    title: str = "Les congés",
    section: str = "",
    score: float = 1.0,
    document: str = "conges.md",
) -> Hit:
    """Return a passage as a search gives it."""
    return Hit("rh", 1, document, title, 1, section, text, score)


def sure_of(
    base: KnowledgeBase, embedder: FakeEmbedder, question: str, rungs: Rungs = ALL
) -> Evidence:
    """Return what the base holds, as if it were sure of it."""
    return replace(gather(question, [base], embedder, rungs), confidence=0.9, threshold=0.5)


def passages(base: KnowledgeBase) -> dict[str, tuple[str, int, str]]:
    """Return document, page and text of each passage by the name that a source gives it."""
    rows = base.connection.execute(
        "SELECT p.id, d.name, p.page, p.text FROM passages p JOIN documents d ON d.id = p.document"
    )
    return {f"{base.name}:{number}": (name, page, text) for number, name, page, text in rows}


def assert_cited(base: KnowledgeBase, sources: tuple[Source, ...]) -> None:
    """Check that each source names a passage of the base and quotes it word for word."""
    assert sources
    for source in sources:
        document, page, text = passages(base)[source.passage]
        assert (source.kb, source.document, source.page) == (base.name, document, page)
        assert all(line in text for line in source.quote.splitlines())


@pytest.fixture
def quoting_from(base: KnowledgeBase) -> Callable[[float], None]:
    """Set the score from which a quotation answers by itself."""

    def set_to(score: float) -> None:
        calibration = msgspec.json.encode(Calibration(quote=score))
        base.change(calibration=calibration.decode())

    return set_to


@pytest.fixture
def quotes(quoting_from: Callable[[float], None]) -> None:
    """Let any quotation answer."""
    quoting_from(0.0)


@pytest.fixture
def writes(quoting_from: Callable[[float], None]) -> None:
    """Let no quotation answer by itself."""
    quoting_from(NEVER)
