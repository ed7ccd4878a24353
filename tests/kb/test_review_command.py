"""edge-slm kb review, without a model: lists, decides, exports, and says what is wrong."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from edge_slm.cli import kb_review
from edge_slm.errors import EdgeSlmError, UsageError
from edge_slm.kb import approvals, ratings
from edge_slm.kb.base import KnowledgeBase
from tests.kb.test_ratings import QUESTION, answered


def review(*words: str) -> Result:
    result = CliRunner().invoke(kb_review.command, words)
    if isinstance(result.exception, EdgeSlmError):
        raise result.exception
    return result


@pytest.fixture
def waiting(base: KnowledgeBase) -> KnowledgeBase:
    ratings.rate(base, QUESTION, answered(), "bad", reason="périmé", correction="25 jours.")
    return base


def test_waiting_ratings_are_listed_of_one_base_or_of_all(waiting: KnowledgeBase) -> None:
    for words in (("rh",), ()):
        text = review(*words).output
        for said in (QUESTION, "24 jours.", "périmé", "25 jours."):
            assert said in text
        (row,) = json.loads(review(*words, "--json").stdout)
        assert (row["base"], row["id"], row["status"]) == ("rh", 1, "waiting")


def test_a_decided_rating_is_listed_with_all_only(waiting: KnowledgeBase) -> None:
    assert "serves from now on" in review("rh", "--approve", "1", "--by", "DRH").output
    assert "No rating waits" in review("rh").output
    (row,) = json.loads(review("rh", "--all", "--json").stdout)
    assert (row["status"], row["decided_by"]) == ("approved", "DRH")
    assert "25 jours." in review("rh", "--approved").output
    assert "waits again" in review("rh", "--reopen", "1").output
    assert approvals.all_of(waiting) == []
    assert "closed" in review("rh", "--reject", "1", "--by", "DRH").output


def test_the_reviewer_may_give_another_text(waiting: KnowledgeBase) -> None:
    words = ("--answer", "26 jours.", "--question", "Combien de congés ?")
    review("rh", "--approve", "1", "--by", "DRH", *words)
    (row,) = approvals.all_of(waiting)
    assert (row["question"], row["answer"]) == ("Combien de congés ?", "26 jours.")


def test_an_export_holds_the_pairs_of_all_bases(waiting: KnowledgeBase, tmp_path: Path) -> None:
    file = tmp_path / "pairs.jsonl"
    assert "1 rows" in review("--export", str(file)).output
    row = json.loads(file.read_text("utf-8"))
    assert (row["query"], row["output"], row["output_true"]) == (
        QUESTION,
        "24 jours.",
        "25 jours.",
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("rh", "--approve", "1", "--reject", "1"), "one thing"),
        (("rh", "--approve", "1"), "--by"),
        (("rh", "--approve", "1", "--by", "DRH", "--answer", "  "), "empty"),
        (("rh", "--approve", "9", "--by", "DRH"), "no rating 9"),
        (("rh", "--approve", "1", "--by", "DRH", "--passage", "7"), "no passage 7"),
        (("rh", "--withdraw", "3"), "No approval"),
        (("rh", "--question", "Quoi ?"), "--answer"),
        (("absente",), "no base"),
        (("rh", "--export", "pairs.txt"), ".jsonl"),
        (("rh", "--export", "pairs.csv", "--reject", "1"), "one thing"),
    ],
)
def test_what_is_wrong_is_a_sentence(
    waiting: KnowledgeBase, words: tuple[str, ...], said: str
) -> None:
    with pytest.raises(UsageError, match=said.replace(".", r"\.")):
        review(*words)
    assert [rating.status for rating in ratings.all_of(waiting)] == ["waiting"]


def test_a_decision_names_its_base_where_there_are_several(
    waiting: KnowledgeBase, home: Path
) -> None:
    with KnowledgeBase.create(home / "kb" / "autre.db", "fake", 4):
        pass
    with pytest.raises(UsageError, match="Name the base"):
        review("--approve", "1", "--by", "DRH")
