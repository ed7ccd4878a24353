"""Finds personal data: each rule in turn reads what the ones before it left.

Rules that check a key come before those that only know a shape, and names come last but for dates
of birth, which are told by the name beside them.
"""

import re
from bisect import bisect_left
from collections.abc import Sequence

from edge_slm.privacy.addresses import addresses
from edge_slm.privacy.births import births
from edge_slm.privacy.contacts import emails, phones
from edge_slm.privacy.keyed import companies, ibans, nirs
from edge_slm.privacy.names import names
from edge_slm.privacy.papers import papers, plates
from edge_slm.privacy.spans import Rule, Span, apart, covered, view_of

_NUMBER_RULES: tuple[Rule, ...] = (ibans, nirs, papers, companies, plates, phones)
_WORD_RULES: tuple[Rule, ...] = (addresses, names, births)
_FIGURE = re.compile("[0-9]")
# What is covered can uncover more (a name beside an address); two more looks have always sufficed.
_ROUNDS = 4


def find(text: str, known: Sequence[Span] = ()) -> list[Span]:
    """Return the personal data of a text, in its order, none overlapping another.

    Args:
        text: any text.
        known: parts to leave alone, in order and apart from each other.
    """
    view, places = view_of(text)
    found: list[Span] = []
    view = covered(view, known if places is None else [_in_view(span, places) for span in known])
    for _ in range(_ROUNDS):
        before = len(found)
        rules = _NUMBER_RULES if _FIGURE.search(view) else ()
        for rule in (emails, *rules, *_WORD_RULES):
            if new := apart(rule(view)):
                view = covered(view, new)
                found += new
        if len(found) == before:
            break
    found.sort()
    if places is None:
        return found
    return apart(Span(places[start], places[end], label) for start, end, label in found)


def _in_view(span: Span, places: list[int]) -> Span:
    return Span(bisect_left(places, span.start), bisect_left(places, span.end), span.label)
