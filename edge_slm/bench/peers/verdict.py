"""Where a peer beats us, one honest sentence a measure, with the ratio; and where words agree."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from edge_slm.bench.peers.contenders import OURS
from edge_slm.bench.record import Case
from edge_slm.i18n import decimal, t


class Measure(NamedTuple):
    """What is compared: its value in a case, whether more is better, and what to say."""

    name: str
    value: Callable[[Case], float | None]
    more_is_better: bool
    english: str
    french: str


def _joules(case: Case) -> float | None:
    # An estimate is processor time over again: it would be one win said twice.
    return None if case.joules_method == "estimate" else case.joules


def _right(case: Case) -> float | None:
    return None if case.correct is None else float(case.correct)


MEASURES = (
    Measure(
        "first_token_s",
        lambda case: case.first_token_s,
        False,
        "our first word takes {ratio} times as long",
        "notre premier mot demande {ratio} fois son temps",
    ),
    Measure(
        "tokens_per_s",
        lambda case: case.tokens_per_s,
        True,
        "it writes {ratio} times our tokens per second",
        "il écrit {ratio} fois nos jetons par seconde",
    ),
    Measure(
        "seconds",
        lambda case: case.seconds if case.tokens_per_s is None else None,
        False,
        "we take {ratio} times its time",
        "il nous faut {ratio} fois son temps",
    ),
    Measure(
        "cpu_seconds",
        lambda case: case.cpu_seconds,
        False,
        "we take {ratio} times its processor time",
        "il nous faut {ratio} fois son temps de calcul",
    ),
    Measure(
        "joules",
        _joules,
        False,
        "we take {ratio} times its energy",
        "il nous faut {ratio} fois son énergie",
    ),
    Measure(
        "peak_bytes",
        lambda case: case.peak_bytes,
        False,
        "we hold {ratio} times its memory",
        "il nous faut {ratio} fois sa mémoire",
    ),
)


def sentences(cases: Sequence[Case]) -> list[str]:
    """Return a sentence for each measure of each case in which a peer beats us.

    Peers whose words were no sentences are left out: to write nonsense fast is no win. A ratio
    that rounds to 1.00 is none either. Where the runs of both overlap, the sentence says so.
    """
    own = {case.case: case for case in cases if case.contender == OURS}
    said = []
    for case in cases:
        if case.contender == OURS or case.case not in own or not case.more.get("sound", True):
            continue
        said += [
            _sentence(measure, case, ratio, own[case.case])
            for measure in MEASURES
            if (ratio := _ratio(measure, case, own[case.case])) and round(ratio, 2) > 1
        ]
        said += _better_answers(case, own[case.case])
    return said


def agreement(cases: Sequence[Case]) -> list[str]:
    """Return how often each peer that reads our very file wrote our words."""
    return [
        t(
            "{case}: {name} reads the same file: the same words as ours in {same} of {all} runs.",
            "{case} : {name} lit le même fichier : les mêmes mots que nous dans {same} essais sur "
            "{all}.",
            case=case.case,
            name=case.contender,
            same=case.more["same_texts"],
            all=case.repeats,
        )
        for case in cases
        if case.contender != OURS and case.more.get("exact")
    ]


def _ratio(measure: Measure, case: Case, own: Case) -> float | None:
    theirs, ours = measure.value(case), measure.value(own)
    if not theirs or not ours:
        return None
    return theirs / ours if measure.more_is_better else ours / theirs


def _sentence(measure: Measure, case: Case, ratio: float, own: Case) -> str:
    shown = decimal(ratio, 2)
    doubt = _overlap(measure, case, own)
    tail = (
        t(" (within the spread of the runs)", " (dans la dispersion des essais)") if doubt else ""
    )
    what = t(measure.english, measure.french, ratio=shown)
    return t(
        "{case}: {name} beats us: {what}{tail}{unlike}.",
        "{case} : {name} nous bat : {what}{tail}{unlike}.",
        case=case.case,
        name=case.contender,
        what=what,
        tail=tail,
        unlike=_unlike(case, own),
    )


def _overlap(measure: Measure, case: Case, own: Case) -> bool:
    ranges = [one.more.get(f"{measure.name}_range") for one in (case, own)]
    if not all(ranges):
        return False
    (low, high), (own_low, own_high) = ranges[0] or (0, 0), ranges[1] or (0, 0)
    return bool(low <= own_high and own_low <= high)


def _unlike(case: Case, own: Case) -> str:
    """Return what makes the two answers unlike: their length."""
    if not case.tokens or not own.tokens or case.tokens == own.tokens:
        return ""
    return t(
        "; it wrote {theirs} tokens, we {ours}",
        " ; il a écrit {theirs} jetons, nous {ours}",
        theirs=case.tokens,
        ours=own.tokens,
    )


def _better_answers(case: Case, own: Case) -> list[str]:
    if case.quality_name == "wer" and own.quality is not None and case.quality is not None:
        return _fewer_errors(case, case.quality, own.quality)
    theirs, ours = _right(case), _right(own)
    if theirs is None or ours is None or theirs <= ours:
        return []
    return [
        t(
            "{case}: {name} beats us: its answer holds the word expected, ours does not.",
            "{case} : {name} nous bat : sa réponse contient le mot attendu, pas la nôtre.",
            case=case.case,
            name=case.contender,
        )
    ]


def _fewer_errors(case: Case, theirs: float, ours: float) -> list[str]:
    if theirs >= ours:
        return []
    return [
        t(
            "{case}: {name} beats us: {theirs} % of its words are wrong, {ours} % of ours.",
            "{case} : {name} nous bat : {theirs} % de mots faux, {ours} % chez nous.",
            case=case.case,
            name=case.contender,
            theirs=decimal(100 * theirs, 1),
            ours=decimal(100 * ours, 1),
        )
    ]
