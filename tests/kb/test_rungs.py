"""The facts of a base that may change: rungs, calibration, curve, contact, audience."""

import sqlite3

import click
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_slm.cli.options import rungs_of
from edge_slm.errors import EdgeSlmError, IntegrityError
from edge_slm.kb import rungs, schema
from edge_slm.kb.base import KnowledgeBase
from edge_slm.kb.calibration import Calibration
from edge_slm.kb.rungs import ALL


def facts(base: KnowledgeBase) -> dict[str, str]:
    """Return what the file says of itself."""
    return dict(base.connection.execute("SELECT key, value FROM meta"))


def put(base: KnowledgeBase, key: str, value: object) -> None:
    """Write a fact behind the base's back."""
    with base.connection:
        base.connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))


def test_a_base_allows_all_rungs_unless_it_says_otherwise(base: KnowledgeBase) -> None:
    assert base.rungs == ALL == {"approved", "quote", "written"}
    base.change(rungs='["quote", "quote"]')
    assert base.rungs == {"quote"}
    base.change(rungs="[]")
    with KnowledgeBase.open(base.path) as again:
        assert again.rungs == frozenset()
        again.change(rungs="")
        assert again.rungs == ALL


def test_a_base_made_before_the_later_facts_opens_and_allows_all(base: KnowledgeBase) -> None:
    with base.connection:
        for key in schema.LATER:
            base.connection.execute("DELETE FROM meta WHERE key = ?", (key,))
    assert not facts(base).keys() & schema.LATER.keys()
    with KnowledgeBase.open(base.path) as again:
        assert again.rungs == ALL
        assert again.meta["curve"] == ""
        again.change(rungs='["approved"]')
    with KnowledgeBase.open(base.path) as again:
        assert again.rungs == {"approved"}


DAMAGED = [
    ("rungs", "["),
    ("rungs", "quote"),
    ("rungs", '["declined"]'),
    ("rungs", '["Quote"]'),
    ("rungs", "[1]"),
    ("rungs", '{"quote": true}'),
    ("rungs", "null"),
    ("rungs", "[" * 100_000),
    ("rungs", b"\xff\xfe"),
    ("rungs", None),
    ("calibration", ""),
    ("calibration", "{"),
    ("calibration", "[]"),
    ("calibration", "null"),
    ("calibration", '{"weights": null}'),
    ("calibration", '{"weights": {"luck": 1.0}}'),
    ("calibration", '{"weights": {"cosine": "much"}}'),
    ("calibration", '{"weights": {}, "threshold": "high"}'),
    ("calibration", '{"weights": {"cosine": 1e999}}'),
    ("calibration", '{"a": ' + "[" * 100_000),
    ("calibration", b"\xff"),
    ("calibration", None),
    ("dimensions", None),
    ("contact", b"rh"),
]


@pytest.mark.parametrize(
    ("key", "value"), DAMAGED, ids=[f"{key}-{ascii(value)[:20]}" for key, value in DAMAGED]
)
def test_a_damaged_fact_is_refused_when_the_base_is_opened(
    base: KnowledgeBase, key: str, value: object
) -> None:
    put(base, key, value)
    with pytest.raises(IntegrityError, match="is not a knowledge base, or it is damaged"):
        KnowledgeBase.open(base.path)


@pytest.mark.parametrize(
    "change",
    [
        {"rungs": '["declined"]'},
        {"rungs": "quote"},
        {"calibration": '{"weights": {"luck": 1.0}}'},
        {"calibration": ""},
        {"uuid": "another"},
        {"version": "2"},
        {"luck": "1"},
    ],
    ids=str,
)
def test_what_cannot_be_read_again_is_not_written(
    base: KnowledgeBase, change: dict[str, str]
) -> None:
    before = facts(base)
    with pytest.raises(ValueError, match=r"rungs|calibration|uuid|version|luck"):
        base.change(contact="le service RH", **change)
    assert facts(base) == before
    assert base.contact == before["contact"]


def test_facts_change_all_together(base: KnowledgeBase) -> None:
    calibration = msgspec.json.encode(Calibration(threshold=0.7)).decode()
    base.change(contact="le RH", audience="", calibration=calibration, rungs="[]", curve="{}")
    with KnowledgeBase.open(base.path) as again:
        assert (again.contact, again.audience, again.meta["curve"]) == ("le RH", "", "{}")
        assert (again.calibration.threshold, again.rungs) == (0.7, frozenset())
        assert again.meta == base.meta


def test_a_change_that_fails_half_way_changes_nothing(base: KnowledgeBase) -> None:
    base.connection.execute(
        "CREATE TRIGGER refuse BEFORE INSERT ON meta WHEN NEW.key = 'curve' "
        "BEGIN SELECT RAISE(ABORT, 'no'); END"
    )
    before, known = facts(base), dict(base.meta)
    with pytest.raises(sqlite3.IntegrityError, match="no"):
        base.change(contact="le RH", rungs="[]", curve="{}")
    assert facts(base) == before
    assert base.meta == known


def test_a_base_in_use_keeps_its_facts(base: KnowledgeBase) -> None:
    base.connection.execute("PRAGMA busy_timeout = 20")
    other = sqlite3.connect(base.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        with pytest.raises(EdgeSlmError, match="Another program is changing the base"):
            base.change(contact="le RH")
    finally:
        other.close()
    assert base.contact == facts(base)["contact"] == ""


def test_changing_nothing_is_allowed(base: KnowledgeBase) -> None:
    before = facts(base)
    base.change()
    assert facts(base) == before


@given(st.text())
def test_any_text_names_rungs_or_is_no_value(text: str) -> None:
    try:
        found = rungs.decoded(text)
    except ValueError:
        return
    assert found <= ALL


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, ALL),
        ("approved,quote,written", ALL),
        (" quote , written ,", {"quote", "written"}),
        ("approved,approved", {"approved"}),
        ("", set()),
        (" , ", set()),
    ],
)
def test_the_option_names_rungs(text: str | None, expected: set[str]) -> None:
    assert rungs_of(text) == expected


@pytest.mark.parametrize("text", ["declined", "quote,luck", "Quote", "quote;written", "x" * 9999])
def test_the_option_refuses_what_is_no_rung(text: str) -> None:
    with pytest.raises(click.UsageError, match="is no rung"):
        rungs_of(text)
