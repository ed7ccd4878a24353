"""Are answers right, cited, borne out by their passages, and refused when they should be?"""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial

import msgspec
import numpy as np

from edge_slm.answer import Answer, Energy, Source
from edge_slm.energy.accounts import Bill, metered
from edge_slm.i18n import Language
from edge_slm.kb.search import Hit
from edge_slm.tasks.hr_faq.asking import denies
from edge_slm.tasks.hr_faq.checks import unsupported_figures
from edge_slm.tasks.hr_faq.marks import marks
from edge_slm.text import fold, sentences

_SPACES = re.compile(r"\s+")
# What affirms where no “oui” is said.
_AFFIRMS = re.compile(
    r"\b(?:peu(?:t|vent|vez|x)|pourr\w+|a droit|ont droit|avez droit|droit a|doi(?:t|vent|s)|"
    r"devez|est possible|sont possibles|oblig\w+|can|may|must|is entitled)\b"
)

Ask = Callable[[str], Answer]
PassageOf = Callable[[Source], Hit | None]
Metering = Callable[[], AbstractContextManager[Bill]]


class Question(msgspec.Struct, frozen=True):
    """A question, and what its answer must hold; `gold_doc` and `key_facts` are other names.

    A row that says nothing of `answerable` has no answer when it gives a `reason` why.
    """

    question: str
    answerable: bool | None = None
    reason: str | None = None
    document: str | None = None
    gold_doc: str | None = None
    page: int | None = None
    evidence: str | None = None
    must_appear: tuple[str, ...] = ()
    key_facts: tuple[str, ...] = ()

    @property
    def is_answerable(self) -> bool:
        """Whether the documents answer."""
        return self.reason is None if self.answerable is None else self.answerable

    @property
    def source(self) -> str | None:
        """The document that answers."""
        return self.document or self.gold_doc

    @property
    def words(self) -> tuple[str, ...]:
        """The words that must appear in the answer."""
        return self.must_appear or self.key_facts


class AnswerScore(msgspec.Struct, frozen=True):
    """Counts, and shares (0 to 1) of the answerable or of the unanswerable questions.

    correct: of the answerable, those whose words appear and whose right document is cited.
    wrong: of the answerable, those answered without the words or the document.
    declined_answerable, declined_unanswerable: shares that were declined.
    citation_right: of the answerable that were answered, those whose first citation is of the
        right document and page.
    written: answers that a model wrote. unsupported_figures: figures in these that the passages
        they cite do not hold.
    by_kind: number of answers of each kind. checks: how often each check stopped a sentence.
    cpu_seconds: of this program and its workers. cpu_seconds_per_correct: by correct answer, where
        a right refusal counts as one.
    joules, joules_low, joules_high, joules_per_correct: the same in energy, found by joules_method
        over joules_scope; None where nothing can be said.
    """

    questions: int
    answerable: int
    correct: float
    wrong: float
    declined_answerable: float
    unanswerable: int
    declined_unanswerable: float
    citation_right: float
    written: int
    unsupported_figures: int
    by_kind: dict[str, int]
    checks: dict[str, int]
    completion_tokens: int
    cpu_seconds: float
    cpu_seconds_per_correct: float | None
    p50_ms: float
    p95_ms: float
    joules: float | None
    joules_low: float | None
    joules_high: float | None
    joules_method: str | None
    joules_scope: str | None
    joules_per_correct: float | None


class Verdict(msgspec.Struct, frozen=True):
    """What became of a question."""

    question: str
    answerable: bool
    wanted_document: str | None
    wanted_words: tuple[str, ...]
    kind: str
    well: bool
    citation_right: bool
    unsupported: tuple[str, ...]
    checks: tuple[str, ...]
    documents: tuple[str, ...]
    text: str
    confidence: float
    ms: float


@dataclass(frozen=True)
class _Pair:
    question: Question
    answer: Answer
    verdict: Verdict


def evaluate(
    ask: Ask,
    questions: Sequence[Question],
    on_question: Callable[[int], None],
    passage_of: PassageOf,
    metering: Metering = metered,
) -> tuple[AnswerScore, list[Verdict]]:
    """Ask all questions, score the answers.

    Args:
        ask: answers a question.
        questions: the questions.
        on_question: called with 1 after each.
        passage_of: gives the passage that a citation names.
        metering: bills what is computed in a block.
    """
    pairs = []
    with metering() as bill:
        for question in questions:
            answer = ask(question.question)
            pairs.append(_Pair(question, answer, _verdict(question, answer, passage_of)))
            on_question(1)
    return _score(pairs, bill.energy), [pair.verdict for pair in pairs]


