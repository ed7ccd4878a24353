"""Typing mistakes: one letter more, less, changed or swapped, in a word that is known otherwise."""

from collections import defaultdict
from collections.abc import Callable, Iterable

SHORTEST = 5  # letters of a word that is mended: short words are one letter from many others


class Speller:
    """Knows some words, and finds those that are one mistake away from another."""

    def __init__(self, meant: Iterable[str], known: Iterable[str] = ()) -> None:
        """Take words in lower case without accents.

        Args:
            meant: the words that a mistake may stand for.
            known: more words that are no mistakes.
        """
        meant = frozenset(meant)
        self._known = meant.union(known)
        self._near: dict[str, set[str]] = defaultdict(set)
        for word in meant:
            if len(word) >= SHORTEST - 1:
                for shorter in _shortened(word):
                    self._near[shorter].add(word)

    def mended(self, text: str, is_word: Callable[[str], bool]) -> str:
        """Return a text of words with mistakes mended where only one known word is near.

        Args:
            text: folded words, parted by single spaces.
            is_word: whether a word that this speller does not know exists nevertheless.
        """
        return " ".join(self._mend(word, is_word) for word in text.split(" "))

    def _mend(self, word: str, is_word: Callable[[str], bool]) -> str:
        if len(word) < SHORTEST or word in self._known or not word.isalpha():
            return word
        found = {
            near
            for shorter in _shortened(word)
            for near in self._near.get(shorter, ())
            if near[0] == word[0] and _one_mistake(word, near)
        }
        bare = {near.rstrip("sx") for near in found}
        if len(bare) != 1 or is_word(word):
            return word
        return min(found, key=lambda near: (len(near), near))


def _shortened(word: str) -> set[str]:
    """Return a word, and what is left of it without any one of its letters."""
    return {word, *(word[:place] + word[place + 1 :] for place in range(len(word)))}


def _one_mistake(typed: str, word: str) -> bool:
    start = next(
        (n for n, (a, b) in enumerate(zip(typed, word, strict=False)) if a != b),
        min(len(typed), len(word)),
    )
    a, b = typed[start:], word[start:]
    return (
        a[1:] == b[1:]  # changed
        or a[1:] == b  # one more
        or a == b[1:]  # one less
        or (a[:2] == b[1::-1] and a[2:] == b[2:])  # swapped
    )
