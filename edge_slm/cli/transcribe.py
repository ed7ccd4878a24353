"""edge-slm transcribe."""

from pathlib import Path
from typing import TYPE_CHECKING

import click
from msgspec.structs import replace

from edge_slm import files
from edge_slm.answer import Answer, Segment
from edge_slm.cli import output
from edge_slm.cli.translate import LANGUAGE
from edge_slm.i18n import t
from edge_slm.progress import progress
from edge_slm.tasks.speech import to_srt, to_vtt

if TYPE_CHECKING:
    from edge_slm.assistant import Assistant


@click.command(
    "transcribe",
    help=t("Write down the speech of AUDIO.", "Transcrire la parole du fichier AUDIO."),
)
@click.argument("audio", type=click.Path(path_type=Path))
@click.option(
    "--language",
    type=LANGUAGE,
    help=t("Language spoken; found by default.", "Langue parlée ; reconnue par défaut."),
)
@click.option(
    "--translate-to",
    type=LANGUAGE,
    help=t("Also translate the transcript.", "Traduire aussi la transcription."),
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["txt", "srt", "vtt", "json"]),
    default="txt",
    show_default=True,
    help=t("Form of the result.", "Forme du résultat."),
)
@click.option(
    "-o",
    "--output",
    "destination",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help=t("File to write.", "Fichier à écrire."),
)
def command(
    audio: Path,
    language: str | None,
    translate_to: str | None,
    form: str,
    destination: Path | None,
) -> None:
    """Transcribe."""
    from edge_slm.assistant import Assistant

    with Assistant.open(kb=()) as assistant:
        answer = _transcribed(assistant, audio, language)
        if translate_to and translate_to != answer.language:
            answer = _translated(assistant, answer, translate_to)
    text = _formatted(answer, form).rstrip("\n") + "\n"
    if destination:
        with files.replacing(destination) as temporary:
            temporary.write_text(text, encoding="utf-8")
    else:
        click.echo(text, nl=False)
    output.show_warnings(answer)


def _transcribed(assistant: "Assistant", audio: Path, language: str | None) -> Answer:
    done = 0
    with progress(t("Listening", "Écoute"), 100) as advance:

        def heard(segment: Segment, duration: float) -> None:
            nonlocal done
            now = min(100, int(100 * segment.end / duration)) if duration else 100
            advance(now - done)
            done = now

        return assistant.transcribe(audio, language, heard)


def _translated(assistant: "Assistant", answer: Answer, target: str) -> Answer:
    """Translate segment by segment, so that subtitles keep their times."""
    segments = []
    warnings = list(answer.warnings)
    with progress(t("Translating", "Traduction"), len(answer.segments)) as advance:
        for segment in answer.segments:
            translation = assistant.translate(segment.text, answer.language, target)
            segments.append(Segment(segment.start, segment.end, translation.text))
            warnings.extend(translation.warnings)
            advance(1)
    return replace(
        answer,
        text=" ".join(segment.text for segment in segments),
        language=target,
        segments=tuple(segments),
        warnings=tuple(warnings),
    )


def _formatted(answer: Answer, form: str) -> str:
    match form:
        case "json":
            return answer.to_json()
        case "srt":
            return to_srt(answer.segments)
        case "vtt":
            return to_vtt(answer.segments)
        case _:
            return answer.text
