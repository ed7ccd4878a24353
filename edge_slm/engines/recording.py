"""A sound or video file as blocks of samples, so that memory does not grow with its length.

Heard as one piece, an hour of speech took 4.2 GB. A block ends where it is quietest, between two
words if there is a pause. Knows nothing of speech models.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge_slm.errors import UsageError
from edge_slm.i18n import t

RATE = 16_000  # samples a second, what Whisper hears
BLOCK = 120  # seconds
_END = 30  # seconds at the end of a block in which to look for a pause
_PAUSE = RATE // 5  # samples whose loudness is looked at together

Samples = NDArray[np.float32]


class Block(NamedTuple):
    """Samples between -1 and 1, 16,000 a second, and the second at which they begin."""

    start: float
    samples: Samples


def blocks(path: Path) -> Iterator[Block]:
    """Yield a recording in blocks of two minutes at most, one channel.

    Raises:
        UsageError: it cannot be decoded.
    """
    held = np.empty(0, np.int16)
    start = 0
    for piece in _decode(path):
        held = np.concatenate([held, piece])
        while len(held) > BLOCK * RATE:
            end = _quietest(held[: BLOCK * RATE])
            yield _block(start, held[:end])
            held, start = held[end:], start + end
    if len(held):
        yield _block(start, held)


def duration(path: Path) -> float:
    """Return the length in seconds: what the file says, else what can be decoded of it.

    Raises:
        UsageError: it cannot be decoded.
    """
    with _opened(path) as container:
        if container.duration:
            return float(container.duration) / 1_000_000  # FFmpeg counts microseconds
    return sum(len(piece) for piece in _decode(path)) / RATE


def _block(start: int, samples: NDArray[np.int16]) -> Block:
    return Block(start / RATE, samples.astype(np.float32) / np.float32(32768))


def _quietest(samples: NDArray[np.int16]) -> int:
    """Return the place of the quietest fifth of a second near the end."""
    begin = len(samples) - _END * RATE
    windows = samples[begin:].reshape(-1, _PAUSE).astype(np.float32)
    quietest = int(np.argmin((windows**2).mean(axis=1)))
    return begin + quietest * _PAUSE + _PAUSE // 2


def _decode(path: Path) -> Iterator[NDArray[np.int16]]:
    """Yield samples in pieces of a second or so."""
    import av

    with _opened(path) as container:
        resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
        pieces: list[NDArray[np.int16]] = []
        for frame in _frames(container):
            pieces += [part.to_ndarray()[0] for part in resampler.resample(frame)]
            if sum(map(len, pieces)) > RATE:
                yield np.concatenate(pieces)
                pieces = []
        pieces += [part.to_ndarray()[0] for part in resampler.resample(None)]
        if pieces:
            yield np.concatenate(pieces)


def _frames(container: Any) -> Iterator[Any]:
    """Yield what can be decoded of the first sound track, passing over damaged stretches."""
    import av

    frames = container.decode(audio=0)
    while True:
        try:
            frame = next(frames)
        except StopIteration:
            return
        except av.error.InvalidDataError:
            continue
        frame.pts = None  # a gap between two frames is no error
        yield frame


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """Open a file, and turn what its decoder says into a sentence."""
    import av

    try:
        with av.open(str(path), mode="r", metadata_errors="ignore") as container:
            yield container
    except (av.FFmpegError, IndexError, ValueError, RuntimeError) as error:
        raise UsageError(
            t(
                "{name} is not a recording that can be read ({error}).",
                "{name} n'est pas un enregistrement lisible ({error}).",
                name=path.name,
                error=getattr(error, "strerror", None) or type(error).__name__,
            )
        ) from None
