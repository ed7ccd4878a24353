"""The index of a corpus: kept by the hash of what it was made of, whole or absent."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from edge_slm import paths
from edge_slm.errors import UsageError
from edge_slm.evaluation.corpus import indexed
from edge_slm.kb.vectors import Vectors
from tests.evaluation.conftest import CORPUS
from tests.fakes import FakeEmbedder


class Failing(FakeEmbedder):
    """Fails at the second document."""

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        if self.passages:
            raise KeyboardInterrupt
        return super().embed_passages(texts)


def kept() -> list[Path]:
    folder = paths.cache_dir() / "eval"
    found = folder.glob("*.db") if folder.exists() else []
    return sorted(path for path in found if not path.name.startswith("partial-"))


def test_the_index_holds_the_corpus(corpus: Path) -> None:
    with indexed([corpus], FakeEmbedder()) as base:
        assert [stored.name for stored in base.documents()] == sorted(CORPUS)
        assert base.documents()[1].title == "Congés"


def test_the_same_files_use_the_same_index(corpus: Path, tmp_path: Path) -> None:
    first, second = FakeEmbedder(), FakeEmbedder()
    indexed([corpus], first).close()
    (path,) = kept()
    moved = tmp_path / "moved.jsonl"
    corpus.rename(moved)
    with indexed([moved], second) as base:
        assert base.path == path
        assert len(base.documents()) == 3
    assert len(first.passages) == 3
    assert second.passages == []


def test_the_order_of_the_files_does_not_matter(corpus: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.jsonl"
    other.write_text('{"id": "z", "title": "Z", "text": "Autre texte."}\n', "utf-8")
    indexed([corpus, other], FakeEmbedder()).close()
    with indexed([other, corpus], FakeEmbedder()) as base:
        assert len(base.documents()) == 4
    assert len(kept()) == 1


def test_a_changed_file_gives_another_index(corpus: Path) -> None:
    indexed([corpus], FakeEmbedder()).close()
    corpus.write_text(corpus.read_text("utf-8").replace("midi", "treize heures"), "utf-8")
    with indexed([corpus], FakeEmbedder()) as base:
        assert "treize heures" in (base.page("cantine", 1) or "")
    assert len(kept()) == 2


def test_hidden_titles_give_another_index_without_them(corpus: Path) -> None:
    indexed([corpus], FakeEmbedder()).close()
    embedder = FakeEmbedder()
    with indexed([corpus], embedder, hide_titles=True) as base:
        assert {stored.title for stored in base.documents()} == {""}
    assert not any(text.startswith("Congés") for text in embedder.passages)
    assert len(kept()) == 2


def test_other_passages_give_another_index(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    indexed([corpus], FakeEmbedder()).close()
    monkeypatch.setattr("edge_slm.kb.passages.TARGET", 123)
    indexed([corpus], FakeEmbedder()).close()
    assert len(kept()) == 2


def test_an_interrupted_build_leaves_none(corpus: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        indexed([corpus], Failing())
    assert kept() == []
    with indexed([corpus], FakeEmbedder()) as base:
        assert len(base.documents()) == 3
    assert len(kept()) == 1
    assert len(list((paths.cache_dir() / "eval").iterdir())) == 1  # what was left is used up


@pytest.mark.parametrize("name", ["absent.jsonl", "."])
def test_a_missing_file_is_said(corpus: Path, tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="There is no file"):
        indexed([corpus, tmp_path / name], FakeEmbedder())
    assert kept() == []


def test_a_bad_row_leaves_no_index(corpus: Path) -> None:
    corpus.write_text(corpus.read_text("utf-8") + "{\n", "utf-8")
    with pytest.raises(UsageError, match="line 4"):
        indexed([corpus], FakeEmbedder())
    assert kept() == []
