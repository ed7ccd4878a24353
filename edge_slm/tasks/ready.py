"""Answers that are known beforehand: to small talk, to an order, where there is no base."""

from collections.abc import Iterator

from edge_slm import language as languages
from edge_slm.answer import Answer, Kind, Route
from edge_slm.clock import Clock
from edge_slm.i18n import t
from edge_slm.tasks import small_talk


def greeted(
    kind: str, text: str, language: str | None, route: Route, clock: Clock
) -> Iterator[str | Answer]:
    """Yield the reply to small talk of a kind (routing/rules.py), then the answer."""
    language = language or languages.detect(text)
    return _events(small_talk.reply(kind, language), "approved", language, route, clock)


def not_obeyed(text: str, route: Route, clock: Clock) -> Iterator[str | Answer]:
    """Yield the refusal of an order to the assistant itself, then the answer."""
    language = languages.of_request(text)
    return _events(small_talk.not_obeyed(language), "declined", language, route, clock)


def without_base(text: str, clock: Clock) -> Iterator[str | Answer]:
    """Yield what is said to a question when there is no base, then the answer."""
    language = languages.of_request(text)
    why = t("there is no base to answer from", "il n'y a pas de base où chercher")
    route = Route("fallback", 1.0, why)
    return _events(small_talk.no_base(language), "declined", language, route, clock)


def _events(
    reply: str, kind: Kind, language: str, route: Route, clock: Clock
) -> Iterator[str | Answer]:
    yield reply
    yield Answer(
        text=reply,
        kind=kind,
        task=route.task,
        language=language,
        ai_generated=False,
        route=route,
        timings_ms=clock.laps(),
    )
