"""The words of a text, and how far a person's name runs from one of them.

It knows what a name looks like, not where one is to be expected: that is the business of
`edge_slm.privacy.names`.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator
from typing import NamedTuple

from edge_slm.privacy.words import (
    CIVILITIES,
    DOUBTFUL,
    FAMILY_NAMES,
    FIRST_NAMES,
    NOT_NAMES,
    PARTICLES,
)
from edge_slm.text import fold

_WORD = re.compile(r"(?:[cdjlmnst]|qu)'|[^\W\d_]+(?:[-'][^\W\d_]+)*", re.I)
_MOST_WORDS = 4  # of a name, particles aside
_ELISIONS = frozenset(("d'", "l'", "n'", "m'", "t'"))  # d'Ormesson, N'Diaye, M'Bappé
_VOWEL = re.compile("[aeiouy]")


class Word(NamedTuple):
    """A word, where it stands (`end` exclusive), its letters without accents in lower case."""

    start: int
    end: int
    folded: str
    capital: bool
    upper: bool

    @property
    def is_first_name(self) -> bool:
        """Whether it is in the list of first names, or a compound of one (Jean-Pierre)."""
        if self.folded in FIRST_NAMES:
            return True
        first, *others = self.folded.split("-")
        return first in FIRST_NAMES and bool(others) and not PARTICLES.intersection(others)

    @property
    def is_sure_first_name(self) -> bool:
        """Whether it is a first name and hardly anything else."""
        return self.is_first_name and self.folded not in DOUBTFUL and len(self.folded) > 2

    @property
    def is_known(self) -> bool:
        """Whether it is in the list of first names or of family names."""
        return self.is_first_name or self.folded in FAMILY_NAMES

    @property
    def is_initial(self) -> bool:
        """Whether it may stand for a first name."""
        return self.capital and self.end - self.start == 1

    @property
    def is_barred(self) -> bool:
        """Whether it is a word of the language, a function, a service, or an acronym."""
        unsayable = self.upper and len(self.folded) > 2 and not _VOWEL.search(self.folded)
        return self.folded in NOT_NAMES or self.folded in CIVILITIES or unsayable


class Words:
    """The words of a view, in order."""

    def __init__(self, view: str) -> None:
        self._view = view
        self._words = [_word(found) for found in _WORD.finditer(view)]
        self._starts = [word.start for word in self._words]

    def __getitem__(self, place: int) -> Word:
        return self._words[place]

    def __iter__(self) -> Iterator[Word]:
        return iter(self._words)

    def __len__(self) -> int:
        return len(self._words)

    def at(self, place: int) -> int:
        """Return the first word that starts at a place of the view or after it."""
        return bisect_left(self._starts, place)

    def gap(self, place: int) -> str:
        """Return what stands between a word and the next; a line's end after the last."""
        if place + 1 < len(self):
            return self._view[self[place].end : self[place + 1].start]
        return "\n"

    def joined(self, place: int) -> bool:
        """Return whether a word and the next are of one phrase: a space, or J. Dupont's dot."""
        gap = self.gap(place)
        if gap in (" ", "  ", ""):
            return True
        word = self[place]
        initial = word.is_initial or word.folded in CIVILITIES
        return initial and gap in (". ", ".", ".-")

    def name_end(self, start: int, sure: bool = False) -> int:
        """Return the word after the name, with capitals, that starts at a word; `start` if none.

        Args:
            start: the name's first word.
            sure: a name is expected here, so that first names that are also words are taken.
        """
        place = end = start
        count, only_first = 0, True
        while place < len(self) and count < _MOST_WORDS:
            if place > start and not self.joined(place - 1):
                break
            word = self[place]
            if word.folded in PARTICLES or word.folded in _ELISIONS:
                elided = place == start and not sure and word.folded in _ELISIONS
                if elided or not self._is_led(place, word.capital or only_first):
                    break
            elif not self._may_be_name(place, sure):
                break
            else:
                end, count = place + 1, count + 1
                only_first &= word.is_first_name
            place += 1
        # “Monsieur X” names nobody.
        return end if any(len(self[place].folded) > 1 for place in range(start, end)) else start

    def small_name_end(self, start: int, sure: bool) -> int:
        """Like `name_end` for a name without capitals: known words, or any where it is sure."""
        if start >= len(self) or not self._may_be_small(start, sure):
            return start
        end = start + 1
        first = self[start]
        if end < len(self) and self.joined(start):
            led = end
            while led < len(self) and self[led].folded in PARTICLES and self.joined(led):
                led += 1
            known = led < len(self) and self[led].folded in FAMILY_NAMES
            if known or (sure and first.is_sure_first_name and self._may_be_small(led, True)):
                end = led + 1
        return end

    def size(self, start: int, end: int) -> int:
        """Return how many words of a name are not particles."""
        return sum(self[place].folded not in PARTICLES for place in range(start, end))

    def _may_be_name(self, place: int, sure: bool) -> bool:
        word = self[place]
        if word.is_initial and self.gap(place).startswith("."):
            return True
        return word.capital and (not word.is_barred or (sure and word.is_first_name))

    def _may_be_small(self, place: int, sure: bool) -> bool:
        if place >= len(self):
            return False
        word = self[place]
        if word.is_barred or word.folded in PARTICLES or len(word.folded) < 2:
            return False
        return sure or word.is_known

    def _is_led(self, place: int, to_any: bool) -> bool:
        """Return whether a particle leads to a capitalised word that may be a name.

        After a family name, only to a known one: “Mme Martin de Fontaine”, not “de Nantes”.
        """
        for following in range(place + 1, min(place + 4, len(self))):
            word = self[following]
            if not self.joined(following - 1):
                return False
            if word.folded not in PARTICLES:
                may_be = to_any or word.folded in FAMILY_NAMES
                return may_be and word.capital and not word.is_barred
        return False


def _word(found: re.Match[str]) -> Word:
    text = found[0]
    upper = text.isupper() and len(text) > 1
    folded = text.lower() if text.isascii() else fold(text)
    return Word(found.start(), found.end(), folded, text[0].isupper(), upper)
