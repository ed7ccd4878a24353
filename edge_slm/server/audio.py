"""POST /v1/audio/transcriptions: a recording as text or subtitles."""

import re
from collections.abc import Generator
from contextlib import closing
from typing import cast

from edge_slm.answer import Segment
from edge_slm.i18n import t
from edge_slm.server.errors import Refused
from edge_slm.server.exchange import Call, Reply, as_json
from edge_slm.server.sampling import unsupported
from edge_slm.server.site import Site, no_model
from edge_slm.server.uploads import saved, upload_of
from edge_slm.tasks.speech import check_recording, to_srt, to_vtt

FORMATS = ("json", "text", "srt", "vtt", "verbose_json")
TEXT = "text/plain; charset=utf-8"


def handle(site: Site, call: Call) -> Reply:
    """Write down a recording; the copy of it is gone when this returns or raises."""
    upload = upload_of(call)
    form, language = _checked(call)
    model = site.model(call.fields.get("model"), "speech")
    engine, used = site.engines.speech()
    if model not in (None, used.id):
        raise no_model(str(model))
    with saved(upload) as path:
        check_recording(path)
        found, spoken, duration = engine.transcribe(path, language)
        with closing(cast("Generator[Segment]", found)) as stream:
            segments = list(stream)
    return _written(form, segments, spoken, duration)


def _checked(call: Call) -> tuple[str, str | None]:
    form = call.fields.get("response_format", "json")
    if form not in FORMATS:
        raise Refused(
            t(
                "“response_format” is one of {known}.",
                "« response_format » est l'un de {known}.",
                known=", ".join(FORMATS),
            ),
            param="response_format",
        )
    if call.fields.get("stream", "").lower() == "true":
        why = t("a transcript comes whole", "une transcription vient d'un bloc")
        raise unsupported("stream", why)
    language = call.fields.get("language") or None
    if language and not re.fullmatch("[a-z]{2,3}", language):
        raise Refused(
            t(
                "“language” is a code of two or three letters, such as fr.",
                "« language » est un code de deux ou trois lettres, comme fr.",
            ),
            param="language",
        )
    return form, language


def _written(form: str, segments: list[Segment], language: str, duration: float) -> Reply:
    text = " ".join(segment.text for segment in segments)
    usage = {"type": "duration", "seconds": round(duration)}
    match form:
        case "text":
            return Reply(f"{text}\n".encode(), media_type=TEXT)
        case "srt":
            return Reply(to_srt(segments).encode(), media_type=TEXT)
        case "vtt":
            return Reply(to_vtt(segments).encode(), media_type=TEXT)
        case "verbose_json":
            rows = [
                {"id": number, "start": part.start, "end": part.end, "text": part.text}
                for number, part in enumerate(segments)
            ]
            head = {"task": "transcribe", "language": language, "duration": duration}
            return as_json({**head, "text": text, "segments": rows, "usage": usage})
        case _:
            return as_json({"text": text, "usage": usage})
