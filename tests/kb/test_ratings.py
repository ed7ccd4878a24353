"""Ratings: kept masked, reviewed by a person, served at once, undone, exported."""

import csv
import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from edge_slm.answer import Answer, ModelUsed, Route, Source
from edge_slm.errors import EdgeSlmError, IntegrityError, UsageError
from edge_slm.kb import approvals, ratings, ratings_export
from edge_slm.kb.base import KnowledgeBase
from edge_slm.kb.search import search
from tests.fakes import FakeEmbedder
from tests.kb.samples import LEAVE, MEALS, document

ROOT = Path(__file__).parents[2]
QUESTION = "Combien de jours de congés annuels ?"
HOSTILE = "'; DROP TABLE approved; -- \x1b[2J\x00\x07 \ud800 fin"


def answered(text: str = "24 jours.", kind: Any = "written", **more: Any) -> Answer:
    facts: dict[str, Any] = {
        "text": text,
        "kind": kind,
        "task": "hr_faq",
        "language": "fr",
        "ai_generated": kind == "written",
        "route": Route("hr_faq", 0.87, "rédigée d'après les passages cités"),
    }
    return Answer(**{**facts, **more})


@pytest.fixture
def cited(base: KnowledgeBase, embedder: FakeEmbedder) -> Answer:
    """An answer of a model that cites the one passage of the base."""
    base.add(document("a.md", LEAVE), embedder)
    (hit,) = search(base, embedder, QUESTION).hits
    source = Source("rh", "a.md", hit.title, hit.page, "", f"rh:{hit.passage}", hit.text, 1.0)
    model = ModelUsed("tiny", "ab" * 32, "Q4_0")
    return answered(sources=(source,), model=model)


def test_a_rating_says_who_when_and_from_what(base: KnowledgeBase, cited: Answer) -> None:
    number = ratings.rate(
        base, QUESTION, cited, "bad", reason="périmé", correction="25 jours.", by="A. Martin"
    )
    (rating,) = ratings.all_of(base, "waiting")
    assert (rating.id, rating.by, rating.verdict) == (number, "A. Martin", "bad")
    assert rating.at.endswith("+00:00")
    assert (rating.question, rating.answer) == (QUESTION, "24 jours.")
    assert (rating.reason, rating.correction) == ("périmé", "25 jours.")
    assert (rating.kind, rating.confidence) == ("written", 0.87)
    assert (rating.document, rating.page, rating.passages) == ("a.md", 1, ["rh:1"])
    assert (rating.model, rating.model_sha256) == ("tiny", "ab" * 32)


def test_personal_data_is_masked_before_it_is_stored(base: KnowledgeBase) -> None:
    said = "Écrire à jean.dupont@mairie.fr ou au 06 12 34 56 78."
    ratings.rate(base, said, answered(said), "bad", reason=said, correction=said)
    stored = base.path.read_bytes()
    assert b"jean.dupont" not in stored
    assert b"06 12 34 56 78" not in stored
    (rating,) = ratings.all_of(base)
    for text in (rating.question, rating.answer, rating.reason, rating.correction):
        assert "EMAIL" in text


def test_an_approved_correction_serves_at_once(base: KnowledgeBase, cited: Answer) -> None:
    number = ratings.rate(base, QUESTION, cited, "bad", correction="25 jours.", by="A. Martin")
    assert approvals.find(base, QUESTION) is None
    ratings.approve(base, number, "DRH")
    match = approvals.find(base, "nb de jours de congés annuels")
    assert match is not None
    assert (match.answer, match.passage, match.approved_by) == ("25 jours.", 1, "DRH")
    (row,) = approvals.all_of(base)
    assert row["rating"] == number
    (rating,) = ratings.all_of(base)
    assert (rating.status, rating.decided_by, rating.approval) == ("approved", "DRH", row["id"])
    assert rating.decided_at == row["approved_at"]
    assert ratings.all_of(base, "waiting") == []


