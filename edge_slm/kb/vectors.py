"""Exact nearest neighbours over a memory-mapped matrix.

The vectors live in the base, so that copying its file copies everything; the matrix that searches
read is made from them in the user's cache, one file a state of the base. Exact search over a
mapped matrix answers in milliseconds up to some hundred thousand passages
(docs/decisions/0004-exact-vector-search.md).

The cached file holds the vectors, then the ids of their passages: both are of one state of the
base even while another program changes it.
"""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_slm import files
from edge_slm.kb import schema

Ids = NDArray[np.int64]
Vectors = NDArray[np.float32]
STORED = np.float16  # halves the base; the ranking is the same (decision 0004)


def to_blob(vector: Vectors) -> bytes:
    """Return one vector as it is stored in the base."""
    return vector.astype(STORED).tobytes()


def load_matrix(
    connection: sqlite3.Connection, dimensions: int, passages: int, cached: Path
) -> tuple[Ids, Vectors]:
    """Return the ids of a base's passages, ascending, and their vectors, memory-mapped.

    Args:
        connection: the base; its table `vectors` holds one blob a passage.
        dimensions: length of a vector.
        passages: how many passages the base holds; a cached file of another size is made again.
        cached: file of the matrix for this state of the base; made when it is absent.
    Returns:
        ids (passages), and vectors (passages x dimensions, float32).
    Raises:
        IntegrityError: the base holds vectors of another length.
    """
    try:
        if not cached.is_file() or cached.stat().st_size != passages * _row_bytes(dimensions):
            _write(connection, dimensions, cached)
        return _read(cached, dimensions)
    except OSError:
        # A kiosk's disk may be read-only, and another process may just have removed the file.
        batches = list(_batches(connection, dimensions))
        no_ids, no_vectors = np.empty(0, np.int64), np.empty((0, dimensions), np.float32)
        return (
            np.concatenate([no_ids, *(ids for ids, _ in batches)]),
            np.concatenate([no_vectors, *(block for _, block in batches)]),
        )


def _row_bytes(dimensions: int) -> int:
    return dimensions * np.dtype(np.float32).itemsize + np.dtype(np.int64).itemsize


def _read(cached: Path, dimensions: int) -> tuple[Ids, Vectors]:
    rows = cached.stat().st_size // _row_bytes(dimensions)
    if rows == 0:  # an empty file cannot be mapped
        return np.empty(0, np.int64), np.empty((0, dimensions), np.float32)
    matrix = np.memmap(cached, np.float32, "r", shape=(rows, dimensions))
    return np.fromfile(cached, np.int64, offset=matrix.nbytes), matrix


def _batches(connection: sqlite3.Connection, dimensions: int) -> Iterator[tuple[Ids, Vectors]]:
    # One statement sees one state of the base, whatever other processes do meanwhile.
    rows = connection.execute("SELECT passage, vector FROM vectors ORDER BY passage")
    while batch := rows.fetchmany(4096):
        if any(len(blob) != dimensions * np.dtype(STORED).itemsize for _, blob in batch):
            raise schema.damaged("vectors")
        block = np.frombuffer(b"".join(blob for _, blob in batch), STORED)
        ids = np.array([passage for passage, _ in batch], np.int64)
        yield ids, block.reshape(-1, dimensions).astype(np.float32)


def _write(connection: sqlite3.Connection, dimensions: int, cached: Path) -> None:
    ids = [np.empty(0, np.int64)]
    with files.replacing(cached) as temporary, temporary.open("wb") as file:
        for some, block in _batches(connection, dimensions):
            ids.append(some)
            file.write(block.tobytes())
        file.write(np.concatenate(ids).tobytes())
    for stale in cached.parent.glob(f"{cached.name.rsplit('-', 1)[0]}-*"):
        if stale != cached:
            with contextlib.suppress(OSError):  # Windows keeps a mapped file
                stale.unlink()
