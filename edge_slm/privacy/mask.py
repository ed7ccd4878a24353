"""Pseudonymisation: personal data out of a text, numbered placeholders in, and back from memory.

What was masked lives in the object that `mask` returns and nowhere else: it can be neither printed
nor serialised by accident. The rules are those of `edge_slm.privacy.finding`; they miss things, so
that a masked text is pseudonymous at best (docs/decisions/0014-pseudonymisation.md).
"""

import re
from collections import Counter
from collections.abc import Mapping
from typing import NoReturn, SupportsIndex

from edge_slm.privacy.finding import find
from edge_slm.privacy.spans import LABELS, Span

PLACEHOLDER = re.compile(rf"\[({'|'.join(LABELS)})_[0-9]{{1,9}}\]")


class _InMemory:
    """Something that holds personal data: neither printed nor serialised."""

    __slots__ = ()

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise TypeError(f"{type(self).__name__} holds personal data and is never serialised")


class Entity(_InMemory):
    """Personal data in the unmasked text: characters `start` to `end` (exclusive), and its kind."""

    __slots__ = ("end", "label", "start", "text")

    def __init__(self, start: int, end: int, label: str, text: str) -> None:
        self.start = start
        self.end = end
        self.label = label
        self.text = text

    def __repr__(self) -> str:
        return f"Entity({self.start}, {self.end}, {self.label})"


class Masked(_InMemory):
    """A text without its personal data, and what is needed to put it back.

    Attributes:
        text: the masked text, which may be stored.
        entities: what was masked, in the order of the text.
    """

    __slots__ = ("_values", "entities", "text")

    def __init__(self, text: str, entities: tuple[Entity, ...], values: Mapping[str, str]) -> None:
        self.text = text
        self.entities = entities
        self._values = values

    def restore(self, text: str) -> str:
        """Return a text with the values of this text's placeholders put back."""
        return _restored(text, self._values)

    def __repr__(self) -> str:
        return f"Masked({len(self.entities)} entities)"


class Masker(_InMemory):
    """Masks the texts of one conversation: a value keeps its number from one text to the next."""

    __slots__ = ("_counts", "_placeholders", "_values")

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._placeholders: dict[tuple[str, str], str] = {}
        self._values: dict[str, str] = {}

    def mask(self, text: str) -> Masked:
        """Return a text with its personal data replaced by placeholders such as “[NOM_1]”."""
        written = list(PLACEHOLDER.finditer(text))
        taken = {placeholder[0] for placeholder in written}
        spans = find(text, [Span(*placeholder.span(), placeholder[1]) for placeholder in written])
        parts, entities, values, done = [], [], {}, 0
        for start, end, label in spans:
            value = text[start:end]
            placeholder = self._placeholder(label, value, taken)
            parts += [text[done:start], placeholder]
            entities.append(Entity(start, end, label, value))
            values[placeholder] = value
            done = end
        return Masked("".join((*parts, text[done:])), tuple(entities), values)

    def restore(self, text: str) -> str:
        """Return a text with the values of the whole conversation put back."""
        return _restored(text, self._values)

    def __repr__(self) -> str:
        return f"Masker({len(self._values)} values)"

    def _placeholder(self, label: str, value: str, taken: set[str]) -> str:
        """Return a value's placeholder: a new one where the text itself holds its present one."""
        placeholder = self._placeholders.get((label, value))
        while placeholder is None or placeholder in taken:
            self._counts[label] += 1
            placeholder = f"[{label}_{self._counts[label]}]"
        self._placeholders[label, value] = placeholder
        self._values[placeholder] = value
        return placeholder


def mask(text: str) -> Masked:
    """Return a text with its personal data replaced by numbered placeholders.

    The same value gets the same number; a placeholder that the text already holds is left alone.
    """
    return Masker().mask(text)


def _restored(text: str, values: Mapping[str, str]) -> str:
    return PLACEHOLDER.sub(lambda found: values.get(found[0], found[0]), text)