def test_a_good_answer_is_approved_as_it_was(base: KnowledgeBase) -> None:
    number = ratings.rate(base, QUESTION, answered("25 jours."), "good")
    ratings.approve(base, number, "DRH")
    match = approvals.find(base, QUESTION)
    assert match is not None
    assert match.answer == "25 jours."


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [(answered(), "bad"), (answered("Je ne trouve pas.", "declined"), "good")],
)
def test_a_rating_that_holds_no_answer_needs_one(
    base: KnowledgeBase, answer: Answer, verdict: Any
) -> None:
    number = ratings.rate(base, QUESTION, answer, verdict)
    with pytest.raises(UsageError, match="--answer"):
        ratings.approve(base, number, "DRH")
    assert approvals.all_of(base) == []
    ratings.approve(base, number, "DRH", answer="25 jours.", question="Congés annuels ?")
    match = approvals.find(base, "Congés annuels ?")
    assert match is not None
    assert match.answer == "25 jours."


def test_a_masked_text_is_not_approved_unread(base: KnowledgeBase) -> None:
    number = ratings.rate(base, QUESTION, answered(), "bad", correction="Appelez le 06 12 34 56 78")
    with pytest.raises(UsageError, match="was masked"):
        ratings.approve(base, number, "DRH")
    assert [rating.status for rating in ratings.all_of(base)] == ["waiting"]


def test_rejecting_and_reopening(base: KnowledgeBase) -> None:
    number = ratings.rate(base, QUESTION, answered(), "bad", correction="25 jours.")
    ratings.reject(base, number, "DRH")
    with pytest.raises(UsageError, match="decided already"):
        ratings.approve(base, number, "DRH")
    ratings.reopen(base, number)
    with pytest.raises(UsageError, match="waits already"):
        ratings.reopen(base, number)
    ratings.approve(base, number, "DRH")
    ratings.reopen(base, number)
    assert approvals.all_of(base) == []
    assert [rating.status for rating in ratings.all_of(base)] == ["waiting"]


def test_reopening_leaves_an_answer_that_somebody_approved_since(base: KnowledgeBase) -> None:
    number = ratings.rate(base, QUESTION, answered(), "bad", correction="25 jours.")
    ratings.approve(base, number, "DRH")
    with base.connection:
        base.connection.execute("UPDATE approved SET approved_at = '2031-01-01T00:00:00+00:00'")
    ratings.reopen(base, number)
    assert len(approvals.all_of(base)) == 1


def test_an_approval_cites_no_passage_of_a_document_that_has_changed(
    base: KnowledgeBase, cited: Answer, embedder: FakeEmbedder
) -> None:
    number = ratings.rate(base, QUESTION, cited, "bad", correction="25 jours.")
    base.add(document("a.md", MEALS), embedder)
    ratings.approve(base, number, "DRH")
    (row,) = approvals.all_of(base)
    assert row["passage"] is None


@pytest.mark.parametrize("number", [0, -1, 2, 1 << 40, 1 << 80])
def test_an_unknown_rating_is_a_sentence(base: KnowledgeBase, number: int) -> None:
    ratings.rate(base, QUESTION, answered(), "good")
    for act in (
        lambda: ratings.approve(base, number, "DRH"),
        lambda: ratings.reject(base, number, "DRH"),
        lambda: ratings.reopen(base, number),
    ):
        with pytest.raises(UsageError, match="no rating"):
            act()


@pytest.mark.parametrize("by", ["", "  ", "\x07"])
def test_a_decision_has_a_name(base: KnowledgeBase, by: str) -> None:
    number = ratings.rate(base, QUESTION, answered(), "good")
    with pytest.raises(UsageError, match="--by"):
        ratings.approve(base, number, by)
    with pytest.raises(UsageError, match="--by"):
        ratings.reject(base, number, by)


@pytest.mark.parametrize("field", ["reason", "correction", "by", "question"])
def test_a_megabyte_is_refused(base: KnowledgeBase, field: str) -> None:
    said = {"question": QUESTION, field: "x" * 1_000_000}
    with pytest.raises(UsageError, match="too long"):
        ratings.rate(base, said.pop("question"), answered(), "bad", **said)
    assert ratings.all_of(base) == []


