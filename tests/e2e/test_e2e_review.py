"""A wrong answer is rated, corrected, approved, and served; the weights stay what they were."""

import json
from pathlib import Path

import pytest

from edge_slm.files import sha256_of

from .runner import Runner, sentence

pytestmark = pytest.mark.model

NOTE = "# Vestiaires\n\n## Clés\n\nLa clé du vestiaire bleu coûte 12 € si elle est perdue.\n"
QUESTION = "Combien coûte la clé du vestiaire bleu quand on la perd ?"
CORRECTION = "15 € depuis janvier, à régler à l'accueil."


def weights(home: Path) -> dict[str, str]:
    files = (path for path in (home / "store").rglob("*") if path.is_file())
    return {str(path): sha256_of(path) for path in files}


def test_feedback_teaches_the_base_and_never_the_weights(
    run: Runner, base: str, tmp_path: Path
) -> None:
    note = tmp_path / "vestiaires.md"
    note.write_text(NOTE, encoding="utf-8")
    assert run("kb", "add", base, note).returncode == 0
    before = weights(run.home)
    assert before

    words = ("--rate", "bad", "--reason", "tarif périmé", "--correction", CORRECTION)
    rated = run("ask", "--kb", base, "--json", QUESTION, *words, "--by", "A. Martin")
    given = json.loads(rated.stdout)
    assert "waits for a reviewer" in rated.stderr
    (row,) = run.json("kb", "review", base)
    assert (row["verdict"], row["by"], row["kind"]) == ("bad", "A. Martin", given["kind"])
    assert (row["answer"], row["correction"]) == (given["text"], CORRECTION)

    number = str(row["id"])
    assert run("kb", "review", base, "--approve", number, "--by", "DRH").returncode == 0
    assert run.json("kb", "review", base) == []
    for question in (QUESTION, "clé du vestiaire bleu perdue, combien ça coûte"):
        answer = run.json("ask", "--kb", base, question)
        assert (answer["kind"], answer["text"]) == ("approved", CORRECTION)
        assert answer["model"] is None
        assert answer["usage"] == {
            "prompt_tokens": 0,
            "cached_tokens": 0,
            "completion_tokens": 0,
        }
    (approval,) = run.json("kb", "review", base, "--approved")
    assert (approval["approved_by"], approval["rating"]) == ("DRH", row["id"])

    assert run("kb", "review", base, "--reopen", number).returncode == 0
    assert run.json("ask", "--kb", base, QUESTION)["kind"] != "approved"
    assert weights(run.home) == before


def test_a_rating_needs_its_verdict(run: Runner, base: str) -> None:
    assert "--rate" in sentence(run("ask", "--kb", base, "Quoi ?", "--reason", "faux"), 2)
    assert "empty" in sentence(
        run("ask", "--kb", base, "Quoi ?", "--rate", "bad", "--correction", " "), 2
    )
