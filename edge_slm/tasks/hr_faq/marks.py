"""Citation marks of a written answer: “[1]”, “[1, 2]”, “[1][2]”, “[1-3]”.

Which passages a sentence cites; not whether they bear it out (checks.py).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from edge_slm.text import sentences

_NUMBERS = r"[ ]?\d{1,3}(?:[ ]?(?:[,;-]|et|and)[ ]?\d{1,3}){0,9}[ ]?"
_MARK = re.compile(rf"\[({_NUMBERS})\]")
_WITH_SPACE = re.compile(rf"(?<![ \t\u00a0\u202f])[ \t\u00a0\u202f]*\[{_NUMBERS}\]")
_STOP = r"(?<![.!?…; \u00a0\u202f])[ \u00a0\u202f]?[.!?…;]+"
_AFTER_STOP = re.compile(rf"({_STOP})((?:[ \u00a0]?\[{_NUMBERS}\]){{1,9}})(?![.!?])")
_RANGE = re.compile(r"(\d+)[ ]?-[ ]?(\d+)")
_LONGEST_RANGE = 9


@dataclass(frozen=True)
class Marked:
    """A sentence without its marks, and the numbers that they give, from 1."""

    text: str
    marks: tuple[int, ...]


def marks(text: str) -> list[int]:
    """Return the numbers of the marks of a text, each once, in order."""
    found: dict[int, None] = {}
    for mark in _MARK.finditer(text):
        numbers = mark[1]
        for first, last in _RANGE.findall(numbers):
            if int(last) - int(first) <= _LONGEST_RANGE:
                found.update(dict.fromkeys(range(int(first), int(last) + 1)))
        found.update(dict.fromkeys(int(number) for number in re.findall(r"\d+", numbers)))
    return sorted(found)


def without_marks(text: str) -> str:
    """Return a text without its marks and the space before each."""
    return _WITH_SPACE.sub("", text)


def with_marks(sentence: str, numbers: Iterable[int]) -> str:
    """Return a sentence with marks before its full stop: “Oui.” and 1, 2 give “Oui [1][2].”."""
    written = "".join(f"[{number}]" for number in numbers)
    bare = sentence.rstrip()
    body = bare.rstrip(".!?…; \u00a0\u202f")
    return f"{body} {written}{bare[len(body) :]}" if written else sentence


def marks_inside(text: str) -> str:
    """Return a text with marks that follow a full stop moved before it.

    “Il a 25 jours. [1] Puis…” would else be split into sentences wrongly.
    """
    return _AFTER_STOP.sub(lambda found: f" {found[2].strip()}{found[1]}", text)


def marked_sentences(text: str) -> list[Marked]:
    """Return the sentences of an answer and what each cites.

    A line that ends in a colon and the items that follow it share their marks: the lead has those
    of the items where it has none, an item those of the lead.
    """
    found = [
        Marked(without_marks(sentence).strip(), tuple(marks(sentence)))
        for sentence in sentences(marks_inside(text))
    ]
    lead: int | None = None
    for place, sentence in enumerate(found):
        if sentence.text.endswith(":"):
            lead = place
        elif lead is None or not sentence.text.startswith(("- ", "• ", "* ")):
            lead = None
        elif not sentence.marks:
            found[place] = replace(sentence, marks=found[lead].marks)
        elif place == lead + 1 and not found[lead].marks:
            found[lead] = replace(found[lead], marks=sentence.marks)
    return [sentence for sentence in found if sentence.text.strip(" .;-•*")]
