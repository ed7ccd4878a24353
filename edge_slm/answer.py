"""The answer: one shape for the command line, the HTTP server and the Python API."""

from typing import Literal

import msgspec

Kind = Literal[
    "approved", "quote", "written", "declined", "translation", "transcript", "bot", "triage"
]
Task = Literal["hr_faq", "translation", "speech", "small_talk", "bot", "triage", "fallback"]


class Source(msgspec.Struct, frozen=True):
    """Where an answer comes from: a passage of a document, and the words that carry it."""

    kb: str
    document: str
    title: str
    page: int
    section: str
    passage: str
    quote: str
    score: float


class Route(msgspec.Struct, frozen=True):
    """Which task took the request, how sure that is (0 to 1), and why in one sentence."""

    task: Task
    confidence: float
    why: str


class ModelUsed(msgspec.Struct, frozen=True):
    """The model that wrote an answer."""

    id: str
    sha256: str
    quantisation: str


class Usage(msgspec.Struct, frozen=True):
    """Tokens read, of which already in the cache, and tokens written."""

    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0


# How joules were found; “estimate” is no measurement.
Method = Literal["rapl", "nvml", "hwmon", "battery", "ioreport", "meter", "estimate"]


class Energy(msgspec.Struct, frozen=True):
    """What an answer cost; None where nothing can be said, never 0.

    `joules` are those of this program's share above the idle machine, between `low` and `high`, and
    `wh` is the same in watt-hours. `scope` says what the meter covers (“package”, “board”, “wall”…;
    “cpu” for an estimate). `cpu_seconds` is the processor time of the program and its workers.
    """

    joules: float | None = None
    low: float | None = None
    high: float | None = None
    method: Method | None = None
    wh: float | None = None
    scope: str | None = None
    cpu_seconds: float | None = None


class Segment(msgspec.Struct, frozen=True):
    """A stretch of speech: start and end in seconds, and what was said."""

    start: float
    end: float
    text: str


Urgency = Literal["low", "normal", "high"]


class Triage(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an incoming mail; nothing was sent.

    `labels` are names of the configured ones, best first. `to_human` says that a person must look
    before anything is done, and `why` gives every reason, a sentence each. `confidence` (0 to 1) is
    the probability that the labels are right.
    """

    labels: tuple[str, ...]
    service: str | None
    urgency: Urgency
    missing: tuple[str, ...]
    draft: str
    to_human: bool
    confidence: float
    why: tuple[str, ...]


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What the assistant gives back for one request.

    `model` is None when no model wrote the text; `ai_generated` says whether one did. `segments`
    is filled for transcripts only, `triage` for mails only. `understood` is the self-contained
    question that a follow-up question was taken for. `checks` names the checks that a sentence of a
    model did not pass.
    """

    text: str
    kind: Kind
    task: Task
    language: str
    ai_generated: bool
    route: Route
    sources: tuple[Source, ...] = ()
    model: ModelUsed | None = None
    usage: Usage = Usage()
    timings_ms: dict[str, float] = {}
    energy: Energy = Energy()
    warnings: tuple[str, ...] = ()
    segments: tuple[Segment, ...] = ()
    triage: Triage | None = None
    understood: str | None = None
    checks: tuple[str, ...] = ()

    def to_json(self) -> str:
        """Return the answer as indented JSON text."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2).decode()
