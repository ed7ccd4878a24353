"""What the reference says of every token, kept on disk so that each candidate meets the same.

One row of natural log-probabilities a scored token: half a chunk is read, the other half is scored,
as llama.cpp's llama-perplexity does. Rows are kept as float16 and brought back to a distribution
when they are read: what a rounded row is compared with is then a divergence in the strict sense,
never below 0 (SmolLM2-135M at Q4_0, 1,024 tokens: 0.4214167 against 0.4214151 from float32; the
model against itself 3e-7). Losses and likeliest tokens are kept exact. It knows no format.
"""

import hashlib
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from edge_slm.errors import EdgeSlmError, IntegrityError, UsageError
from edge_slm.files import replacing
from edge_slm.i18n import t

Rows = NDArray[np.float32]
Chunks = Sequence[Sequence[int]]
Scores = Callable[[], Iterable[Rows]]  # the log-probabilities of each chunk, in order

STORED = np.float16
# float16 ends at -65504; no float32 probability is below e^-104.
LOWEST = -1e4
FEWEST = 2  # chunks: one alone has no interval
_MOST = 700.0  # nats: e^709 is beyond float64
BLOCK = 16  # rows worked on at once: 10 MB in float32 for a vocabulary of 152,000


class About(msgspec.Struct, frozen=True, kw_only=True):
    """What lies in a file of rows, and what was measured while they were made.

    key: hash of the model, its way of running and the chunks.
    chunks: the tokens. vocabulary: the length of a row.
    losses: minus the log-probability of each scored token, chunk after chunk.
    likeliest: the token that each row holds for the likeliest.
    """

    key: str
    vocabulary: int
    chunks: tuple[tuple[int, ...], ...]
    losses: tuple[float, ...]
    likeliest: tuple[int, ...]


@dataclass(frozen=True)
class Reference:
    """Kept rows: `about` them, and the file that they lie in."""

    about: About
    file: Path

    @property
    def scored(self) -> int:
        """Tokens scored of each chunk."""
        return scored(self.about.chunks[0])

    def rows(self, chunk: int) -> Rows:
        """Return the log-probabilities of a chunk (scored x vocabulary), each row summing to 1."""
        kept: Rows = self._kept[chunk * self.scored : (chunk + 1) * self.scored].astype(np.float32)
        return log_softmax(kept)

    @cached_property
    def _kept(self) -> NDArray[np.float16]:
        shape = (len(self.about.losses), self.about.vocabulary)
        return np.memmap(self.file, STORED, "r", shape=shape)


def scored(chunk: Sequence[int]) -> int:
    """Return how many of a chunk's tokens are scored: its second half."""
    return len(chunk) // 2


def reference_bytes(tokens: int, vocabulary: int) -> int:
    """Return the bytes on disk of a reference for so many tokens of text, of which half count."""
    return tokens // 2 * vocabulary * np.dtype(STORED).itemsize


def reference(folder: Path, model: str, chunks: Chunks, scores: Scores) -> Reference:
    """Return the rows of a reference; they are made where they are not kept yet.

    A file that stands under its name is whole: it is written beside it first, the rows before what
    is said about them.

    Args:
        folder: the job's shared folder.
        model: what tells the reference from any other: hash of its weights, and how it is run.
        chunks: tokens, all of one even length.
        scores: runs it. Row i of a chunk of n tokens is the distribution of token n // 2 + i.
    Raises:
        UsageError: the text is too short.
        EdgeSlmError: the model gives no numbers, or the disk is full.
    """
    check_chunks(chunks)
    key = hashlib.sha256(msgspec.json.encode([model, STORED.__name__, chunks])).hexdigest()
    file = folder / f"reference-{key[:24]}.f16"
    found = _read(file, key)
    if found is None:
        found = _make(file, key, chunks, scores())
    return Reference(found, file)


def check_chunks(chunks: Chunks) -> None:
    """Refuse chunks that nothing can be told from.

    Raises:
        UsageError: there are less than two.
    """
    if len(chunks) < FEWEST:
        raise UsageError(
            t(
                "The text to judge on is too short: an interval needs at least two chunks of 512 "
                "tokens; give more text with --text.",
                "Le texte pour juger est trop court : un intervalle demande au moins deux morceaux "
                "de 512 jetons ; donnez plus de texte avec --text.",
            )
        )
    if len({len(chunk) for chunk in chunks}) > 1 or len(chunks[0]) % 2:
        raise ValueError("chunks must be of one even length")


