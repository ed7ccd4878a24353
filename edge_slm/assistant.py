"""The assistant: sends a request to the task that can serve it, and gives back an answer.

This is all that the command line and the Python API know of what lies below. Engines are loaded
when a task first needs them, and kept as long as the memory budget allows or until the assistant is
closed.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self

from edge_slm import language as languages
from edge_slm.answer import Answer, Route, Segment
from edge_slm.clock import Clock
from edge_slm.conversation.turns import telling, understand
from edge_slm.energy.paying import Events, paid
from edge_slm.engines.loaded import EMBEDDER, Engines
from edge_slm.errors import EdgeSlmError, UsageError
from edge_slm.i18n import Language, t
from edge_slm.kb.rungs import ALL, Rungs
from edge_slm.routing.request import Request
from edge_slm.tasks import ready

if TYPE_CHECKING:
    from edge_slm.conversation.follow_up import Turn
    from edge_slm.conversation.talk import Conversation
    from edge_slm.kb.base import KnowledgeBase
    from edge_slm.tasks.triage.labels import Labels
    from edge_slm.tasks.triage.mail import Mail

LONGEST_REQUEST = 4000  # characters: beyond, it is a document, not a question

OnPiece = Callable[[str], None]
OnSegment = Callable[[Segment, float], None]


def _ignore(*_: object) -> None:
    pass


class Assistant:
    """Answers requests. Use `Assistant.open()` in a `with` block."""

    def __init__(
        self, engines: Engines, bases: Sequence["KnowledgeBase"], rungs: Rungs = ALL
    ) -> None:
        """Wrap parts that are open; use `open`."""
        self._engines = engines
        self._bases = bases
        self._rungs = rungs

    @classmethod
    def open(
        cls,
        *,
        model: str | None = None,
        kb: Sequence[str] | None = None,
        budget: int | None = None,
        rungs: Rungs = ALL,
    ) -> Self:
        """Open the assistant on this machine's models and bases; no model is loaded yet.

        Args:
            model: id of the chat model; None takes the best one that is installed.
            kb: names or files of the bases to answer from; None takes all of the user's.
            budget: bytes that this program and its models may take together; None for
                EDGE_SLM_BUDGET, else 60 % of the machine's memory.
            rungs: rungs of the answer ladder that may be used (“approved”, “quote”, “written”);
                a base may allow fewer.
        Raises:
            UsageError: no such model or base.
        """
        from edge_slm.kb.base import KnowledgeBase, base_path, list_bases

        files = list_bases() if kb is None else [base_path(name) for name in kb]
        bases = [KnowledgeBase.open(path) for path in files]
        return cls(Engines(model, budget=budget), bases, rungs)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the bases and let the engines go."""
        self._engines.close()
        for base in self._bases:
            base.close()

    def ask(
        self, text: str, on_piece: OnPiece = _ignore, *, earlier: Sequence["Turn"] = ()
    ) -> Answer:
        """Answer any request: a question, a translation, a recording, a greeting.

        Args:
            text: the request, as a person types it.
            on_piece: called with each piece of the answer's text as soon as it is known.
            earlier: the questions asked before, oldest first, which a follow-up leans on.
        Raises:
            UsageError: the request is empty or too long.
            MissingError: a model that it needs is not installed.
        """
        return _finish(self._events(text, earlier), on_piece)

    def stream(self, text: str, *, earlier: Sequence["Turn"] = ()) -> Iterator[str]:
        """Yield the text of an answer piece by piece; arguments and errors are those of `ask`."""
        return (event for event in self._events(text, earlier) if isinstance(event, str))

    def conversation(self) -> "Conversation":
        """Begin a conversation, whose questions may lean on one another."""
        from edge_slm.conversation.talk import Conversation

        return Conversation(self)

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
        events = self._translation(request, Clock(), glossary)
        return _finish(paid(events, "translation"), on_piece)

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
        events = self._speech(request, audio, Clock(), language, on_segment)
        return _finish(paid(events, "speech"), _ignore)

    def triage(self, mail: "Mail", labels: "Labels") -> Answer:
        """Sort an incoming mail and draft a reply from the bases; nothing is sent.

        Args:
            mail: from `edge_slm.tasks.triage.mail.read_mail`.
            labels: from `edge_slm.tasks.triage.labels.read_labels`.
        Raises:
            MissingError: a model that it needs is not installed.
        """
        return _finish(paid(self._triage(mail, labels), "triage"), _ignore)

    def _triage(self, mail: "Mail", labels: "Labels") -> Events:
        from edge_slm.tasks.triage import desk

        ask = self._ask_bases if self._bases else None
        yield desk.answer(mail, labels, self._engines.embedder(), EMBEDDER, ask)

    def _ask_bases(self, question: str) -> Answer:
        why = t("asked by a mail", "posée par un courrier")
        request = Request(Route("hr_faq", 1.0, why), question)
        return _finish(self._question(request, Clock()), _ignore)

    def rate(
        self, question: str, answer: Answer, verdict: Literal["good", "bad"], **said: str
    ) -> int:
        """Keep in its base what a person says of an answer: it waits there for a reviewer.

        Args:
            question: the question as it was asked.
            answer: the answer that was given to it.
            verdict: whether it is right.
            said: reason, correction and by (who says so), as `ratings.rate` takes them.
        Returns:
            id of the rating.
        Raises:
            UsageError: the answer is not one of a base, or a text is too long.
        """
        from edge_slm.kb import ratings

        base = ratings.base_of(answer, self._bases)
        return ratings.rate(base, answer.understood or question, answer, verdict, **said)

    def _events(self, text: str, earlier: Sequence["Turn"] = ()) -> Events:
        clock = Clock()
        understood = understand(_checked(text), earlier)
        clock.lap("route")
        events = self._task(understood.request, text, clock, understood.new)
        told = telling(events, understood.asked) if understood.asked else events
        return paid(told, understood.request.route.task)

    def _task(
        self, request: Request, text: str, clock: Clock, new: frozenset[str] = frozenset()
    ) -> Events:
        match request.route.task:
            case "translation":
                return self._translation(request, clock)
            case "speech":
                return self._speech(request.route, Path(request.text), clock)
            case "small_talk":
                return ready.greeted(request.text, text, request.source, request.route, clock)
            case "fallback":
                return ready.not_obeyed(request.text, request.route, clock)
            case _:
                if not self._bases:
                    return ready.without_base(request.text, clock)
                return self._question(request, clock, new)

    def _question(
        self, request: Request, clock: Clock, new: frozenset[str] = frozenset()
    ) -> Events:
        from edge_slm.tasks.hr_faq.evidence import gather
        from edge_slm.tasks.hr_faq.ladder import answer

        question = request.text
        language: Language = "en" if languages.of_request(question) == "en" else "fr"
        embedder = self._engines.embedder(self._bases[0].meta["embedder"])
        clock.lap("load")
        evidence = gather(question, self._bases, embedder, self._rungs, new)
        clock.lap("search")
        reply = answer(question, language, evidence, lambda: self._engines.chat()[0], self._rungs)
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
            checks=tuple(reply.checks),
        )

    def _translation(
        self, request: Request, clock: Clock, glossary: Sequence[tuple[str, str]] = ()
    ) -> Events:
        from edge_slm.tasks.translation import language_pair, translate

        source, target = language_pair(request.text, request.source, request.target)
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
