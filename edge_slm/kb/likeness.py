"""Whether two questions ask for the same thing, from their wordings alone.

Two questions that name different conditions, figures or names never do. For the others, a logistic
model counts what one says and the other does not. Its coefficients were fitted on
examples/faq/dev.jsonl (docs/decisions/0016-approved-answers.md), where the cosine of E5
was found to tell nothing more: “triplets” for “twins” costs it less than an honest paraphrase does.
"""

import math
from itertools import groupby

from edge_slm.kb.wording import Wording, is_concept

_INTERCEPT = 3.0
_SHARED = 1.5  # a quarter of it for each word shared, up to four
_ASKED_ALONE = -6.0  # share of the asked question's words that the other lacks
_APPROVED_ALONE = -3.0  # and the other way round
# For each word that only one of them has: concepts.py knows it, or does not.
_ASKED_CONCEPT, _ASKED_WORD = -1.5, -0.9
_APPROVED_CONCEPT, _APPROVED_WORD = -1.7, -1.0
_REPLACED = -0.5  # for each word that stands in the place of another
_DETAIL = -0.7  # for each span, name or deed of the asked question that the other leaves unsaid
# Said or left unsaid, the question is the same, unless the other says something else instead.
_WEAK = frozenset({"+ leave", "+ absence", "+ post", "+ professional"})
_VAGUE = frozenset({"what", "whether", "fate"})  # asks that half of all questions share
_MONEY = frozenset({"+ pay", "+ allowance", "+ refund"})  # weak where an amount is asked for


def differ(asked: Wording, approved: Wording) -> bool:
    """Return whether two questions have different answers for sure."""
    if asked.conditions != approved.conditions:
        return True
    if asked.asks and approved.asks and not asked.asks & approved.asks:
        return True
    mine, theirs = _by_group(asked.details), _by_group(approved.details)
    return any(not mine[group] & theirs[group] for group in mine.keys() & theirs.keys())


def likeness(asked: Wording, approved: Wording) -> float:
    """Return how likely it is (0 to 1) that an answer to one question answers the other."""
    if differ(asked, approved):
        return 0.0
    mine, theirs = _own(asked, approved)
    shared = len(asked.words - mine)
    vague = (asked.asks | approved.asks) & _VAGUE
    same_ask = bool(asked.asks & approved.asks) and not vague
    # One word, and nothing that says what is asked about it, is no question.
    if not shared or shared + same_ask + bool(asked.details & approved.details) < 2:
        return 0.0
    my_concepts, their_concepts = sum(map(is_concept, mine)), sum(map(is_concept, theirs))
    logit = (
        _INTERCEPT
        + _SHARED * min(shared + same_ask, 4) / 4
        + _ASKED_ALONE * len(mine) / (shared + len(mine))
        + _APPROVED_ALONE * len(theirs) / (shared + len(theirs))
        + _ASKED_CONCEPT * my_concepts
        + _ASKED_WORD * (len(mine) - my_concepts)
        + _APPROVED_CONCEPT * their_concepts
        + _APPROVED_WORD * (len(theirs) - their_concepts)
        + _REPLACED * min(len(mine), len(theirs))
        + _DETAIL * _unanswered(asked, approved)
    )
    return 1 / (1 + math.exp(-logit))


def _own(asked: Wording, approved: Wording) -> tuple[frozenset[str], frozenset[str]]:
    """Return the words that one question says and the other does not, without the weak ones."""
    mine, theirs = asked.words - approved.words, approved.words - asked.words
    kin = {(my, their) for my in mine for their in theirs if _kin(my, their)}
    mine -= {my for my, _ in kin}
    theirs -= {their for _, their in kin}
    both = asked.asks & approved.asks
    weak = _WEAK | (_MONEY if "amount" in both and not both & {"what", "fate"} else frozenset())
    if mine <= weak or theirs <= weak:
        alike = mine <= weak and theirs <= weak
        if alike or not theirs:
            mine -= weak
        if alike or not mine:
            theirs -= weak
    return mine, theirs


def _kin(one: str, other: str) -> bool:
    """Return whether two stems are of one family, as those of “répondre” and “réponse” are."""
    if is_concept(one) or is_concept(other):
        return False
    longer = max(len(one), len(other))
    same = next(
        (n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b),
        min(len(one), len(other)),
    )
    return same >= max(6, longer - 3) or (same == 5 and longer <= 6)


def _unanswered(asked: Wording, approved: Wording) -> int:
    mine, theirs = _by_group(asked.details), _by_group(approved.details)
    return len(mine.keys() - theirs.keys() - {"bound"})


def _by_group(details: frozenset[str]) -> dict[str, set[str]]:
    pairs = sorted(detail.split(" ", 1) for detail in details)
    return {
        group: {name for _, name in named}
        for group, named in groupby(pairs, key=lambda pair: pair[0])
    }