def checked(found: Iterable[Rows], chunks: Chunks, vocabulary: int | None = None) -> Iterator[Rows]:
    """Yield the rows of each chunk, checked and within what can be kept.

    Raises:
        IntegrityError: a number is none, or the vocabulary is not the reference's.
    """
    for rows, chunk in zip(found, chunks, strict=True):
        if rows.shape[0] != scored(chunk):
            raise ValueError(f"{rows.shape[0]} rows for a chunk of {len(chunk)} tokens")
        vocabulary = rows.shape[1] if vocabulary is None else vocabulary
        if rows.shape[1] != vocabulary:
            raise IntegrityError(_other_vocabulary(rows.shape[1], vocabulary))
        if bool(np.isnan(rows).any()) or bool(np.isposinf(rows).any()):
            raise IntegrityError(
                t(
                    "The model gives numbers that are none (NaN): its weights are damaged, or this "
                    "recipe ruins it.",
                    "Le modèle donne des nombres qui n'en sont pas (NaN) : ses poids sont abîmés, "
                    "ou cette recette le détruit.",
                )
            )
        yield np.maximum(rows, np.float32(LOWEST))


def log_softmax(rows: Rows) -> Rows:
    """Make rows of logits log-probabilities, in place, and return them."""
    for start in range(0, len(rows), BLOCK):
        block = rows[start : start + BLOCK]
        block -= block.max(axis=1, keepdims=True)
        total = np.exp(block).sum(axis=1, dtype=np.float64, keepdims=True)
        block -= np.log(total).astype(np.float32)
    return rows


def _read(file: Path, key: str) -> About | None:
    try:
        found = msgspec.json.decode(_beside(file).read_bytes(), type=About)
        size = file.stat().st_size
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return None
    expected = len(found.losses) * found.vocabulary * np.dtype(STORED).itemsize
    return found if found.key == key and size == expected else None


def _make(file: Path, key: str, chunks: Chunks, found: Iterable[Rows]) -> About:
    losses: list[float] = []
    likeliest: list[int] = []
    vocabulary = 0
    try:
        with replacing(file) as temporary, temporary.open("wb") as out:
            for rows, chunk in zip(checked(found, chunks), chunks, strict=True):
                vocabulary = rows.shape[1]
                losses += losses_of(rows, chunk).tolist()
                likeliest += rows.argmax(axis=1).tolist()
                out.write(rows.astype(STORED).tobytes())
        about = About(
            key=key,
            vocabulary=vocabulary,
            chunks=tuple(tuple(chunk) for chunk in chunks),
            losses=tuple(losses),
            likeliest=tuple(likeliest),
        )
        with replacing(_beside(file)) as temporary:
            temporary.write_bytes(msgspec.json.encode(about))
    except OSError as error:
        tokens = sum(map(len, chunks))
        raise EdgeSlmError(_not_written(file, tokens, vocabulary, error)) from None
    return about


def losses_of(rows: Rows, chunk: Sequence[int]) -> NDArray[np.float64]:
    """Return minus the log-probability of each scored token of a chunk."""
    wanted = np.asarray(chunk[-scored(chunk) :])
    found: NDArray[np.float64] = -rows[np.arange(len(wanted)), wanted].astype(np.float64)
    return found


def perplexity(losses: Iterable[float]) -> float:
    """Return the perplexity of losses; at most 1e304, since JSON has no infinity."""
    values = list(losses)
    return math.exp(min(_MOST, math.fsum(values) / len(values)))


def _beside(file: Path) -> Path:
    return file.with_suffix(".json")


def _other_vocabulary(ours: int, theirs: int) -> str:
    return t(
        "The model has {ours} tokens and the reference {theirs}: they cannot be compared.",
        "Le modèle a {ours} jetons et la référence {theirs} : ils ne se comparent pas.",
        ours=ours,
        theirs=theirs,
    )


def _not_written(file: Path, tokens: int, vocabulary: int, error: OSError) -> str:
    from edge_slm.i18n import size

    return t(
        "The reference's probabilities ({size}) cannot be written to {folder}: {error}.",
        "Les probabilités de la référence ({size}) ne s'écrivent pas dans {folder} : {error}.",
        size=size(reference_bytes(tokens, vocabulary)),
        folder=file.parent,
        error=error.strerror,
    )
