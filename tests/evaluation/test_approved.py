"""eval approved: counts what is served and what is wrong; the shipped questions keep level."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from edge_slm.cli.evaluate.approved import command
from edge_slm.errors import UsageError
from edge_slm.evaluation.approved import Row, evaluate
from edge_slm.evaluation.rows import read_rows
from edge_slm.kb import approvals
from edge_slm.kb.base import KnowledgeBase

FOLDER = Path(__file__).parents[2] / "examples" / "faq"
ROWS = [
    Row(
        "Comment poser un jour de RTT ?",
        ("démarche pour prendre un RTT", "rien à voir du tout"),
        ("Comment reporter un jour de RTT ?",),
    ),
    Row("Quand le salaire est-il versé ?", ("comment poser un rtt ?",), ()),
    Row(None, (), ("Quelle est la capitale du Pérou ?",)),
]


def test_served_and_wrong_are_counted() -> None:
    score, asked = evaluate(ROWS)
    assert (score.approved, score.paraphrases, score.others) == (2, 3, 2)
    assert score.served == pytest.approx(1 / 3, abs=1e-4)
    assert (score.wrong, score.wrong_count) == (0.2, 1)
    assert "comment poser un rtt ?" in score.mistaken[0]
    assert [one.wanted for one in asked][-2:] == [None, None]
    served = [point.served for point in score.curve]
    assert served == sorted(served, reverse=True)


def test_made_up_answers_fill_up_and_change_nothing() -> None:
    alone, _ = evaluate(ROWS)
    crowd, _ = evaluate(ROWS, among=60)
    assert crowd.approved == 60
    assert (crowd.served, crowd.wrong) == (alone.served, alone.wrong)


def test_a_base_is_tried_in_a_copy(home: Path) -> None:
    with KnowledgeBase.create(home / "kb" / "rh.db", "fake", 4) as base:
        approvals.approve(base, "Comment poser un jour de RTT ?", "Ainsi.", None, "DRH")
        score, _ = evaluate(ROWS, base)
        assert score.approved == 2
        assert [row["answer"] for row in approvals.all_of(base)] == ["Ainsi."]


@pytest.mark.parametrize(
    ("name", "served", "wrong"),
    [("dev.jsonl", 0.6, 0.002), ("held_out.jsonl", 0.4, 0.005)],
)
def test_the_shipped_questions_keep_their_level(name: str, served: float, wrong: float) -> None:
    score, _ = evaluate(read_rows(FOLDER / name, Row))
    assert score.served >= served
    assert score.wrong <= wrong


def test_the_shipped_questions_are_distinct() -> None:
    rows = [r for name in ("dev", "held_out") for r in read_rows(FOLDER / f"{name}.jsonl", Row)]
    texts = [t for r in rows for t in (r.question, *r.paraphrases, *r.near) if t]
    assert len(rows) > 60
    twice = {text for text in texts if texts.count(text) > 1}
    assert twice <= {t for r in rows for t in r.near} | {r.question for r in rows}
    assert all(set(r.paraphrases).isdisjoint(r.near) for r in rows)


def test_the_command_prints_figures_and_writes_details(tmp_path: Path) -> None:
    file, details = tmp_path / "rows.jsonl", tmp_path / "details.jsonl"
    file.write_text('{"question": "Comment poser un RTT ?", "paraphrases": ["poser un rtt"]}')
    words = ["--questions", str(file), "--json", "--details", str(details)]
    result = CliRunner().invoke(command, words)
    row = json.loads(result.stdout)
    assert (row["approved"], row["paraphrases"]) == (1, 1)
    assert {"served", "wrong", "p50_ms", "p95_ms", "curve"} <= row.keys()
    (line,) = details.read_text("utf-8").splitlines()
    assert json.loads(line)["question"] == "poser un rtt"


@pytest.mark.parametrize("content", [b"", b"{", b"\x00\xff", b'{"question": 7}'])
def test_a_file_that_holds_no_rows_is_a_sentence(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_bytes(content)
    result = CliRunner().invoke(command, ["--questions", str(file)])
    assert isinstance(result.exception, UsageError)
