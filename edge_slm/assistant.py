"""The assistant: sends a request to the task that can serve it, and gives back an answer.

This is all that the command line and the Python API know of what lies below. Engines are loaded
when a task first needs them, and kept as long as the memory budget allows or until the assistant is
closed.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Self

from edge_slm import language as languages
from edge_slm.answer import Answer, Route, Segment
from edge_slm.clock import Clock
from edge_slm.engines.loaded import Engines
from edge_slm.errors import EdgeSlmError, UsageError
from edge_slm.i18n import Language, t
from edge_slm.router import Request, route
from edge_slm.tasks import small_talk

if TYPE_CHECKING:
    from edge_slm.kb.base import KnowledgeBase

LONGEST_REQUEST = 4000  # characters: beyond, it is a document, not a question

# A task yields pieces of its text as soon as they are known, then the whole answer.
Events = Iterator[str | Answer]
OnPiece = Callable[[str], None]
OnSegment = Callable[[Segment, float], None]


def _ignore(*_: object) -> None:
    pass


class Assistant:
    """Answers requests. Use `Assistant.open()` in a `with` block."""

    def __init__(self, engines: Engines, bases: Sequence["KnowledgeBase"]) -> None:
        """Wrap parts that are open; use `open`."""
        self._engines = engines
        self._bases = bases

    @classmethod
    def open(
        cls,
        *,
        model: str | None = None,
        kb: Sequence[str] | None = None,
        budget: int | None = None,
    ) -> Self:
        """Open the assistant on this machine's models and bases; no model is loaded yet.

        Args:
            model: id of the chat model; None takes the best one that is installed.
            kb: names or files of the bases to answer from; None takes all of the user's.
            budget: bytes that this program and its models may take together; None for
                EDGE_SLM_BUDGET, else 60 % of the machine's memory.
        Raises:
            UsageError: no such model or base.
        """
        from edge_slm.kb.base import KnowledgeBase, base_path, list_bases

        files = list_bases() if kb is None else [base_path(name) for name in kb]
        return cls(Engines(model, budget=budget), [KnowledgeBase.open(path) for path in files])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the bases and let the engines go."""
        self._engines.close()
        for base in self._bases:
            base.close()

    def ask(self, text: str, on_piece: OnPiece = _ignore) -> Answer:
        """Answer any request: a question, a translation, a recording, a greeting.

        Args:
            text: the request, as a person types it.
            on_piece: called with each piece of the answer's text as soon as it is known.
        Raises:
            UsageError: the request is empty or too long.
            MissingError: a model that it needs is not installed.
        """
        return _finish(self._events(text), on_piece)

    def stream(self, text: str) -> Iterator[str]:
        """Yield the text of an answer piece by piece; arguments and errors are those of `ask`."""
        return (event for event in self._events(text) if isinstance(event, str))

    def translate(
        self,
        text: str,
        source: str | None = None,
        target: str | None = None,
        glossary: Sequence[tuple[str, str]] = (),
        on_piece: OnPiece = _ignore,
    ) -> Answer:
        """Translate a text of any length.

        Args:
            text: plain text or Markdown.
            source: code of its language; None to find it.
            target: code of the language wanted; None for French, or English from French.
            glossary: pairs (term, translation) to use.
            on_piece: called with each piece of the translation.
        Raises:
            UsageError: nothing to translate, or a language that is not known.
        """
        why = t("asked for directly", "demandé directement")
        request = Request(Route("translation", 1.0, why), text, source, target)
        return _finish(self._translation(request, Clock(), glossary), on_piece)

    def transcribe(
        self, audio: Path, language: str | None = None, on_segment: OnSegment = _ignore
    ) -> Answer:
        """Write down a recording.

        Args:
            audio: any sound or video file that FFmpeg decodes.
            language: code of the language spoken; None to find it.
            on_segment: called with each segment and the length of the recording in seconds.
        Raises:
            UsageError: the file holds no sound that can be decoded.
            EdgeSlmError: nobody speaks in it.
        """
        request = Route("speech", 1.0, t("asked for directly", "demandé directement"))
        return _finish(self._speech(request, audio, Clock(), language, on_segment), _ignore)

    def _events(self, text: str) -> Events:
        clock = Clock()
        request = route(_checked(text))
        clock.lap("route")
        match request.route.task:
            case "translation":
                return self._translation(request, clock)
            case "speech":
                return self._speech(request.route, Path(request.text), clock)
            case "small_talk":
                return _small_talk(request, text, clock)
            case _:
                return self._question(request, clock) if self._bases else _fallback(request, clock)

    def _question(self, request: Request, clock: Clock) -> Events:
        from edge_slm.tasks.hr_faq import ladder

        question = request.text
        language: Language = "en" if languages.detect(question) == "en" else "fr"
        embedder = self._engines.embedder(self._bases[0].meta["embedder"])
        clock.lap("load")
        evidence = ladder.gather(question, self._bases, embedder)
        clock.lap("search")
        reply = ladder.answer(question, language, evidence, lambda: self._engines.chat()[0])
        text = ""
        for piece in reply.pieces:
            clock.first_token()
            text += piece
            yield piece
        yield Answer(
            text=text,
            kind=reply.kind,
            task="hr_faq",
            language=language,
            ai_generated=reply.model_wrote,
            route=Route("hr_faq", round(evidence.confidence, 3), reply.why),
            sources=reply.sources,
            model=self._engines.chat()[1] if reply.model_wrote else None,
            usage=reply.usage,
            timings_ms=clock.laps(),
            warnings=tuple(reply.warnings),
        )

    def _translation(
        self, request: Request, clock: Clock, glossary: Sequence[tuple[str, str]] = ()
    ) -> Events:
        from edge_slm.tasks.translation import translate

        source, target = _language_pair(request)
        engine, used = self._engines.chat()
        clock.lap("load")
        result = translate(engine, request.text, source, target, glossary)
        text = ""
        for piece in result.pieces:
            clock.first_token()
            text += piece
            yield piece
        yield Answer(
            text=text,
            kind="translation",
            task="translation",
            language=target,
            ai_generated=True,
            route=request.route,
            model=used,
            usage=result.usage,
            timings_ms=clock.laps(),
            warnings=tuple(result.warnings),
        )

    def _speech(
        self,
        asked: Route,
        audio: Path,
        clock: Clock,
        language: str | None = None,
        on_segment: OnSegment = _ignore,
    ) -> Events:
        from edge_slm.tasks.speech import check_recording

        check_recording(audio)
        engine, used = self._engines.speech()
        clock.lap("load")
        segments, spoken, duration = engine.transcribe(audio, language)
        kept = []
        for segment in segments:
            clock.first_token()
            kept.append(segment)
            on_segment(segment, duration)
            yield segment.text if len(kept) == 1 else f" {segment.text}"
        if not kept:
            raise EdgeSlmError(
                t(
                    "No speech was found in {name}.",
                    "Aucune parole n'a été trouvée dans {name}.",
                    name=audio.name,
                )
            )
        yield Answer(
            text=" ".join(segment.text for segment in kept),
            kind="transcript",
            task="speech",
            language=spoken,
            ai_generated=True,
            route=asked,
            model=used,
            segments=tuple(kept),
            timings_ms=clock.laps(),
        )


