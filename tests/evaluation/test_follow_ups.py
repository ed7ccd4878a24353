"""The suite on follow-up questions, counted by hand; and the dialogues that are shipped."""

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from edge_slm.cli import run
from edge_slm.conversation.follow_up import Turn
from edge_slm.evaluation.follow_ups import Dialogue, evaluate
from edge_slm.evaluation.rewriting import by_model
from edge_slm.evaluation.rows import read_rows
from edge_slm.kb.base import KnowledgeBase
from edge_slm.kb.documents import Block, Document
from tests.core.source_tree import ROOT
from tests.fakes import DIMENSIONS, FakeEmbedder, ScriptedChat

SHIPPED = ROOT / "examples" / "rh" / "follow_ups.jsonl"
LEAVE = "Combien de jours de congé de paternité pour des jumeaux ?"
ROWS = [
    Dialogue((LEAVE,), "et pour des triplés ?", True, (LEAVE.replace("jumeaux", "triplés"),)),
    Dialogue((LEAVE,), "c'est payé ?", True, ("Le congé de paternité est-il payé ?",)),
    Dialogue((LEAVE,), "Comment poser des RTT ?", False),
    Dialogue((LEAVE,), "et pour des triplés ?", False),
]


def test_rewritings_are_counted_and_what_was_missed_is_named() -> None:
    score, rows = evaluate(ROWS)
    assert (score.dialogues, score.follow_ups, score.fresh) == (4, 2, 2)
    assert (score.exact, score.accepted, score.fresh_kept) == (0.5, 0.5, 0.5)
    assert [row.right for row in rows] == [True, False, True, False]
    assert len(score.missed) == 2
    assert 0 < score.p50_ms <= score.p95_ms
    assert (score.searched, score.top1_typed, score.top1_understood) == (0, None, None)


def test_any_other_rewriting_can_be_counted() -> None:
    def nothing(question: str, turns: Sequence[Turn]) -> str:
        return question

    score, _ = evaluate(ROWS, nothing)
    assert (score.accepted, score.fresh_kept) == (0.0, 1.0)
    assert evaluate([], nothing)[0].dialogues == 0


def test_retrieval_is_told_with_and_without(tmp_path: Path) -> None:
    with KnowledgeBase.create(tmp_path / "rh.db", "fake", DIMENSIONS) as base:
        for name, text in {
            "paternite.md": "Le congé de paternité dure 25 jours.",
            "paie.md": "Le salaire est payé le 27 du mois, c'est payé par virement.",
        }.items():
            base.add(Document(name, name, (Block(text, 1, ""),)), FakeEmbedder())
        row = Dialogue(("Ai-je un congé de paternité ?",), "combien de jours ?", True, (), "fr")
        answered = Dialogue(*(row.earlier, row.question, True), gold_doc="paternite.md")
        score, rows = evaluate([answered], base=base, embedder=FakeEmbedder())
    assert (score.searched, score.top1_understood) == (1, 1.0)
    assert rows[0].document_understood == "paternite.md"


def test_a_model_is_asked_only_where_there_is_something_to_lean_on() -> None:
    engine = ScriptedChat(["Combien de jours de RTT ?"])
    rewrite = by_model(engine)
    assert rewrite("et de RTT ?", [Turn(LEAVE, LEAVE)]) == "Combien de jours de RTT ?"
    assert rewrite("et de RTT ?", []) == "et de RTT ?"
    assert rewrite("Merci !", [Turn(LEAVE, LEAVE)]) == "Merci !"
    assert "et de RTT ?" in engine.asked[0][-1].content


def test_the_dialogues_shipped_are_as_described() -> None:
    rows = read_rows(SHIPPED, Dialogue)
    assert len(rows) >= 120
    assert len({(row.earlier, row.question) for row in rows}) == len(rows)
    splits = Counter(row.split for row in rows)
    assert set(splits) == {"dev", "held-out"}
    assert min(splits.values()) >= 60
    assert {row.language for row in rows} == {"fr", "en"}
    for row in rows:
        assert 1 <= len(row.earlier) <= 2
        assert bool(row.expected) == row.follow_up
        assert row.gold_doc is None or (SHIPPED.parent / row.gold_doc).is_file()


@pytest.mark.parametrize(("split", "floor"), [("dev", 0.95), ("held-out", 0.9)])
def test_most_dialogues_shipped_are_understood_and_no_fresh_question_is_changed(
    split: str, floor: float
) -> None:
    rows = [row for row in read_rows(SHIPPED, Dialogue) if row.split == split]
    score, _ = evaluate(rows)
    assert score.accepted >= floor
    assert score.fresh_kept == 1.0


def test_the_command_prints_figures_and_writes_details(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    details = tmp_path / "details.jsonl"
    words = ["eval", "follow-ups", "--questions", str(SHIPPED), "--split", "dev", "--sample", "20"]
    assert run([*words, "--details", str(details), "--json"]) == 0
    score = json.loads(capsys.readouterr().out)
    assert score["dialogues"] == 20
    assert {"exact", "accepted", "fresh_kept", "p95_ms"} <= set(score)
    lines = details.read_text(encoding="utf-8").splitlines()
    assert len(lines) == 20
    assert {"before", "question", "understood", "right"} <= set(json.loads(lines[0]))
    assert run([*words[:4], "--split", "none"]) == 2


@pytest.mark.parametrize("data", [b"", b"{", b"\x00\xff", b'{"question": "x"}', b"[]"])
def test_a_file_that_holds_no_dialogue_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(data)
    assert run(["eval", "follow-ups", "--questions", str(path)]) == 2
