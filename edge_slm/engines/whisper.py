"""Speech to text by faster-whisper (CTranslate2), in this process."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from edge_slm.answer import Segment
from edge_slm.engines import recording
from edge_slm.engines.recording import Block
from edge_slm.errors import IntegrityError, MissingError, UsageError
from edge_slm.i18n import t
from edge_slm.machine import compute_threads


class WhisperTranscriber:
    """A Whisper model in a CTranslate2 folder."""

    def __init__(self, folder: Path, compute_type: str = "int8") -> None:
        """Load the model.

        Args:
            folder: model.bin, config.json, tokenizer.json and the vocabulary.
            compute_type: arithmetic of CTranslate2; weights are converted when they are loaded.
        Raises:
            MissingError: faster-whisper is not installed.
            IntegrityError: the folder cannot be loaded.
        """
        try:
            from faster_whisper import WhisperModel  # 0.3 s, 100 MB
        except ImportError as error:
            raise MissingError(
                t(
                    "faster-whisper is not installed ({error}): pip install 'edge-slm[speech]'.",
                    "faster-whisper n'est pas installé ({error}) : pip install 'edge-slm[speech]'.",
                    error=error,
                )
            ) from None
        try:
            self._model = WhisperModel(
                str(folder),
                device="cpu",
                compute_type=compute_type,
                cpu_threads=compute_threads(),
                local_files_only=True,
            )
        except (RuntimeError, ValueError, OSError) as error:
            raise IntegrityError(
                t(
                    "The speech model cannot be loaded ({error}): "
                    "check it with edge-slm models verify.",
                    "Le modèle de parole ne se charge pas ({error}) : edge-slm models verify.",
                    error=error,
                )
            ) from error

    def transcribe(self, audio: Path, language: str | None) -> tuple[Iterator[Segment], str, float]:
        """Return the segments as they come, the language spoken, and the length in seconds.

        Args:
            audio: any sound or video file that FFmpeg decodes.
            language: code of the language spoken, or None to find it.
        Raises:
            UsageError: the file holds no sound that can be decoded.
        """
        parts = recording.blocks(audio)
        heard = self._first_words(parts, language)
        if heard is None:
            raise UsageError(
                t("{name} holds no sound.", "{name} ne contient aucun son.", name=audio.name)
            )
        first, segments, spoken = heard
        length = max(recording.duration(audio), first.start + len(first.samples) / recording.RATE)
        return self._segments(first, segments, parts, spoken), spoken, length

    def _first_words(
        self, parts: Iterator[Block], language: str | None
    ) -> tuple[Block, Iterable[Any], str] | None:
        """Return the first block in which somebody speaks, else the last one; None without any."""
        heard = None
        for part in parts:
            segments, info = self._hear(part, language)
            heard = part, segments, info.language
            if info.duration_after_vad > 0:
                break
        return heard

    def _segments(
        self, part: Block, segments: Iterable[Any], rest: Iterator[Block], language: str
    ) -> Iterator[Segment]:
        yield from _timed(part, segments)
        for following in rest:
            yield from _timed(following, self._hear(following, language)[0])

    def _hear(self, part: Block, language: str | None) -> tuple[Iterable[Any], Any]:
        heard: tuple[Iterable[Any], Any] = self._model.transcribe(
            part.samples,
            language=language,
            vad_filter=True,
            # Without the text before, a wrong word does not lead the next ones astray.
            condition_on_previous_text=False,
        )
        return heard


def _timed(part: Block, segments: Iterable[Any]) -> Iterator[Segment]:
    for segment in segments:
        start, end = part.start + segment.start, part.start + segment.end
        yield Segment(round(start, 2), round(end, 2), segment.text.strip())
