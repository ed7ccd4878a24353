"""Vectors of the labels' texts, kept on the disk by what they were made of.

Labels change seldom and are embedded in seconds, a mail in a tenth of one. Nothing of a mail is
kept.
"""

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edge_slm.engines import Embedder
from edge_slm.files import replacing
from edge_slm.paths import cache_dir

Vectors = NDArray[np.float32]


def kept_vectors(embedder: Embedder, texts: Sequence[str], model: str) -> Vectors:
    """Return the unit vectors of texts (texts x dimensions), embedded unless they are kept.

    Args:
        embedder: the embedding model.
        texts: at least one.
        model: its id; "" keeps nothing.
    """
    if not model:
        return embedder.embed_passages(texts)
    digest = hashlib.sha256("\0".join((model, *texts)).encode("utf-8", "replace")).hexdigest()
    path = cache_dir() / "triage" / f"{digest}.npy"
    try:
        kept: Vectors = np.load(path, allow_pickle=False)
        if kept.shape == (len(texts), embedder.dimensions) and kept.dtype == np.float32:
            return kept
    except (OSError, ValueError, EOFError):  # absent, or cut short
        pass
    made = embedder.embed_passages(texts)
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.save(file, made, allow_pickle=False)
    return made
