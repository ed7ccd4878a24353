"""Speech to text by faster-whisper (CTranslate2), in this process."""

from collections.abc import Iterator
from pathlib import Path

from edge_slm.answer import Segment
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
        from faster_whisper.audio import decode_audio

        samples = _decode(decode_audio, audio)
        segments, info = self._model.transcribe(
            samples,
            language=language,
            vad_filter=True,
            # Without the text before, a wrong word does not lead the next ones astray.
            condition_on_previous_text=False,
        )
        return (
            (Segment(round(s.start, 2), round(s.end, 2), s.text.strip()) for s in segments),
            info.language,
            info.duration,
        )


def _decode(decode: object, audio: Path) -> object:
    import av

    assert callable(decode)
    try:
        samples = decode(str(audio), sampling_rate=16_000)
    except (av.FFmpegError, IndexError, ValueError, RuntimeError) as error:
        raise UsageError(
            t(
                "{name} is not a recording that can be read ({error}).",
                "{name} n'est pas un enregistrement lisible ({error}).",
                name=audio.name,
                error=getattr(error, "strerror", None) or type(error).__name__,
            )
        ) from None
    if len(samples) == 0:
        raise UsageError(
            t("{name} holds no sound.", "{name} ne contient aucun son.", name=audio.name)
        )
    return samples
