"""Small specialised models and the ladder against one general model, on the same questions.

    routed     the ladder decides, a small model writes what it leaves, another one translates
    general    one model writes every answer from the passages found, and translates

Every contender searches the same base with the same embedder, starts with engines just loaded and
nothing read before, and is judged by the same rules. It does not know what a cloud would spend:
energy/cloud.py estimates that, apart.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from edge_slm.answer import Answer
from edge_slm.assistant import Assistant
from edge_slm.bench.measure import case_of, repeated
from edge_slm.bench.record import Case
from edge_slm.bench.runtime.states import own_states
from edge_slm.bench.tasks_hr import judged
from edge_slm.bench.tasks_runs import total, writing
from edge_slm.bench.tasks_translation import Segment
from edge_slm.cards import get_card
from edge_slm.engines.loaded import Engines
from edge_slm.errors import MissingError
from edge_slm.evaluation.answers import Question
from edge_slm.evaluation.text_scores import chrf
from edge_slm.evaluation.ways import Way, opened
from edge_slm.i18n import t

SUITE = "frugal"
LEAST = 400_000_000  # parameters: below, a model is there for tests, and answers nothing
WARM_QUESTION = "Qui est le maire ?"
WARM_TEXT = ("Merci.", "fr", "en")


@dataclass(frozen=True)
class Contender:
    """Who answers.

    Attributes:
        name: of the contender, as results show it.
        way: how a question is answered.
        writes: id of the chat model that writes answers.
        translates: id of the chat model that translates.
    """

    name: str
    way: Way
    writes: str
    translates: str


@dataclass(frozen=True)
class Workload:
    """What every contender is asked: questions over a base, and texts to translate."""

    questions: Sequence[Question]
    base: Path
    segments: Sequence[Segment]

    @property
    def steps(self) -> int:
        """How many requests one contender answers."""
        return len(self.questions) + len(self.segments)


def contenders(installed: Sequence[str] | None = None) -> list[Contender]:
    """Return the contenders that the installed chat models allow, the most frugal first.

    The smallest model writes for the ladder; the next larger one translates, for the smallest does
    so badly. Each model is then a general one that does everything.

    Raises:
        MissingError: fewer than two chat models are installed.
    """
    if installed is None:
        with closing(Engines()) as engines:
            installed = engines.chat_models()
    models = sorted(
        (name for name in installed if _parameters(name) >= LEAST),
        key=_parameters,
    )
    if len(models) < 2:
        raise MissingError(
            t(
                "A comparison needs two chat models: run edge-slm models pull lite standard",
                "Une comparaison demande deux modèles de dialogue : lancez "
                "edge-slm models pull lite standard",
            )
        )
    small, medium = models[:2]
    return [
        Contender("small-ladder", "ladder", small, small),
        Contender("routed-ladder", "ladder", small, medium),
        *(Contender(f"general {name}", "always_generate", name, name) for name in models),
    ]


def run(
    contender: Contender, work: Workload, advance: Callable[[int], object] = lambda _: None
) -> Iterator[Case]:
    """Yield a contender's case for questions, for translations, and for both together.

    Args:
        contender: who answers.
        work: what is asked.
        advance: called with 1 after each request.
    """
    answered = _questions(contender, work, advance)
    translated = _translations(contender, work.segments, advance)
    yield answered
    yield translated
    yield _both(answered, translated)


def _questions(contender: Contender, work: Workload, advance: Callable[[int], object]) -> Case:
    with (
        own_states(),
        opened(contender.way, str(work.base), contender.writes) as (ask, _),
    ):
        ask(WARM_QUESTION)
        ask(work.questions[0].question)  # loads what the first question needs

        def ask_all() -> list[Answer]:
            return [_told(ask(row.question), advance) for row in work.questions]

        runs = repeated(ask_all, repeats=1, warmup=0)
    answers = runs.outcomes[0]
    # The ladder shows whole sentences, once checked: no speed can be told from these.
    speed = writing(answers) if contender.way == "always_generate" else {}
    score, correct = judged(work.questions, answers, work.base)
    return case_of(
        SUITE,
        "questions",
        runs,
        contender=contender.name,
        model=contender.writes,
        usage=total(answers),
        answers=len(answers),
        correct=correct,
        quality=round(correct / len(answers), 4),
        quality_name="accuracy",
        **speed,
        more={
            "correct_answerable": score.correct,
            "wrong_answerable": score.wrong,
            "declined_unanswerable": score.declined_unanswerable,
            "unsupported_figures": score.unsupported_figures,
            "kinds": score.by_kind,
        },
    )


def _translations(
    contender: Contender, segments: Sequence[Segment], advance: Callable[[int], object]
) -> Case:
    with own_states(), Assistant.open(model=contender.translates, kb=()) as assistant:
        assistant.translate(*WARM_TEXT)

        def translate_all() -> list[Answer]:
            return [
                _told(assistant.translate(row.text, row.source, row.target), advance)
                for row in segments
            ]

        runs = repeated(translate_all, repeats=1, warmup=0)
    answers = runs.outcomes[0]
    return case_of(
        SUITE,
        "translations",
        runs,
        contender=contender.name,
        model=contender.translates,
        usage=total(answers),
        answers=len(answers),
        quality=round(
            chrf([answer.text for answer in answers], [row.reference for row in segments]), 2
        ),
        quality_name="chrf",
        **writing(answers),
    )


def _both(answered: Case, translated: Case) -> Case:
    """Return the cost of both together; joules only where both were found in the same way."""
    same = answered.joules_method == translated.joules_method
    joules = _sum(answered.joules, translated.joules) if same else None
    seconds = answered.seconds + translated.seconds
    return replace(
        answered,
        case="both",
        model=None,
        seconds=seconds,
        cpu_seconds=answered.cpu_seconds + translated.cpu_seconds,
        peak_bytes=max(answered.peak_bytes or 0, translated.peak_bytes or 0) or None,
        prompt_tokens=_whole(answered.prompt_tokens, translated.prompt_tokens),
        cached_tokens=_whole(answered.cached_tokens, translated.cached_tokens),
        tokens=_whole(answered.tokens, translated.tokens),
        first_token_s=None,
        tokens_per_s=None,
        joules=joules,
        joules_low=_sum(answered.joules_low, translated.joules_low) if same else None,
        joules_high=_sum(answered.joules_high, translated.joules_high) if same else None,
        joules_method=answered.joules_method if same else None,
        joules_scope=answered.joules_scope if same else None,
        watts=joules / seconds if joules is not None and seconds else None,
        answers=_whole(answered.answers, translated.answers),
        correct=None,
        quality=None,
        quality_name=None,
        more={},
        conditions=replace(answered.conditions, note=""),  # said of its two parts
    )


def _told(answer: Answer, advance: Callable[[int], object]) -> Answer:
    advance(1)
    return answer


def _sum(first: float | None, second: float | None) -> float | None:
    return None if first is None or second is None else first + second


def _whole(first: int | None, second: int | None) -> int | None:
    return None if first is None or second is None else first + second


def _parameters(model: str) -> int:
    return get_card(model).parameters or 0
