"""edge-slm kb synonyms: each change says how it is undone."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from edge_slm.cli.kb_synonyms import command
from edge_slm.errors import UsageError
from edge_slm.kb.base import KnowledgeBase
from tests.fakes import FakeEmbedder
from tests.kb.samples import document


def run(base: KnowledgeBase, *arguments: str) -> Result:
    return CliRunner().invoke(command, [str(base.path), *arguments], catch_exceptions=False)


def test_a_synonym_is_added_listed_and_removed(base: KnowledgeBase) -> None:
    added = run(base, "add", "la popote", "cantine du siège")
    assert f"edge-slm kb synonyms {base.path} remove 'la popote'" in added.stderr
    assert added.stdout == ""
    assert run(base).stdout == "la popote\tcantine du siège\n"
    removed = run(base, "remove", "la popote")
    assert f"edge-slm kb synonyms {base.path} add 'la popote' 'cantine du siège'" in removed.stderr
    assert run(base, "list").stdout == ""


def test_a_file_is_imported(base: KnowledgeBase, tmp_path: Path) -> None:
    path = tmp_path / "mots.csv"
    path.write_text("said,written\nla popote,cantine\nle taf,travail\n", encoding="utf-8")
    assert json.loads(run(base, "import", str(path), "--json").stdout) == [
        {"said": "la popote", "written": "cantine"},
        {"said": "le taf", "written": "travail"},
    ]
    again = run(base, "import", str(path))
    assert "remove" not in again.stderr


def test_what_the_documents_explain_is_listed(base: KnowledgeBase, embedder: FakeEmbedder) -> None:
    base.add(document("a.md", "La prime d'attrait régional (PAR)."), embedder)
    assert run(base).stdout.startswith("PAR\tprime d'attrait régional\t(")
    listed = json.loads(run(base, "list", "--json").stdout)
    assert listed == {"synonyms": [], "learnt": {"par": "prime d'attrait régional"}}


@pytest.mark.parametrize(
    "arguments",
    [("add", "seul"), ("add", "a", "b", "c"), ("remove",), ("remove", "absent"), ("import",)],
)
def test_wrong_usage_is_said(base: KnowledgeBase, arguments: tuple[str, ...]) -> None:
    with pytest.raises(UsageError):
        run(base, *arguments)
