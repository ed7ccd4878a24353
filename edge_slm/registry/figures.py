"""The figures of a statement: the energy ledger, installed models, a file of results.

A figure that nobody measured is told to be missing, with the command that measures it.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from edge_slm.energy.ledger import Ledger, Part
from edge_slm.energy.summary import way_in_words
from edge_slm.errors import EdgeSlmError
from edge_slm.i18n import say

if TYPE_CHECKING:
    from edge_slm.bench.record import Case


_MEASURE = (
    "edge-slm bench tasks -o DIR && edge-slm registry export --format rgesn "
    "--results DIR/results.jsonl"
)


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One figure.

    Either `value` in `unit`, found by `method`, between `low` and `high` where that is known; or
    None, and `missing` says what to run for it.
    """

    name: str
    value: float | None = None
    unit: str = ""
    low: float | None = None
    high: float | None = None
    method: str | None = None
    missing: str | None = None


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """All figures, by what they are about."""

    router: list[Figure]
    training: list[Figure]
    models: list[Figure]
    download: list[Figure]
    answers: list[Figure]
    results: list[Figure]


def collect(language: str, results: Path | None = None, ledger: Ledger | None = None) -> Figures:
    """Return the figures of this installation.

    Args:
        language: “fr” or “en”, of the figures' names.
        results: JSON lines of `edge-slm bench`.
        ledger: the ledger of this machine where None.

    Raises:
        UsageError: the results cannot be read, or are none.
        EdgeSlmError: the ledger cannot be read.
    """
    models, download = _models(language)
    return Figures(
        router=[_router(language)],
        training=[_training(language)],
        models=models,
        download=download,
        answers=_answers(language, ledger or Ledger()),
        results=_results(language, results),
    )


def _router(language: str) -> Figure:
    from edge_slm.routing.classifier import WEIGHTS

    name = say(language, "weights of the router's classifier", "poids du classifieur du routeur")
    byte = say(language, "bytes", "octets")
    how = say(language, "size of the file", "taille du fichier")
    try:
        return Figure(name=name, value=float(WEIGHTS.stat().st_size), unit=byte, method=how)
    except OSError:
        return Figure(name=name, missing="python packaging/router/train.py")


def _training(language: str) -> Figure:
    name = say(language, "processor time of training", "temps processeur de l'entraînement")
    return Figure(name=name, missing="time python packaging/router/train.py DATA")


def _models(language: str) -> tuple[list[Figure], list[Figure]]:
    """Return bits a weight of each installed model, and bytes to fetch for all of them."""
    from edge_slm.cards import get_card
    from edge_slm.store import Store

    byte = say(language, "bytes", "octets")
    bits, total = [], 0
    for model in Store().models():
        try:
            card = get_card(model)
        except EdgeSlmError:
            continue  # its card is gone or broken: `models list` says so
        total += card.size
        bits.append(
            Figure(
                name=f"{card.id} ({card.task}, {card.quantisation}, {card.size} {byte})",
                value=round(card.size * 8 / card.parameters, 2),
                unit=say(language, "bits a weight", "bits par poids"),
                method=say(language, "from its card", "d'après sa fiche"),
            )
        )
    name = say(language, "models to fetch once", "modèles à télécharger une fois")
    if not bits:
        pull = "edge-slm models pull"
        none = say(language, "installed models", "modèles installés")
        return [Figure(name=none, missing=pull)], [Figure(name=name, missing=pull)]
    cards = say(language, "from their cards", "d'après leurs fiches")
    return bits, [Figure(name=name, value=float(total), unit=byte, method=cards)]


def _answers(language: str, ledger: Ledger) -> list[Figure]:
    share = say(language, "share of answers without a token", "part des réponses sans aucun jeton")
    each = say(language, "joules an answer", "joules par réponse")
    parts = ledger.by_rung()
    answers = [part for part in parts if part.name not in ("stopped", "failed")]
    count = sum(part.answers for part in answers)
    if not count:
        missing = 'edge-slm ask "…"'
        return [Figure(name=share, missing=missing), Figure(name=each, missing=missing)]
    free = sum(part.without_tokens for part in answers)
    first = Figure(
        name=share,
        value=round(free / count, 3),
        method=say(language, "ledger, answers: {n}", "registre, réponses : {n}", n=count),
    )
    return [first, *(_rung(language, each, part) for part in answers)]


def _rung(language: str, each: str, part: Part) -> Figure:
    name = f"{each}, {part.name}"
    known = part.answers - part.without_joules
    if part.joules_per_answer is None:
        return Figure(name=name, missing="edge-slm doctor")
    count = say(language, "answers: {n}", "réponses : {n}", n=known)
    return Figure(
        name=name,
        value=round(part.joules_per_answer, 2),
        unit="J",
        low=None if part.low is None else round(part.low / known, 2),
        high=None if part.high is None else round(part.high / known, 2),
        method=f"{way_in_words((part.method, part.scope), language)}, {count}",
    )


def _results(language: str, path: Path | None) -> list[Figure]:
    name = say(language, "cost of a correct answer", "coût d'une réponse juste")
    if path is None:
        return [Figure(name=name, missing=_MEASURE)]
    from edge_slm.bench.results import read_cases

    cases = read_cases(path)
    figures = [figure for case in cases if case.correct for figure in _case(language, name, case)]
    return figures or [Figure(name=name, missing=_MEASURE)]


def _case(language: str, name: str, case: "Case") -> list[Figure]:
    """Return joules and processor time of a correct answer, of a case that was judged."""
    correct = case.correct or 0
    whose = f"{name}, {case.suite} {case.case}, {case.contender}"
    machine = f"{case.machine.cpu}, {case.date}"
    time = Figure(
        name=whose,
        value=round(case.cpu_seconds / correct, 3),
        unit=say(language, "CPU-seconds", "secondes de processeur"),
        method=say(language, "measured, {m}", "mesuré, {m}", m=machine),
    )
    if case.joules is None:
        return [time]
    way = way_in_words((case.joules_method, case.joules_scope), language)
    joules = Figure(
        name=whose,
        value=round(case.joules / correct, 2),
        unit="J",
        low=None if case.joules_low is None else round(case.joules_low / correct, 2),
        high=None if case.joules_high is None else round(case.joules_high / correct, 2),
        method=f"{way}, {machine}",
    )
    return [joules, time]
