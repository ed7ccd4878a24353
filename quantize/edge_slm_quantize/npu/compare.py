"""How far vectors of the same texts lie apart, computed by two graphs."""

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]


def cosines(reference: Vectors, other: Vectors) -> NDArray[np.float64]:
    """Return the cosine of each pair of rows of length 1, [N]; -1 for a row that is not finite."""
    found = (reference.astype(np.float64) * other).sum(-1)
    return np.asarray(np.where(np.isfinite(found), found, -1.0))


def neighbours(reference: Vectors, other: Vectors) -> float:
    """Return the share of rows whose nearest other row is the reference's.

    Args:
        reference, other: [N, H], at least three rows of length 1.
    """

    def nearest(vectors: Vectors) -> NDArray[np.intp]:
        likeness = vectors @ vectors.T
        np.fill_diagonal(likeness, -2)
        return np.asarray(likeness.argmax(1))

    return float((nearest(reference) == nearest(other)).mean())
