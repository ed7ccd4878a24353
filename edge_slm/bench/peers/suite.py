"""The chat part: our engine and each peer that is made, on the same model file and questions."""

import os
import statistics
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from typing import Any

from edge_slm.answer import Usage
from edge_slm.bench.measure import Runs, case_of
from edge_slm.bench.peers import catalogue, contenders
from edge_slm.bench.peers.contenders import OURS, Contender
from edge_slm.bench.peers.questions import REPLY_TOKENS, Question, questions
from edge_slm.bench.peers.rounds import Asked, child_since, rounds
from edge_slm.bench.record import Case
from edge_slm.bench.runtime.states import own_states
from edge_slm.bench.runtime.timing import Timed
from edge_slm.engines import Message
from edge_slm.engines.loaded import Engines
from edge_slm.engines.workers.remote import RemoteChat
from edge_slm.errors import EdgeSlmError
from edge_slm.i18n import t
from edge_slm.process_tree import descendants
from edge_slm.progress import progress

SUITE = "peers"
Say = Callable[[str], object]


@dataclass(frozen=True)
class _Present:
    contender: Contender
    pid: int | None


def chat(model: str | None, names: Sequence[str], repeats: int, leave_out: Say) -> list[Case]:
    """Measure a chat model in our engine and in peers.

    Args:
        model: id; None for the best that is installed.
        names: peers of the catalogue; others of this task are not asked.
        repeats: timed rounds of each question.
        leave_out: called with a sentence for a peer that is absent or fails.
    Returns:
        a line for each question and contender, ours first.
    Raises:
        MissingError: no chat model is installed.
        EdgeSlmError: our own engine fails.
    """
    with _all(model, names, leave_out) as (engine, present, used):
        asked = questions(engine.count_tokens)
        total = (repeats + 1) * len(asked) * len(present)
        with progress(t("Peers", "Témoins"), total) as advance:
            cases: list[Case] = []
            for question in asked:
                done = _rounds(present, question, repeats, leave_out, advance)
                cases += _lines(question, present, done, used, leave_out)
                present = [one for one in present if one.contender.name in done]
        return cases


@contextmanager
def _all(
    model: str | None, names: Sequence[str], leave_out: Say
) -> Iterator[tuple[RemoteChat, list[_Present], str]]:
    """Yield our engine, all contenders that start, and the model's id."""
    with own_states(), closing(Engines(model)) as engines, ExitStack() as stack:
        spec = engines.chat_spec(engines.chat()[1].id)
        engine = RemoteChat(engines.pool, spec)
        before = descendants(os.getpid())
        present = [_Present(contenders.ours(engine), child_since(before))]
        render = contenders.renderer(spec)
        for name in names:
            kind, peer = catalogue.KINDS[name], catalogue.made(name)
            if peer is None:
                leave_out(catalogue.absent(name))
                continue
            before = descendants(os.getpid())
            try:
                with progress(t("Starting {name}", "Démarrage de {name}", name=name), 0):
                    start = contenders.started(kind, peer, spec, render)
                    contender = stack.enter_context(start)
            except EdgeSlmError as error:
                leave_out(str(error))
                continue
            present.append(_Present(contender, child_since(before)))
        yield engine, present, spec.model


def _rounds(
    present: Sequence[_Present],
    question: Question,
    repeats: int,
    leave_out: Say,
    advance: Callable[[int], object],
) -> dict[str, Runs[Timed]]:
    put: dict[int, tuple[Message, ...]] = {}  # all are asked the same in one round

    def asking(contender: Contender) -> Callable[[int], Timed]:
        def run(number: int) -> Timed:
            messages = put.setdefault(number, question.messages())
            reply = contender.ask(messages, REPLY_TOKENS)
            if not reply.text.strip():
                raise _silent(contender.name)
            return reply

        return run

    def failed(sentence: str) -> None:
        leave_out(f"{question.name}: {sentence}")

    asked = [Asked(one.contender.name, one.pid, asking(one.contender)) for one in present]
    done = rounds(asked, repeats, failed, advance)
    if OURS not in done:
        raise EdgeSlmError(
            t(
                "Our own engine failed in this comparison: see edge-slm doctor.",
                "Notre propre moteur a échoué dans cette comparaison : voir edge-slm doctor.",
            )
        )
    return done


def _lines(
    question: Question,
    present: Sequence[_Present],
    done: dict[str, Runs[Timed]],
    model: str,
    tell: Say,
) -> list[Case]:
    own = [reply.text for reply in done[OURS].outcomes]
    cases = []
    for one in present:
        if runs := done.get(one.contender.name):
            case = _line(question, one.contender, runs, model, own)
            cases.append(case)
            if not case.more["sound"]:
                tell(_nonsense(case, runs.outcomes[0].text))
    return cases


def _line(
    question: Question, contender: Contender, runs: Runs[Timed], model: str, own: Sequence[str]
) -> Case:
    replies = runs.outcomes
    more: dict[str, Any] = {
        **contender.about,
        "sound": all(question.sound(reply.text) for reply in replies),
        "same_texts": sum(a.text.strip() == b.strip() for a, b in zip(replies, own, strict=True)),
        "exact": contender.exact,
        **spread(runs),
    }
    return case_of(
        SUITE,
        question.name,
        runs,
        contender=contender.name,
        model=model,
        usage=_middle([reply.usage for reply in replies]),
        answers=1,
        correct=round(statistics.median(question.right(reply.text) for reply in replies)),
        first_token_s=statistics.median(reply.first_s for reply in replies),
        tokens_per_s=statistics.median(reply.tokens_per_s for reply in replies),
        more=more,
    )


def _middle(usages: Sequence[Usage]) -> Usage:
    return Usage(
        statistics.median_low(usage.prompt_tokens for usage in usages),
        statistics.median_low(usage.cached_tokens for usage in usages),
        statistics.median_low(usage.completion_tokens for usage in usages),
    )


def spread(runs: Runs[Timed]) -> dict[str, Any]:
    """Return the least and the most of all measures of the runs, for verdict.py."""
    columns = {
        "first_token_s": [reply.first_s for reply in runs.outcomes],
        "tokens_per_s": [reply.tokens_per_s for reply in runs.outcomes],
        "cpu_seconds": [run.energy.cpu_seconds or 0.0 for run in runs.runs],
    }
    return {f"{name}_range": [min(column), max(column)] for name, column in columns.items()}


def _silent(name: str) -> EdgeSlmError:
    return EdgeSlmError(
        t("{name} wrote nothing: left out.", "{name} n'a rien écrit : mis de côté.", name=name)
    )


def _nonsense(case: Case, text: str) -> str:
    return t(
        "{case}: what {name} wrote is no French sentence (“{text}”): its times are no comparison.",
        "{case} : ce que {name} a écrit n'est pas du français (« {text} ») : ses temps ne se "
        "comparent pas.",
        case=case.case,
        name=case.contender,
        text=" ".join(text.split())[:60],
    )
