"""Exact nearest neighbours over a memory-mapped matrix.

The vectors live in the base, so that copying its file copies everything; the matrix that searches
read is made from them in the user's cache, one file a state of the base. Exact search over a
mapped matrix answers in milliseconds up to some hundred thousand passages
(docs/decisions/0004-exact-vector-search.md).
"""

import contextlib
import sqlite3
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_slm import files

Vectors = NDArray[np.float32]
STORED = np.float16  # halves the base; the ranking is the same (decision 0004)


def to_blob(vector: Vectors) -> bytes:
    """Return one vector as it is stored in the base."""
    return vector.astype(STORED).tobytes()


def load_matrix(connection: sqlite3.Connection, dimensions: int, cached: Path) -> Vectors:
    """Return the matrix of a base's vectors (passages x dimensions, float32), memory-mapped.

    Args:
        connection: the base; its table `vectors` holds one blob a passage.
        dimensions: length of a vector.
        cached: file of the matrix for this state of the base; made when it is absent.
    """
    if not cached.is_file():
        _write_matrix(connection, dimensions, cached)
    if cached.stat().st_size == 0:
        return np.empty((0, dimensions), np.float32)
    return np.memmap(cached, np.float32, "r").reshape(-1, dimensions)


def _write_matrix(connection: sqlite3.Connection, dimensions: int, cached: Path) -> None:
    rows = connection.execute("SELECT vector FROM vectors ORDER BY passage")
    with files.replacing(cached) as temporary, temporary.open("wb") as file:
        while batch := rows.fetchmany(4096):
            block = np.frombuffer(b"".join(blob for (blob,) in batch), STORED)
            file.write(block.reshape(-1, dimensions).astype(np.float32).tobytes())
    for stale in cached.parent.glob(f"{cached.name.rsplit('-', 1)[0]}-*"):
        if stale != cached:
            with contextlib.suppress(OSError):  # Windows keeps a mapped file
                stale.unlink()
