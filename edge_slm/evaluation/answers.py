"""Are answers right, cited, and refused when they should be?"""

import re
from collections import Counter
from collections.abc import Callable, Sequence

import msgspec
import numpy as np

from edge_slm.answer import Answer
from edge_slm.assistant import Assistant
from edge_slm.text import fold

_SPACES = re.compile(r"\s+")


class Question(msgspec.Struct, frozen=True):
    """A question, and what its answer must hold; `gold_doc` and `key_facts` are other names."""

    question: str
    answerable: bool = True
    document: str | None = None
    gold_doc: str | None = None
    page: int | None = None
    must_appear: tuple[str, ...] = ()
    key_facts: tuple[str, ...] = ()

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

    right: all words appear and the right document is cited.
    cited: the right document is among the sources; paged: on the right page too.
    wrong: answered, but without the words or the source.
    refused: answerable, but declined. invented: unanswerable, but answered.
    """

    questions: int
    answerable: int
    right: float
    cited: float
    paged: float
    wrong: float
    refused: float
    unanswerable: int
    declined: float
    invented: float
    kinds: dict[str, int]
    completion_tokens: int
    p50_ms: float
    p95_ms: float
    failures: tuple[str, ...]


def evaluate(
    assistant: Assistant, questions: Sequence[Question], on_question: Callable[[int], None]
) -> AnswerScore:
    """Ask all questions and score the answers."""
    answers = []
    for question in questions:
        answers.append(assistant.ask(question.question))
        on_question(1)
    pairs = list(zip(questions, answers, strict=True))
    yes = [(q, a) for q, a in pairs if q.answerable]
    no = [(q, a) for q, a in pairs if not q.answerable]
    times = [answer.timings_ms["total"] for answer in answers]
    return AnswerScore(
        questions=len(pairs),
        answerable=len(yes),
        right=_share(yes, lambda q, a: _cited(q, a) and _holds(q, a)),
        cited=_share(yes, _cited),
        paged=_share(yes, _paged),
        wrong=_share(yes, lambda q, a: not _declined(q, a) and not (_cited(q, a) and _holds(q, a))),
        refused=_share(yes, _declined),
        unanswerable=len(no),
        declined=_share(no, _declined),
        invented=_share(no, lambda q, a: not _declined(q, a)),
        kinds=dict(Counter(answer.kind for answer in answers)),
        completion_tokens=sum(answer.usage.completion_tokens for answer in answers),
        p50_ms=round(float(np.percentile(times, 50)), 1),
        p95_ms=round(float(np.percentile(times, 95)), 1),
        failures=tuple(_failure(q, a) for q, a in pairs if not _well(q, a)),
    )


def _share(
    pairs: Sequence[tuple[Question, Answer]], test: Callable[[Question, Answer], bool]
) -> float:
    return round(sum(test(q, a) for q, a in pairs) / len(pairs), 4) if pairs else 0.0


def _declined(_: Question, answer: Answer) -> bool:
    return answer.kind == "declined"


def _cited(question: Question, answer: Answer) -> bool:
    return any(source.document == question.source for source in answer.sources)


def _paged(question: Question, answer: Answer) -> bool:
    return any(
        source.document == question.source and question.page in (None, source.page)
        for source in answer.sources
    )


def _holds(question: Question, answer: Answer) -> bool:
    text = _plain(answer.text)
    return all(
        re.search(rf"(?<![\w]){re.escape(_plain(word))}(?![\w])", text) for word in question.words
    )


def _well(question: Question, answer: Answer) -> bool:
    if not question.answerable:
        return _declined(question, answer)
    return _cited(question, answer) and _holds(question, answer)


def _failure(question: Question, answer: Answer) -> str:
    wanted = f"{question.source} {question.words}" if question.answerable else "declined"
    got = f"{answer.kind} {[s.document for s in answer.sources]} {_plain(answer.text)[:160]}"
    return f"{question.question} | {wanted} | {got}"


def _plain(text: str) -> str:
    return _SPACES.sub(" ", fold(text.replace("’", "'"))).strip()
