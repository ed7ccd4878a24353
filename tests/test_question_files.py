"""The questions on the State's fiches: well formed, distinct, split by fiche, proved by the fiche.

The fiches are not in the repository; the tests that need them skip without.
"""

import json
import re
import unicodedata
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from edge_slm.evaluation.answers import Question
from edge_slm.evaluation.rows import read_rows

REPOSITORY = Path(__file__).parents[1]
FOLDER = REPOSITORY / "examples" / "questions"
FICHES = REPOSITORY.parent / "shared" / "data" / "qa" / "corpus_fonction_publique.jsonl"
NAMES = ("fonction_publique.jsonl", "sans_reponse.jsonl")
YES_NO = {"oui", "non"}


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


def plain(text: str) -> str:
    letters = unicodedata.normalize("NFKD", text.casefold().replace("’", "'"))
    return " ".join("".join(c for c in letters if not unicodedata.combining(c)).split())


ANSWERABLE, UNANSWERABLE = (lines_of(FOLDER / name) for name in NAMES)
EVERY = ANSWERABLE + UNANSWERABLE


@pytest.fixture(scope="module")
def fiches() -> dict[str, str]:
    if not FICHES.is_file():
        pytest.skip("the State's fiches are not beside the repository (shared/data/qa)")
    return {row["id"]: row["text_court"] for row in lines_of(FICHES)}


def test_there_are_enough_questions_of_both_kinds() -> None:
    assert len(ANSWERABLE) >= 160
    assert len({row["gold_doc"] for row in ANSWERABLE}) >= 120
    assert len(UNANSWERABLE) >= 160


def test_answerable_rows_are_well_formed() -> None:
    keys = ["id", "question", "gold_doc", "evidence", "key_facts", "answerable", "split"]
    for row in ANSWERABLE:
        assert list(row) == keys, row
        assert re.fullmatch(r"fp-\d{3}", row["id"]), row
        assert re.fullmatch(r"F\d+", row["gold_doc"]), row
        assert row["answerable"] is True, row
        assert 0 < len(row["evidence"]) <= 120 and "\n" not in row["evidence"], row
        assert row["key_facts"] and all(isinstance(f, str) and f for f in row["key_facts"]), row
        assert not set(row["key_facts"]) >= YES_NO, row


def test_unanswerable_rows_are_well_formed() -> None:
    for row in UNANSWERABLE:
        assert list(row) == ["id", "question", "answerable", "reason", "difficulty", "split"], row
        assert re.fullmatch(r"sr-\d{3}", row["id"]), row
        assert row["answerable"] is False, row
        assert row["reason"], row
        assert row["difficulty"] in {"proche", "moyen", "loin"}, row


def test_no_id_and_no_question_comes_twice() -> None:
    assert len({row["id"] for row in EVERY}) == len(EVERY)
    questions = [re.sub(r"\W+", " ", plain(row["question"])).strip() for row in EVERY]
    assert all(questions)
    assert len(set(questions)) == len(questions)


@pytest.mark.parametrize("rows", [ANSWERABLE, UNANSWERABLE], ids=NAMES)
def test_a_split_holds_about_half_of_the_rows(rows: list[dict[str, Any]]) -> None:
    assert {row["split"] for row in rows} == {"dev", "test"}
    assert 0.45 <= sum(row["split"] == "dev" for row in rows) / len(rows) <= 0.55


def test_all_questions_of_a_fiche_are_in_one_split() -> None:
    splits = defaultdict(set)
    for row in ANSWERABLE:
        splits[row["gold_doc"]].add(row["split"])
    assert [fiche for fiche, where in splits.items() if len(where) > 1] == []


@pytest.mark.parametrize("difficulty", ["proche", "moyen", "loin"])
def test_each_difficulty_is_in_both_splits(difficulty: str) -> None:
    rows = [row for row in UNANSWERABLE if row["difficulty"] == difficulty]
    assert {row["split"] for row in rows} == {"dev", "test"}


@pytest.mark.parametrize("name", NAMES)
def test_the_suites_read_the_files(name: str) -> None:
    rows = read_rows(FOLDER / name, Question)
    assert [row.answerable for row in rows] == [
        row["answerable"] for row in lines_of(FOLDER / name)
    ]


def test_the_readme_counts_the_rows() -> None:
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    for name, rows in zip(NAMES, (ANSWERABLE, UNANSWERABLE), strict=True):
        assert f"| `{name}` | {len(rows)} |" in readme
    assert f"over {len({row['gold_doc'] for row in ANSWERABLE})} fiches" in readme
    for difficulty in ("proche", "moyen", "loin"):
        count = sum(row["difficulty"] == difficulty for row in UNANSWERABLE)
        assert re.search(rf"{count} \w+ \(`{difficulty}`\)", readme), difficulty


def test_evidence_is_in_its_fiche(fiches: dict[str, str]) -> None:
    wrong = [r["id"] for r in ANSWERABLE if r["evidence"] not in fiches.get(r["gold_doc"], "")]
    assert wrong == []


def test_key_facts_stand_on_a_line_of_the_evidence(fiches: dict[str, str]) -> None:
    wrong = []
    for row in ANSWERABLE:
        lines = [
            plain(line) for line in fiches[row["gold_doc"]].split("\n") if row["evidence"] in line
        ]
        facts = [plain(fact) for fact in row["key_facts"] if fact not in YES_NO]
        whole = [re.compile(rf"(?<!\w){re.escape(fact)}(?!\w)") for fact in facts]
        if not any(all(fact.search(line) for fact in whole) for line in lines):
            wrong.append(row["id"])
    assert wrong == []
