"""`edge-slm eval retrieval` on a corpus of five rows."""

import json
from pathlib import Path
from typing import Any

import pytest

from .runner import Runner, sentence

pytestmark = pytest.mark.model

TEXTS = {
    "conges": ("Congés annuels", "Un agent à temps plein a 25 jours de congés annuels par an."),
    "velo": ("Vélo", "Le trajet à vélo donne droit à un forfait de 300 euros par an."),
    "repas": ("Repas", "Le repas au restaurant municipal coûte 4,60 euros."),
    "greve": ("Grève", "Le préavis de grève est déposé cinq jours avant par le syndicat."),
    "paie": ("Paie", "Le traitement est versé le 27 de chaque mois sur le compte bancaire."),
}
QUESTIONS = {
    "Combien de jours de congés annuels à temps plein ?": "conges",
    "Combien vaut le forfait vélo ?": "velo",
    "Quel jour le traitement est-il versé ?": "paie",
    "Qui a peint la Joconde ?": None,
}


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    rows = [{"id": key, "title": title, "text": text} for key, (title, text) in TEXTS.items()]
    return write(tmp_path / "corpus.jsonl", rows)


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    rows = [{"question": text, "gold_doc": gold} for text, gold in QUESTIONS.items()]
    return write(tmp_path / "questions.jsonl", rows)


def test_it_scores_and_keeps_its_index(run: Runner, corpus: Path, questions: Path) -> None:
    arguments = ("eval", "retrieval", "--corpus", corpus, "--questions", questions)
    first = run(*arguments, "--json")
    assert first.returncode == 0, first.stderr
    score = json.loads(first.stdout)
    assert score["questions"] == 3  # the one without a document is not scored
    assert (score["top1"], score["top5"], score["mrr"]) == (1, 1, 1)
    assert 0 < score["p50_ms"] <= score["p95_ms"]
    assert score["documents"] == 5
    assert "Indexing" in first.stderr

    kept = sorted((run.home / "cache" / "eval").glob("*.db"))
    second = run(*arguments, "--json")
    assert second.stderr == ""  # nothing is indexed again
    assert sorted((run.home / "cache" / "eval").glob("*.db")) == kept
    again = json.loads(second.stdout)
    figures = ("questions", "top1", "top5", "mrr", "passages", "documents", "missed")
    assert [again[name] for name in figures] == [score[name] for name in figures]

    hidden = run.json(*arguments, "--hide-titles")
    assert hidden["documents"] == 5
    assert len(list((run.home / "cache" / "eval").glob("*.db"))) == len(kept) + 1
    assert "top1: 1.0" in run(*arguments).stdout


def test_a_wrong_answer_lowers_the_score(run: Runner, corpus: Path, tmp_path: Path) -> None:
    asked = write(
        tmp_path / "q.jsonl",
        [{"question": question, "gold_doc": "greve"} for question in list(QUESTIONS)[:3]],
    )
    score = run.json("eval", "retrieval", "--corpus", corpus, "--questions", asked)
    assert score["top1"] == 0
    assert score["mrr"] < 1
    assert len(score["missed"]) == 3


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("questions", b'{"question": 3}\n'),
        ("questions", b"not json\n"),
        ("questions", b"\xff\xfe\x00\n"),
        ("questions", b""),
        ("questions", None),
        ("corpus", b'{"id": "x"}\n'),
        ("corpus", b'["x"]\n'),
        ("corpus", b""),
        ("corpus", None),
    ],
)
def test_bad_rows(
    run: Runner, corpus: Path, questions: Path, name: str, content: bytes | None
) -> None:
    files = {"corpus": corpus, "questions": questions}
    if content is None:
        files[name].unlink()
    else:
        files[name].write_bytes(content)
    result = run(
        *("eval", "retrieval", "--corpus", corpus, "--questions", questions, "--json"),
    )
    assert files[name].name in sentence(result, 2)
    assert result.stdout == ""