def test_a_verdict_is_good_or_bad(base: KnowledgeBase) -> None:
    with pytest.raises(UsageError, match="good or bad"):
        ratings.rate(base, QUESTION, answered(), "ugly")  # type: ignore[arg-type]


def test_hostile_text_is_kept_as_plain_text(base: KnowledgeBase) -> None:
    number = ratings.rate(
        base, HOSTILE, answered(HOSTILE), "bad", reason=HOSTILE, correction=HOSTILE, by=HOSTILE
    )
    ratings.approve(base, number, HOSTILE)
    (rating,) = ratings.all_of(base)
    for text in (rating.question, rating.answer, rating.reason, rating.correction, rating.by):
        assert "DROP TABLE" in text
        assert not set(text) & {"\x1b", "\x00", "\x07", "\ud800"}
    assert len(approvals.all_of(base)) == 1


def test_two_reviewers_do_not_both_decide(base: KnowledgeBase) -> None:
    number = ratings.rate(base, QUESTION, answered(), "bad", correction="25 jours.")
    with KnowledgeBase.open(base.path) as other:
        assert len(ratings.all_of(other, "waiting")) == 1
        ratings.approve(base, number, "Mme Martin")
        with pytest.raises(UsageError, match="approved by Mme Martin"):
            ratings.reject(other, number, "M. Durand")


def test_a_base_in_use_is_a_sentence(base: KnowledgeBase) -> None:
    with KnowledgeBase.open(base.path) as other:
        other.connection.execute("PRAGMA busy_timeout = 10")
        base.connection.execute("BEGIN IMMEDIATE")
        with pytest.raises(EdgeSlmError, match="Another program"):
            ratings.rate(other, QUESTION, answered(), "good")
        base.connection.rollback()
        assert ratings.rate(other, QUESTION, answered(), "good") == 1


def test_a_damaged_rating_is_a_sentence(base: KnowledgeBase) -> None:
    number = ratings.rate(base, QUESTION, answered(), "good")
    with base.connection:
        base.connection.execute("UPDATE ratings SET passages = '[', verdict = 7")
    with pytest.raises(IntegrityError, match="damaged"):
        ratings.all_of(base)
    with pytest.raises(IntegrityError, match="damaged"):
        ratings.approve(base, number, "DRH")


def test_a_base_without_ratings_stays_as_it_is(base: KnowledgeBase) -> None:
    approvals.approve(base, QUESTION, "25 jours.", None, "DRH")
    before = base.path.read_bytes()
    assert ratings.all_of(base) == []
    assert approvals.all_of(base)[0]["rating"] is None
    assert approvals.find(base, QUESTION) is not None
    assert base.path.read_bytes() == before


def test_a_base_that_cannot_be_written_to_still_answers(base: KnowledgeBase) -> None:
    approvals.approve(base, QUESTION, "25 jours.", None, "DRH")
    base.connection.execute("PRAGMA query_only = 1")
    assert approvals.find(base, "nb de jours de congés annuels") is not None
    with pytest.raises(EdgeSlmError):
        ratings.rate(base, QUESTION, answered(), "good")


def test_a_copy_of_a_base_keeps_its_ratings(base: KnowledgeBase, tmp_path: Path) -> None:
    ratings.rate(base, QUESTION, answered(), "good")
    copy = tmp_path / "copy.db"
    base.connection.execute("VACUUM INTO ?", (str(copy),))
    with KnowledgeBase.open(copy) as other:
        assert ratings.all_of(other) == ratings.all_of(base)


