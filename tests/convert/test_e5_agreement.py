"""The converted model against the engine it came with (`make_oracle.py`), on 100 sentences."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from edge_slm.engines.llama.embedding import LlamaEmbedder

HERE = Path(__file__).parent
SENTENCES = (HERE / "sentences.txt").read_text(encoding="utf-8").splitlines()
LEAST_COSINE = 0.99


@pytest.fixture(scope="module")
def embedder(e5_gguf: Path) -> Iterator[LlamaEmbedder]:
    embedder = LlamaEmbedder(e5_gguf)
    yield embedder
    embedder.close()


def oracle() -> NDArray[np.float32]:
    with np.load(HERE / "e5_oracle.npz") as archive:
        return np.asarray(archive["embeddings"], np.float32)


def test_the_oracle_covers_the_sentences() -> None:
    assert oracle().shape == (100, 384) == (len(SENTENCES), 384)
    assert np.linalg.norm(oracle(), axis=1) == pytest.approx(1.0, abs=1e-4)


@pytest.mark.model
def test_every_sentence_agrees_with_the_oracle(
    embedder: LlamaEmbedder,
) -> None:
    cosines = np.sum(embedder.embed_passages(SENTENCES) * oracle(), axis=1)
    worst = int(cosines.argmin())
    print(f"worst cosine {cosines[worst]:.5f}: {SENTENCES[worst]}")  # noqa: T201 - shown by -rP
    assert cosines[worst] >= LEAST_COSINE, SENTENCES[worst]


@pytest.mark.model
def test_what_came_before_does_not_matter(embedder: LlamaEmbedder) -> None:
    forwards = embedder.embed_passages(SENTENCES[:20])
    backwards = embedder.embed_passages(SENTENCES[:20][::-1])[::-1]
    assert np.sum(forwards * backwards, axis=1).min() >= 0.9999


@pytest.mark.model
def test_a_text_longer_than_the_model_reads_is_cut(embedder: LlamaEmbedder) -> None:
    long, longer = embedder.embed_passages(["congé annuel " * 600, "congé annuel " * 900])
    assert float(long @ longer) >= 0.9999
    assert np.linalg.norm(embedder.embed_query("")) == pytest.approx(1.0, abs=1e-4)


@pytest.mark.model
def test_the_agreement_tells_sentences_apart(embedder: LlamaEmbedder) -> None:
    """A vector agrees with its own sentence's best: 0.99 is not reached by just anything."""
    assert (embedder.embed_passages(SENTENCES) @ oracle().T).argmax(axis=1).tolist() == list(
        range(len(SENTENCES))
    )
