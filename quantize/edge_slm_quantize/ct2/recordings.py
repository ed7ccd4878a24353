"""Word errors of a Whisper model in a CTranslate2 folder, and the time that hearing takes."""

import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from edge_slm_quantize.extra import need
from edge_slm_quantize.measure import suite_data, suites
from edge_slm_quantize.records import Suites

_RESAMPLES = 2000
# Of n recordings the bootstrap understates the deviation by sqrt((n - 1) / n): 6 % here.
_FEWEST = 8


class Hearing:
    """A loaded model that keeps count: seconds of sound, and wall and CPU seconds spent on them."""

    def __init__(self, folder: Path) -> None:
        """Load a model as its weights are kept.

        Raises:
            MissingError: faster-whisper is not installed.
            IntegrityError: the folder cannot be loaded.
        """
        from edge_slm.engines.whisper import WhisperTranscriber

        # Where nothing sure is heard, Whisper tries again with chance: the same chance each time.
        need("ctranslate2").set_random_seed(0)
        self._transcriber = WhisperTranscriber(folder, compute_type="default")
        self.sound = self.seconds = self.cpu_seconds = 0.0

    def hear(self, path: Path) -> str:
        """Return what is said in a sound file, whose language is found."""
        start, burnt = time.perf_counter(), time.process_time()
        segments, _, length = self._transcriber.transcribe(path, None)
        text = " ".join(one.text for one in segments)
        self.seconds += time.perf_counter() - start
        self.cpu_seconds += time.process_time() - burnt
        self.sound += length
        return text


def word_errors(hearing: Hearing, data: Suites) -> tuple[dict[str, float], dict[str, Any]]:
    """Return the word error rate, and details with its interval.

    Args:
        hearing: a loaded model.
        data: which recordings.

    Raises:
        UsageError: the recordings cannot be read.
    """
    hearing.hear(suite_data.recordings(data)[0][0])  # loads what finds speech
    hearing.sound = hearing.seconds = hearing.cpu_seconds = 0.0
    values, details, _ = suites.wer(hearing.hear, data)
    counts = [tuple(map(int, one.split("/"))) for one in details["by_recording"].values()]
    return values, {**details, **interval([(errors, words) for errors, words in counts])}


def interval(counts: Iterable[tuple[int, int]]) -> dict[str, float]:
    """Return the ends of a word error rate's 95 % interval; nothing for fewer than 8 recordings.

    The bootstrap over recordings (M. Bisani and H. Ney, “Bootstrap estimates for confidence
    intervals in ASR performance evaluation”, 2004).

    Args:
        counts: errors and words of each recording.
    """
    import numpy as np

    rows = np.array(list(counts), np.float64)
    if len(rows) < _FEWEST:
        return {}
    drawn = rows[np.random.default_rng(0).integers(0, len(rows), (_RESAMPLES, len(rows)))].sum(1)
    low, high = np.quantile(drawn[:, 0] / np.maximum(1, drawn[:, 1]), (0.025, 0.975))
    return {"wer_low": float(low), "wer_high": float(high)}
