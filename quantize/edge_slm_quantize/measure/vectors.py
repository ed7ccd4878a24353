"""How far an embedder's vectors are from the reference's, and whether they say the same of texts.

Knows no format: both sides are matrices, one row a text.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_slm.errors import IntegrityError
from edge_slm.i18n import t
from edge_slm_quantize.measure.intervals import wilson

Vectors = NDArray[np.float32]


def compare(reference: Vectors, candidate: Vectors) -> tuple[dict[str, float], dict[str, Any]]:
    """Return the mean cosine and the share of texts with the same nearest neighbour, and details.

    Args:
        reference, candidate: vectors of the same texts (texts x dimensions), at least two texts;
            their lengths do not matter.
    Raises:
        IntegrityError: the shapes differ, or a number is none.
    """
    if reference.shape != candidate.shape:
        raise IntegrityError(
            t(
                "The vectors are of shape {ours}, those of the reference of {theirs}.",
                "Les vecteurs sont de forme {ours}, ceux de la référence de {theirs}.",
                ours=candidate.shape,
                theirs=reference.shape,
            )
        )
    if len(reference) < 2:
        raise ValueError("a neighbour needs two texts")
    ours, theirs = unit(candidate), unit(reference)
    near = cosines(theirs, ours)
    same = same_neighbours(theirs, ours)
    neighbours = wilson(int(same.sum()), len(same))
    details = {
        "texts": len(same),
        "cosine_lowest": float(near.min()),
        "cosine_p01": float(np.percentile(near, 1)),
        "neighbours_low": neighbours.low,
        "neighbours_high": neighbours.high,
    }
    return {"cosine": float(near.mean()), "neighbours": neighbours.value}, details


def cosines(reference: Vectors, candidate: Vectors) -> NDArray[np.float64]:
    """Return the cosine of each pair of rows of length 1 (texts,); -1 for one that is no number."""
    found = (reference.astype(np.float64) * candidate).sum(axis=1)
    return np.asarray(np.where(np.isfinite(found), found, -1.0))


def same_neighbours(reference: Vectors, candidate: Vectors) -> NDArray[np.bool_]:
    """Return whether the nearest other text is the reference's, of each (texts,).

    Args:
        reference, candidate: of the same texts, at least two, in rows of length 1.
    """
    found: NDArray[np.bool_] = nearest(candidate) == nearest(reference)
    return found


def nearest(vectors: Vectors) -> NDArray[np.int64]:
    """Return the row of the nearest other vector of each (texts,); vectors are of length 1."""
    likeness = vectors @ vectors.T
    np.fill_diagonal(likeness, -np.inf)
    found: NDArray[np.int64] = likeness.argmax(axis=1)
    return found


def unit(vectors: Vectors) -> Vectors:
    """Return vectors made of length 1.

    Raises:
        IntegrityError: one is zero, or holds a number that is none.
    """
    lengths = np.linalg.norm(vectors.astype(np.float64), axis=1, keepdims=True)
    if not bool(np.isfinite(lengths).all()) or not bool(lengths.all()):
        raise IntegrityError(
            t(
                "The model gives vectors that are none (NaN or all zero): its weights are damaged, "
                "or this recipe ruins it.",
                "Le modèle donne des vecteurs qui n'en sont pas (NaN ou tous nuls) : ses poids "
                "sont abîmés, ou cette recette le détruit.",
            )
        )
    found: Vectors = (vectors / lengths).astype(np.float32)
    return found