_DYING = """
import os, signal, sys
from pathlib import Path
from edge_slm.kb import ratings
from edge_slm.kb.base import KnowledgeBase

ticks, last = 0, int(sys.argv[2])

def tick():
    global ticks
    ticks += 1
    if ticks == last:
        os.kill(os.getpid(), signal.SIGKILL)
    return 0

with KnowledgeBase.open(Path(sys.argv[1])) as base:
    base.connection.execute("PRAGMA cache_size = 2")
    base.connection.set_progress_handler(tick, 5)
    ratings.approve(base, 1, "DRH", answer="25 jours. " * 800)
print(ticks)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_a_kill_leaves_rating_and_answer_together(base: KnowledgeBase) -> None:
    ratings.rate(base, QUESTION, answered(), "bad")
    base.close()
    whole = base.path.read_bytes()
    command = [sys.executable, "-c", _DYING, str(base.path)]
    run = subprocess.run([*command, "-1"], cwd=ROOT, capture_output=True, text=True, check=True)
    total = int(run.stdout)
    outcomes = set()
    for place in (1, total // 3, 2 * total // 3, total):
        base.path.write_bytes(whole)
        died = subprocess.run([*command, str(max(1, place))], cwd=ROOT, capture_output=True)
        assert died.returncode == -signal.SIGKILL
        with KnowledgeBase.open(base.path) as again:
            (rating,) = ratings.all_of(again)
            served = approvals.find(again, QUESTION) is not None
            assert served == (rating.status == "approved")
            outcomes.add(served)
    assert False in outcomes


@pytest.fixture
def rated(base: KnowledgeBase) -> KnowledgeBase:
    """A base with a good answer, a corrected one, one that nobody corrected, a rejected one."""
    ratings.rate(base, "Congés ?", answered("25 jours."), "good")
    ratings.rate(base, "Repas, ou\nautre ?", answered("10 €"), "bad", correction='"12,5" €, dit-on')
    ratings.rate(base, "RTT ?", answered("Zéro."), "bad", reason="faux")
    ratings.approve(base, 3, "DRH", answer="11 jours.")
    ratings.rate(base, "Blague ?", answered("Non."), "good")
    ratings.reject(base, 4, "DRH")
    return base


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".JSONL"])
def test_rated_pairs_are_an_evaluation_file(
    rated: KnowledgeBase, tmp_path: Path, suffix: str
) -> None:
    file = tmp_path / f"pairs{suffix}"
    ratings_export.write(ratings_export.pairs(rated), file)
    if suffix == ".csv":
        with file.open(encoding="utf-8", newline="") as lines:
            rows: list[dict[str, str]] = list(csv.DictReader(lines))
    else:
        rows = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    assert [(row["query"], row["output"], row["output_true"]) for row in rows] == [
        ("Congés ?", "25 jours.", "25 jours."),
        ("Repas, ou\nautre ?", "10 €", '"12,5" €, dit-on'),
        ("RTT ?", "Zéro.", "11 jours."),
    ]
    assert [row["verdict"] for row in rows] == ["good", "bad", "bad"]
    assert rows[2]["reason"] == "faux"


def test_an_export_needs_a_suffix_and_a_folder(rated: KnowledgeBase, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"\.jsonl or a \.csv"):
        ratings_export.write(ratings_export.pairs(rated), tmp_path / "pairs.xlsx")
    (tmp_path / "file").write_text("")
    with pytest.raises(EdgeSlmError, match="cannot be written"):
        ratings_export.write(ratings_export.pairs(rated), tmp_path / "file" / "pairs.csv")


def test_the_base_of_an_answer(base: KnowledgeBase, cited: Answer) -> None:
    assert ratings.base_of(cited, [base]) is base
    assert ratings.base_of(answered(), [base]) is base
    for answer, bases in ((cited, []), (msgspec.structs.replace(cited, task="speech"), [base])):
        with pytest.raises(UsageError, match="from a base"):
            ratings.base_of(answer, bases)


def test_sqlite_gives_no_id_twice(base: KnowledgeBase) -> None:
    first = ratings.rate(base, QUESTION, answered(), "good")
    with base.connection:
        base.connection.execute("DELETE FROM ratings")
    assert ratings.rate(base, QUESTION, answered(), "good") > first
