"""An answer carries its bill, which the ledger notes, whether it is whole, stopped or failed."""

from collections.abc import Generator
from contextlib import closing
from pathlib import Path
from typing import cast

import pytest

from edge_slm import paths
from edge_slm.answer import Answer, Route
from edge_slm.energy.ledger import Entry, Ledger
from edge_slm.energy.paying import Events, paid
from edge_slm.errors import EdgeSlmError
from tests.energy.fakes import burn

ANSWER = Answer(
    text="Bonjour.",
    kind="written",
    task="hr_faq",
    language="fr",
    ai_generated=True,
    route=Route("hr_faq", 1.0, ""),
    warnings=("à relire",),
)


@pytest.fixture(autouse=True)
def ledger(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep a ledger, in the test's own home."""
    monkeypatch.setenv("EDGE_SLM_LEDGER", "on")


def pieces() -> Events:
    """Answer in two pieces, after some work."""
    yield "Bon"
    burn(0.05)
    yield "jour."
    yield ANSWER


def kept() -> list[Entry]:
    """Return what the ledger holds."""
    return list(Ledger().entries())


def test_an_answer_carries_what_it_cost_and_the_ledger_has_it() -> None:
    *said, answer = paid(pieces(), "hr_faq")
    assert said == ["Bon", "jour."]
    assert isinstance(answer, Answer)
    assert answer.text == ANSWER.text
    assert answer.warnings == ANSWER.warnings
    energy = answer.energy
    assert energy.cpu_seconds is not None and energy.cpu_seconds >= 0.05
    assert energy.method == "estimate"
    (entry,) = kept()
    assert (entry.task, entry.kind, entry.joules) == ("hr_faq", "written", energy.joules)
    assert entry.cpu_seconds == energy.cpu_seconds


def test_an_answer_that_nobody_waits_for_is_noted_as_stopped() -> None:
    with closing(cast("Generator[str | Answer]", paid(pieces(), "hr_faq"))) as events:
        next(events)
    (entry,) = kept()
    assert (entry.kind, entry.task) == ("stopped", "hr_faq")
    assert entry.joules is not None


def test_an_answer_that_fails_is_noted_and_fails() -> None:
    def failing() -> Events:
        yield "Bon"
        raise EdgeSlmError("worn out")

    events = paid(failing(), "translation")
    assert next(events) == "Bon"
    with pytest.raises(EdgeSlmError, match="worn out"):
        next(events)
    (entry,) = kept()
    assert (entry.kind, entry.task) == ("failed", "translation")


def test_a_ledger_that_cannot_be_written_is_a_warning_and_costs_no_answer() -> None:
    file = paths.data_dir() / "energy.db"
    file.mkdir(parents=True)
    *_, answer = paid(pieces(), "hr_faq")
    assert isinstance(answer, Answer)
    assert answer.energy.joules is not None
    assert len(answer.warnings) == 2
    assert file.is_dir()


def test_a_ledger_switched_off_keeps_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGE_SLM_LEDGER", "off")
    *_, answer = paid(pieces(), "hr_faq")
    assert isinstance(answer, Answer)
    assert answer.energy.joules is not None
    assert not Path(paths.data_dir() / "energy.db").exists()