def _finish(events: Events, on_piece: OnPiece) -> Answer:
    for event in events:
        if isinstance(event, Answer):
            return event
        on_piece(event)
    raise RuntimeError("a task ended without an answer")


def _checked(text: str) -> str:
    text = text.strip()
    if not text:
        raise UsageError(
            t(
                "The question is empty: write it after the command.",
                "La question est vide : écrivez-la après la commande.",
            )
        )
    if len(text) > LONGEST_REQUEST:
        raise UsageError(
            t(
                "The question is too long ({length} characters, at most {limit}): shorten it, or "
                "add the text to a base with edge-slm kb add.",
                "La question est trop longue ({length} caractères, {limit} au plus) : abrégez-la, "
                "ou ajoutez le texte à une base avec edge-slm kb add.",
                length=len(text),
                limit=LONGEST_REQUEST,
            )
        )
    return text


def _small_talk(request: Request, text: str, clock: Clock) -> Events:
    language = request.source or languages.detect(text)
    reply = small_talk.reply(request.text, language)
    yield reply
    yield Answer(
        text=reply,
        kind="approved",
        task="small_talk",
        language=language,
        ai_generated=False,
        route=request.route,
        timings_ms=clock.laps(),
    )


def _fallback(request: Request, clock: Clock) -> Events:
    language = languages.detect(request.text)
    reply = small_talk.no_base(language)
    yield reply
    why = t("there is no base to answer from", "il n'y a pas de base où chercher")
    yield Answer(
        text=reply,
        kind="declined",
        task="fallback",
        language=language,
        ai_generated=False,
        route=Route("fallback", 1.0, why),
        timings_ms=clock.laps(),
    )


def _language_pair(request: Request) -> tuple[str, str]:
    if not request.text.strip():
        raise UsageError(
            t(
                "There is nothing to translate: give a text.",
                "Il n'y a rien à traduire : donnez un texte.",
            )
        )
    source = request.source or languages.detect(
        request.text, tuple(languages.NAMES), fallback="en" if request.target == "fr" else "fr"
    )
    target = request.target or ("en" if source == "fr" else "fr")
    if source == target:
        raise UsageError(
            t(
                "The text is already in that language ({code}): choose another with --to.",
                "Le texte est déjà dans cette langue ({code}) : choisissez-en une autre avec --to.",
                code=target,
            )
        )
    return source, target
