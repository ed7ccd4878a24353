"""The converted model against the engine it came with (`make_oracle.py`), on 100 sentences."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from edge_slm.engines.e5_text import normalise

HERE = Path(__file__).parent
SENTENCES = (HERE / "sentences.txt").read_text(encoding="utf-8").splitlines()
LEAST_COSINE = 0.99


class Embedder:
    """The model as llama.cpp runs it."""

    def __init__(self, path: Path) -> None:
        import llama_cpp

        self.llama = llama_cpp.Llama(
            str(path),
            embedding=True,
            n_ctx=512,
            n_batch=512,
            n_ubatch=512,
            n_threads=2,
            pooling_type=llama_cpp.LLAMA_POOLING_TYPE_MEAN,
            flash_attn=True,
            verbose=False,
        )

    def __call__(self, sentences: list[str]) -> NDArray[np.float32]:
        texts = [f"passage: {normalise(sentence)}" for sentence in sentences]
        return np.array(self.llama.embed(texts, normalize=True), np.float32)


@pytest.fixture(scope="module")
def embed(e5_gguf: Path) -> Iterator[Embedder]:
    embedder = Embedder(e5_gguf)
    yield embedder
    embedder.llama.close()


def oracle() -> NDArray[np.float32]:
    with np.load(HERE / "e5_oracle.npz") as archive:
        return np.asarray(archive["embeddings"], np.float32)


def test_the_oracle_covers_the_sentences() -> None:
    assert oracle().shape == (100, 384) == (len(SENTENCES), 384)
    assert np.linalg.norm(oracle(), axis=1) == pytest.approx(1.0, abs=1e-4)


@pytest.mark.model
def test_every_sentence_agrees_with_the_oracle(
    embed: Embedder, record_property: Callable[[str, object], None]
) -> None:
    cosines = np.sum(np.vstack([embed([x]) for x in SENTENCES]) * oracle(), axis=1)
    worst = int(cosines.argmin())
    record_property("worst_cosine", float(cosines[worst]))
    assert cosines[worst] >= LEAST_COSINE, SENTENCES[worst]


@pytest.mark.model
def test_batch_mates_do_not_matter(embed: Embedder) -> None:
    together = np.sum(embed(SENTENCES) * oracle(), axis=1)
    backwards = np.sum(embed(SENTENCES[::-1])[::-1] * oracle(), axis=1)
    assert min(together.min(), backwards.min()) >= LEAST_COSINE


@pytest.mark.model
def test_the_agreement_tells_sentences_apart(embed: Embedder) -> None:
    """A vector agrees with its own sentence's best: 0.99 is not reached by just anything."""
    assert (embed(SENTENCES) @ oracle().T).argmax(axis=1).tolist() == list(range(len(SENTENCES)))
