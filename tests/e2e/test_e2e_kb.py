"""The life of a base, from its creation to its removal; `doctor` and `models list` beside it."""

import json
import shutil
from pathlib import Path

import pytest

from edge_slm.profiles import PROFILES

from .runner import HANDBOOK, Runner, sentence

pytestmark = pytest.mark.model

NOTE = "# Vestiaires\n\n## Clés\n\nLa clé du vestiaire bleu coûte 12 € si elle est perdue.\n"
QUESTION = "Combien coûte la clé du vestiaire bleu perdue ?"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "documents"
    (folder / "sub").mkdir(parents=True)
    (folder / "vestiaires.md").write_text(NOTE, encoding="utf-8")
    shutil.copy(HANDBOOK / "conges-annuels.md", folder / "sub")
    shutil.copy(HANDBOOK / "guide-accueil-agent.pdf", folder)
    (folder / ".hidden.md").write_text("# Non\n\nCeci est caché.\n", encoding="utf-8")
    (folder / "photo.jpg").write_bytes(b"\xff\xd8")
    return folder


def test_the_life_of_a_base(run: Runner, base: str, folder: Path, tmp_path: Path) -> None:
    assert base in sentence(run("kb", "create", base), 2)

    added = run("kb", "add", base, folder)
    assert added.returncode == 0
    assert "3 added, 0 unchanged, 0 left out" in added.stderr
    again = run("kb", "add", base, folder)
    assert again.returncode == 0
    assert "0 added, 3 unchanged, 0 left out" in again.stderr

    row = next(row for row in run.json("kb", "list") if row["name"] == base)
    assert row["documents"] == 3
    assert row["passages"] > 10
    names = run.documents(base)
    assert names == ["conges-annuels.md", "guide-accueil-agent.pdf", "vestiaires.md"]
    listed = run("kb", "show", base).stdout.splitlines()
    assert [line.split("\t")[0] for line in listed] == names
    assert "Préau" in run("kb", "show", base, names[1], "--page", "4").stdout
    sentence(run("kb", "show", base, names[1], "--page", "99"), 2)
    sentence(run("kb", "show", base, "absent.pdf"), 2)

    hits = run.json("kb", "search", base, *QUESTION.split(), "--limit", "2")
    assert len(hits) == 2
    assert (hits[0]["document"], hits[0]["page"]) == ("vestiaires.md", 1)
    assert "empty" in sentence(run("kb", "search", base, " "), 2)

    approve_and_withdraw(run, base, str(hits[0]["passage"]))
    export_both_ways(run, base, names, tmp_path)

    removed = run("kb", "remove", base, "vestiaires.md", "absent.md")
    assert removed.returncode == 2
    assert "absent.md" in removed.stderr
    assert run.documents(base) == names[:2]
    assert "--yes" in sentence(run("kb", "remove", base), 2)
    assert run.documents(base) == names[:2]
    assert run("kb", "remove", base, "--yes").returncode == 0
    sentence(run("kb", "show", base), 2)


def approve_and_withdraw(run: Runner, base: str, passage: str) -> None:
    """An approved answer is given word for word, with its passage, until it is withdrawn."""
    words = ("--question", QUESTION, "--answer", "Douze euros, à l'accueil.", "--by", "Anne")
    assert run("kb", "review", base, *words, "--passage", passage).returncode == 0
    # Other words of the same stems: the same question.
    answer = run.json("ask", "--kb", base, "combien coûte une clé perdue du vestiaire bleu")
    assert (answer["kind"], answer["text"]) == ("approved", "Douze euros, à l'accueil.")
    assert answer["model"] is None
    assert answer["usage"]["completion_tokens"] == 0
    assert answer["sources"][0]["document"] == "vestiaires.md"
    (row,) = run.json("kb", "review", base, "--approved")
    assert row["approved_by"] == "Anne"
    assert run("kb", "review", base, "--withdraw", str(row["id"])).returncode == 0
    assert run.json("kb", "review", base, "--approved") == []
    sentence(run("kb", "review", base, "--withdraw", str(row["id"])), 2)
    assert "--by" in sentence(run("kb", "review", base, *words[:4]), 2)


def export_both_ways(run: Runner, base: str, names: list[str], folder: Path) -> None:
    """A copied base answers under its own path; JSON lines go into another base."""
    copy, rows = folder / "copy.db", folder / "rows.jsonl"
    assert run("kb", "export", base, copy).returncode == 0
    assert run("kb", "export", base, rows).returncode == 0
    assert run.json("ask", "--kb", copy, QUESTION)["sources"][0]["document"] == "vestiaires.md"
    lines = [json.loads(line) for line in rows.read_text(encoding="utf-8").splitlines()]
    assert [line["id"] for line in lines] == names
    assert "12 €" in lines[2]["text"]
    other = f"{base}-2"
    assert run("kb", "create", other).returncode == 0
    assert run("kb", "add", other, rows).returncode == 0
    assert len(run.documents(other)) == 3
    assert run("kb", "remove", other, "--yes").returncode == 0


def test_a_file_that_is_no_base(run: Runner, tmp_path: Path) -> None:
    false = tmp_path / "false.db"
    false.write_bytes(b"SQLite format 3\0" + bytes(range(256)) * 20)
    assert "false.db" in sentence(run("ask", "--kb", false, QUESTION), 4)
    assert "false.db" in sentence(run("kb", "show", false), 4)


def test_doctor_tells_what_is_here_and_what_is_not(run: Runner, bare: Runner) -> None:
    checks = run.json("doctor")
    assert all({"name", "well", "seen", "mend"} <= set(check) for check in checks)
    models = next(check for check in checks if check["name"] == "models")
    assert models["well"]
    assert PROFILES["lite"][0] in models["seen"]
    result = bare("doctor", "--json")
    assert result.returncode == 3
    models = next(check for check in json.loads(result.stdout) if check["name"] == "models")
    assert not models["well"]
    assert "edge-slm models pull" in models["mend"]


def test_models_list_tells_what_is_here(run: Runner) -> None:
    rows = {row["id"]: row for row in run.json("models", "list")}
    assert all(rows[model]["installed"] for model in PROFILES["lite"])
    assert not all(row["installed"] for row in rows.values())
