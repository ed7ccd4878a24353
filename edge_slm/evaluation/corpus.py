"""A base made of corpus files, kept in the cache under the hash of what it was made of."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from edge_slm import paths
from edge_slm.engines import Embedder
from edge_slm.engines.loaded import EMBEDDER
from edge_slm.errors import UsageError
from edge_slm.files import sha256_of
from edge_slm.i18n import t
from edge_slm.kb import passages
from edge_slm.kb.base import KnowledgeBase
from edge_slm.kb.readers import read_documents
from edge_slm.progress import progress

# Counts up when reading, cutting, stemming or embedding changes what an index holds.
INDEX_VERSION = 2


def indexed(files: Sequence[Path], embedder: Embedder, hide_titles: bool = False) -> KnowledgeBase:
    """Return an open base of all documents of some files, made on the first call.

    Args:
        files: documents or JSON lines of documents.
        embedder: makes the vectors.
        hide_titles: leave the titles out of the index.
    Raises:
        UsageError: a file cannot be read.
    """
    for path in files:
        if not path.is_file():
            raise UsageError(
                t("There is no file {path}.", "Il n'y a pas de fichier {path}.", path=path)
            )
    key = "|".join(
        [*sorted(map(sha256_of, files)), str(hide_titles), EMBEDDER]
        + [str(n) for n in (INDEX_VERSION, passages.TARGET, passages.LONGEST)]
    )
    path = paths.cache_dir() / "eval" / f"{hashlib.sha256(key.encode()).hexdigest()[:24]}.db"
    if not path.is_file():
        _build(path, files, embedder, hide_titles)
    return KnowledgeBase.open(path)


def _build(path: Path, files: Sequence[Path], embedder: Embedder, hide_titles: bool) -> None:
    documents = [document for file in files for document in read_documents(file)]
    partial = path.with_name(f"partial-{path.name}")
    partial.unlink(missing_ok=True)
    total = sum(len(passages.split(document)) for document in documents)
    with (
        KnowledgeBase.create(partial, EMBEDDER, embedder.dimensions) as base,
        progress(t("Indexing the corpus", "Indexation du corpus"), total) as advance,
    ):
        for document in documents:
            shown = replace(document, title="") if hide_titles else document
            base.add(shown, embedder, on_passages=advance)
    partial.replace(path)
