"""The cached matrix: of the present state, whole, and made again when it is not."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edge_slm import paths
from edge_slm.kb.base import KnowledgeBase
from edge_slm.kb.search import search
from edge_slm.kb.vectors import to_blob
from tests.fakes import DIMENSIONS, FakeEmbedder
from tests.kb.samples import LEAVE, MEALS, REMOTE, document, long_document


def cached_files() -> list[Path]:
    folder = paths.cache_dir() / "vectors"
    return sorted(path for path in folder.iterdir() if path.is_file()) if folder.exists() else []


def stored_ids(base: KnowledgeBase) -> list[int]:
    return [n for (n,) in base.connection.execute("SELECT id FROM passages ORDER BY id")]


def test_the_matrix_holds_what_was_embedded(base: KnowledgeBase, embedder: FakeEmbedder) -> None:
    for name, text in (("a.md", LEAVE), ("b.md", REMOTE)):
        base.add(document(name, text), embedder)
    ids, matrix = base.matrix()
    assert ids.tolist() == stored_ids(base)
    assert matrix.dtype == np.float32
    assert matrix.shape == (2, DIMENSIONS)
    expected = np.stack([embedder.embed_query(text) for text in embedder.passages])
    np.testing.assert_allclose(matrix, expected, atol=1e-3)  # stored in half precision


def test_an_empty_base_has_an_empty_matrix(base: KnowledgeBase) -> None:
    for _ in range(2):  # made, then read from the cache
        ids, matrix = base.matrix()
        assert (len(ids), matrix.shape) == (0, (0, DIMENSIONS))


def test_the_matrix_follows_every_change(base: KnowledgeBase, embedder: FakeEmbedder) -> None:
    changes: list[Callable[[], bool]] = [
        lambda: base.add(document("a.md", LEAVE), embedder),
        lambda: base.add(long_document("b.md", "long", 4), embedder),
        lambda: base.add(document("a.md", MEALS), embedder),
        lambda: base.remove("a.md"),
        lambda: base.remove("b.md"),
    ]
    for change in changes:
        assert change()
        ids, matrix = base.matrix()
        assert ids.tolist() == stored_ids(base)
        assert len(matrix) == len(ids)
        assert len(cached_files()) == 1  # older states are removed
        blobs = base.connection.execute("SELECT vector FROM vectors ORDER BY passage").fetchall()
        assert [to_blob(row) for row in matrix] == [blob for (blob,) in blobs]


def test_a_second_process_reads_the_same_file(base: KnowledgeBase, embedder: FakeEmbedder) -> None:
    base.add(document("a.md", LEAVE), embedder)
    base.matrix()
    (file,) = cached_files()
    before = file.stat().st_mtime_ns
    with KnowledgeBase.open(base.path) as again:
        assert len(again.matrix()[0]) == 1
    assert cached_files() == [file]
    assert file.stat().st_mtime_ns == before


@pytest.mark.parametrize("kept", [0.0, 0.3, 0.5, 0.99, 1.5])
def test_a_damaged_cache_is_made_again(
    base: KnowledgeBase, embedder: FakeEmbedder, kept: float
) -> None:
    base.add(long_document("a.md", "texte", 6), embedder)
    good = search(base, embedder, "texte")
    assert good.hits
    (file,) = cached_files()
    content = file.read_bytes()
    file.write_bytes((content * 2)[: int(len(content) * kept)])
    assert search(base, embedder, "texte") == good
    assert file.read_bytes() == content


def test_a_cache_that_is_a_folder_or_cannot_be_written_is_done_without(
    base: KnowledgeBase, embedder: FakeEmbedder
) -> None:
    base.add(long_document("a.md", "texte", 6), embedder)
    good = search(base, embedder, "texte")
    (file,) = cached_files()
    file.unlink()
    file.parent.rmdir()
    file.parent.write_bytes(b"in the way")
    assert search(base, embedder, "texte") == good
    base.remove("a.md")
    ids, matrix = base.matrix()
    assert (len(ids), matrix.shape) == (0, (0, DIMENSIONS))


def test_other_bases_keep_their_cache(
    base: KnowledgeBase, embedder: FakeEmbedder, tmp_path: Path
) -> None:
    with KnowledgeBase.create(tmp_path / "other.db", "fake", DIMENSIONS) as other:
        other.add(document("a.md", LEAVE), embedder)
        other.matrix()
        base.add(document("b.md", MEALS), embedder)
        base.matrix()
        assert len(cached_files()) == 2
