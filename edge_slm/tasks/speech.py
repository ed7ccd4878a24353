"""Transcripts: a recording to text, and text to subtitles."""

from collections.abc import Sequence
from pathlib import Path

from edge_slm.answer import Segment
from edge_slm.errors import UsageError
from edge_slm.i18n import t


def check_recording(path: Path) -> None:
    """Refuse what cannot be a recording before a model is loaded.

    Raises:
        UsageError: no such file, a folder, or nothing in it.
    """
    try:
        found = path.is_file()
    except OSError:  # a name longer than a file's can be
        found = False
    if not found:
        raise UsageError(
            t("There is no file {path}.", "Il n'y a pas de fichier {path}.", path=path)
        )
    if path.stat().st_size == 0:
        raise UsageError(t("{name} is empty.", "{name} est vide.", name=path.name))


def to_srt(segments: Sequence[Segment]) -> str:
    """Return SubRip subtitles."""
    return "\n".join(
        f"{number}\n{_clock(s.start, ',')} --> {_clock(s.end, ',')}\n{s.text}\n"
        for number, s in enumerate(segments, 1)
    )


def to_vtt(segments: Sequence[Segment]) -> str:
    """Return WebVTT subtitles (W3C: https://www.w3.org/TR/webvtt1/)."""
    cues = "\n".join(
        f"{_clock(s.start, '.')} --> {_clock(s.end, '.')}\n{_escape(s.text)}\n" for s in segments
    )
    return f"WEBVTT\n\n{cues}"


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _clock(seconds: float, mark: str) -> str:
    milliseconds = round(seconds * 1000)
    minutes, rest = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{rest // 1000:02}{mark}{rest % 1000:03}"