def _score(pairs: Sequence[_Pair], energy: Energy) -> AnswerScore:
    used = energy.cpu_seconds or 0.0
    yes = [pair.verdict for pair in pairs if pair.question.is_answerable]
    no = [pair.verdict for pair in pairs if not pair.question.is_answerable]
    answered = [v for v in yes if v.kind != "declined" and v.wanted_document]
    well = sum(pair.verdict.well for pair in pairs)
    times = [pair.verdict.ms for pair in pairs] or [0.0]
    return AnswerScore(
        questions=len(pairs),
        answerable=len(yes),
        correct=_share([v.well for v in yes]),
        wrong=_share([v.kind != "declined" and not v.well for v in yes]),
        declined_answerable=_share([v.kind == "declined" for v in yes]),
        unanswerable=len(no),
        declined_unanswerable=_share([v.kind == "declined" for v in no]),
        citation_right=_share([v.citation_right for v in answered]),
        written=sum(pair.verdict.kind == "written" for pair in pairs),
        unsupported_figures=sum(len(pair.verdict.unsupported) for pair in pairs),
        by_kind=dict(sorted(Counter(pair.verdict.kind for pair in pairs).items())),
        checks=dict(sorted(Counter(name for p in pairs for name in p.verdict.checks).items())),
        completion_tokens=sum(pair.answer.usage.completion_tokens for pair in pairs),
        cpu_seconds=round(used, 2),
        cpu_seconds_per_correct=round(used / well, 3) if well else None,
        p50_ms=round(float(np.percentile(times, 50)), 1),
        p95_ms=round(float(np.percentile(times, 95)), 1),
        joules=energy.joules,
        joules_low=energy.low,
        joules_high=energy.high,
        joules_method=energy.method,
        joules_scope=energy.scope,
        joules_per_correct=round(energy.joules / well, 3) if energy.joules and well else None,
    )


def _share(outcomes: Sequence[bool]) -> float:
    return round(sum(outcomes) / len(outcomes), 4) if outcomes else 0.0


def _verdict(question: Question, answer: Answer, passage_of: PassageOf) -> Verdict:
    declined = answer.kind == "declined"
    cited = any(source.document == question.source for source in answer.sources)
    found = cited and holds(question.words, answer.text)
    first = answer.sources[0] if answer.sources else None
    return Verdict(
        question=question.question,
        answerable=question.is_answerable,
        wanted_document=question.source,
        wanted_words=question.words,
        kind=answer.kind,
        well=found if question.is_answerable else declined,
        citation_right=first is not None
        and first.document == question.source
        and question.page in (None, first.page),
        unsupported=tuple(_unsupported(answer, passage_of)),
        checks=answer.checks,
        documents=tuple(dict.fromkeys(source.document for source in answer.sources)),
        text=answer.text,
        confidence=answer.route.confidence,
        ms=answer.timings_ms.get("total", 0.0),
    )


def _unsupported(answer: Answer, passage_of: PassageOf) -> list[str]:
    """Return the figures of a written answer that its passages do not hold."""
    if answer.kind != "written":
        return []
    passages = [passage for source in answer.sources if (passage := passage_of(source))]
    text = answer.text
    if not marks(text):  # a model without the ladder: all it has read counts as cited
        every = ", ".join(str(number) for number in range(1, len(passages) + 1))
        text = "\n".join(f"{line.rstrip('.')} [{every}]." for line in sentences(text))
    language: Language = "en" if answer.language == "en" else "fr"
    return unsupported_figures(text, passages, language)


def holds(words: Sequence[str], text: str) -> bool:
    """Return whether an answer holds all words that it must.

    A “non” is also held by a sentence that denies, a “oui” by one that allows or obliges, since a
    quotation says neither.
    """
    return all(map(partial(_holds, _plain(text)), map(_plain, words)))


def _holds(text: str, word: str) -> bool:
    if re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text):
        return True
    if word in ("non", "no"):
        return denies(text)
    return word in ("oui", "yes") and not denies(text) and bool(_AFFIRMS.search(text))


def _plain(text: str) -> str:
    return _SPACES.sub(" ", fold(text.replace("’", "'"))).strip()
