"""Documents in and out of a base: added once, replaced whole, removed without a trace."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from edge_slm import paths
from edge_slm.errors import IntegrityError, UsageError
from edge_slm.kb import approvals
from edge_slm.kb.base import KnowledgeBase, base_path, list_bases
from edge_slm.kb.documents import Block, Document
from edge_slm.kb.search import search
from edge_slm.kb.vectors import Vectors
from tests.fakes import DIMENSIONS, FakeEmbedder
from tests.kb.samples import LEAVE, MEALS, REMOTE, check_whole, document, long_document


def test_a_document_is_stored_with_its_pages_and_facts(
    base: KnowledgeBase, embedder: FakeEmbedder
) -> None:
    blocks = (Block(LEAVE, 1, "Droits"), Block("Suite.", 1, "Droits"), Block(REMOTE, 3, ""))
    given = Document("g.pdf", "Guide", blocks, "https://x.example/g", "2024-05-01", "Etalab 2.0")
    counts: list[int] = []
    assert base.add(given, embedder, access="interne", on_passages=counts.append) is True
    (stored,) = base.documents()
    assert (stored.name, stored.title, stored.pages, stored.passages) == ("g.pdf", "Guide", 3, 2)
    assert (stored.date, stored.licence) == ("2024-05-01", "Etalab 2.0")
    assert (stored.origin, stored.access) == ("https://x.example/g", "interne")
    assert base.page("g.pdf", 1) == f"{LEAVE}\n\nSuite."
    assert base.page("g.pdf", 3) == REMOTE
    assert base.page("g.pdf", 2) is None
    assert base.page("other.pdf", 1) is None
    assert sum(counts) == base.passage_count() == 2
    # What is embedded stands under its titles.
    assert embedder.passages[0] == f"Guide > Droits\n{LEAVE}\nSuite."


def test_the_same_document_twice_changes_nothing(
    base: KnowledgeBase, embedder: FakeEmbedder
) -> None:
    assert base.add(document("a.md", LEAVE), embedder) is True
    before, bytes_before = base.generation, base.path.read_bytes()
    assert base.add(document("a.md", LEAVE), embedder) is False
    assert base.generation == before
    assert base.path.read_bytes() == bytes_before
    assert len(embedder.passages) == 1


def test_another_access_label_is_a_change(base: KnowledgeBase, embedder: FakeEmbedder) -> None:
    base.add(document("a.md", LEAVE), embedder)
    assert base.add(document("a.md", LEAVE), embedder, access="cadres") is True
    assert [stored.access for stored in base.documents()] == ["cadres"]


def test_a_newer_version_takes_the_place_of_the_old_one(
    base: KnowledgeBase, embedder: FakeEmbedder
) -> None:
    base.add(long_document("a.md", "ancien", 5), embedder)
    base.add(long_document("b.md", "voisin", 2), embedder)
    before = base.generation
    assert base.add(long_document("a.md", "nouveau", 3), embedder) is True
    assert base.generation > before
    assert check_whole(base.path) == {"a.md": {"nouveau"}, "b.md": {"voisin"}}
    assert base.page("a.md", 4) is None
    assert not any("ancien" in hit.text for hit in search(base, embedder, "ancien", 50).hits)


def test_a_removed_document_leaves_nothing(base: KnowledgeBase, embedder: FakeEmbedder) -> None:
    base.add(long_document("a.md", "parti", 3), embedder)
    base.add(document("b.md", MEALS), embedder)
    before = base.generation
    assert base.remove("a.md") is True
    assert base.generation > before
    assert set(check_whole(base.path)) == {"b.md"}
    assert base.passage_count() == 1


def test_removing_what_is_not_there_changes_nothing(base: KnowledgeBase) -> None:
    before = base.generation
    assert base.remove("a.md") is False
    assert base.generation == before


@pytest.mark.parametrize("texts", [(), ("",), ("  \n\t ", " ")])
def test_a_document_without_text_is_refused(
    base: KnowledgeBase, embedder: FakeEmbedder, texts: tuple[str, ...]
) -> None:
    with pytest.raises(UsageError, match=r"a\.md holds no text"):
        base.add(document("a.md", *texts), embedder)
    assert base.documents() == []


def test_an_empty_new_version_leaves_the_old_one(
    base: KnowledgeBase, embedder: FakeEmbedder
) -> None:
    base.add(document("a.md", LEAVE), embedder)
    with pytest.raises(UsageError):
        base.add(document("a.md", " "), embedder)
    assert base.page("a.md", 1) == LEAVE


def test_a_name_that_is_not_unicode_is_refused(base: KnowledgeBase, embedder: FakeEmbedder) -> None:
    with pytest.raises(UsageError, match=r"cong\?s\.md is not Unicode text"):
        base.add(document("cong\udce9s.md", LEAVE), embedder)
    assert base.documents() == []


def test_hostile_names_and_texts_are_only_text(base: KnowledgeBase, embedder: FakeEmbedder) -> None:
    name = "x'); DROP TABLE documents; --.md"
    text = "\"'; DELETE FROM passages; NEAR(a b) AND * \N{GRINNING FACE} \N{NULL} fin"
    base.add(document(name, text), embedder)
    assert [stored.name for stored in base.documents()] == [name]
    assert base.page(name, 1) == text
    assert base.remove(name) is True


def test_an_embedder_of_another_length_is_refused(base: KnowledgeBase) -> None:
    other = FakeEmbedder(DIMENSIONS * 2)
    with pytest.raises(IntegrityError, match="vectors of 64 numbers"):
        base.add(document("a.md", LEAVE), other)
    assert base.documents() == []
    base.add(document("a.md", LEAVE), FakeEmbedder())
    with pytest.raises(IntegrityError, match="makes 128"):
        search(base, other, "congés")


def test_an_error_of_the_embedder_midway_leaves_the_base_as_it_was(
    base: KnowledgeBase, embedder: FakeEmbedder
) -> None:
    class Failing(FakeEmbedder):
        def embed_passages(self, texts: Sequence[str]) -> Vectors:
            if self.passages:
                raise RuntimeError("out of memory")
            return super().embed_passages(texts)

    base.add(long_document("a.md", "ancien", 2), embedder)
    before = base.path.read_bytes()
    failing = Failing()
    with pytest.raises(RuntimeError, match="out of memory"):
        base.add(long_document("a.md", "nouveau", 40), failing)
    assert len(failing.passages) > 0
    assert base.path.read_bytes() == before


def test_an_error_while_writing_leaves_the_base_as_it_was(
    base: KnowledgeBase, embedder: FakeEmbedder
) -> None:
    class OneTooFew(FakeEmbedder):
        def embed_passages(self, texts: Sequence[str]) -> Vectors:
            return super().embed_passages(texts)[:-1]  # found out after the writing has begun

    base.add(long_document("a.md", "ancien", 3), embedder)
    before = base.generation
    with pytest.raises(ValueError, match="zip"):
        base.add(long_document("a.md", "nouveau", 3), OneTooFew())
    assert base.generation == before
    assert check_whole(base.path) == {"a.md": {"ancien"}}
    assert base.add(long_document("b.md", "voisin", 1), embedder) is True


def test_copying_the_file_copies_the_base(
    base: KnowledgeBase, embedder: FakeEmbedder, tmp_path: Path
) -> None:
    for name, text in (("a.md", LEAVE), ("b.md", REMOTE), ("c.md", MEALS)):
        base.add(document(name, text), embedder)
    approvals.approve(base, "Combien de congés ?", "25 jours.", None, "DRH")
    copy = tmp_path / "elsewhere" / "rh.db"
    copy.parent.mkdir()
    shutil.copy(base.path, copy)
    with KnowledgeBase.open(copy) as other:
        assert other.documents() == base.documents()
        assert approvals.all_of(other) == approvals.all_of(base)
        for question in ("congés annuels", "télétravail", "cantine"):
            assert search(other, embedder, question) == search(base, embedder, question)


def test_two_copies_changed_apart_do_not_share_their_vectors(
    base: KnowledgeBase, embedder: FakeEmbedder, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.db"
    shutil.copy(base.path, copy)
    base.add(document("a.md", LEAVE), embedder)
    with KnowledgeBase.open(copy) as other:
        other.add(document("b.md", MEALS), embedder)
        here, there = base.matrix()[1], other.matrix()[1]
        assert here.shape == there.shape
        assert (here != there).any()


def test_what_was_given_at_creation_is_kept(home: Path) -> None:
    with KnowledgeBase.create(home / "kb" / "hr.db", "e5", 384, "en", "hr@x.example") as base:
        assert (base.name, base.language, base.contact) == ("hr", "en", "hr@x.example")
        assert (base.dimensions, base.meta["embedder"]) == (384, "e5")
        assert base.documents() == []
        assert base.passage_count() == 0
    assert list_bases() == [home / "kb" / "hr.db"]


def test_an_existing_base_is_not_made_again(base: KnowledgeBase) -> None:
    before = base.path.read_bytes()
    with pytest.raises(UsageError, match="exists already"):
        KnowledgeBase.create(base.path, "fake", DIMENSIONS)
    assert base.path.read_bytes() == before


@pytest.mark.parametrize(
    "name", ["", " ", "..", ".hidden", "../x", "a/b", "a\\b", "a\n", "a b", "a:b", "x" * 65, "-x"]
)
def test_a_name_that_is_not_plain_names_no_base(name: str, home: Path) -> None:
    with pytest.raises(UsageError, match="cannot name a base"):
        KnowledgeBase.create(base_path(name), "fake", DIMENSIONS)
    assert not [path for path in home.rglob("*") if path.is_file()]


@pytest.mark.parametrize("name", ["rh", "rh-2024", "congés", "v1.2"])
def test_a_plain_name_lies_in_the_users_folder(name: str) -> None:
    assert base_path(name) == paths.bases_dir() / f"{name}.db"
    KnowledgeBase.create(base_path(name), "fake", DIMENSIONS).close()
    KnowledgeBase.open(base_path(name)).close()


def test_a_path_of_a_db_file_is_a_base_anywhere(tmp_path: Path) -> None:
    path = base_path(str(tmp_path / "new" / "rh.db"))
    KnowledgeBase.create(path, "fake", DIMENSIONS).close()
    assert path == tmp_path / "new" / "rh.db"
    assert path.is_file()


def test_an_unknown_base_is_said(home: Path) -> None:
    with pytest.raises(UsageError, match="There is no base “rien”"):
        KnowledgeBase.open(base_path("rien"))
    assert list_bases() == []
