"""Holds what a model wrote to the passages that it cites, sentence by sentence.

Figures, names, marks, language, foreign words, denial. It does not know what a figure is about:
a duration of the passage given for another case passes.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, Protocol

from edge_slm.i18n import Language
from edge_slm.kb.lexical import stems
from edge_slm.stop_words import STOP_WORDS
from edge_slm.tasks.hr_faq.facts import Fact, bears, facts
from edge_slm.tasks.hr_faq.marks import Marked, marked_sentences
from edge_slm.tasks.hr_faq.names import names
from edge_slm.tasks.hr_faq.numerals import to_digits
from edge_slm.tasks.hr_faq.polarity import contradicted
from edge_slm.text import fold, shorten

Check = Literal[
    "figure",
    "amount",
    "date",
    "duration",
    "article",
    "name",
    "citation",
    "language",
    "words",
    "length",
    "negation",
]

FOREIGN_WORDS = 0.4  # share of a sentence's stems that may stand in no passage
LONGEST_SENTENCE = 600  # characters

_FREE = frozenset({"oui", "non", "yes", "no", "selon", "document", "extrait", "extract", "accord"})
_CHECKS: dict[str, Check] = {
    "amount": "amount",
    "date": "date",
    "duration": "duration",
    "article": "article",
}
_QUOTED = re.compile(r"«[^»]*»|“[^”]*”|\"[^\"]*\"")
_WORD = re.compile(r"[^\W\d_]+")
_ITEM = re.compile(r"^\s*(?:\d{1,2}[.)°]|[-•*])\s+")
_LABEL = re.compile(r"\s?:\s")


class Passage(Protocol):
    """What a check needs of a passage."""

    @property
    def title(self) -> str:
        """Title of the document."""

    @property
    def section(self) -> str:
        """Section of the document."""

    @property
    def text(self) -> str:
        """Words of the passage."""


@dataclass(frozen=True)
class Failure:
    """A check that a sentence did not pass, and the words it did not pass for."""

    check: Check
    sentence: str
    detail: str


@dataclass(frozen=True)
class _Known:
    """What texts hold: facts, folded words, stems."""

    facts: frozenset[Fact]
    words: frozenset[str]
    stems: frozenset[str]


@dataclass(frozen=True)
class _Case:
    """What a sentence is held to."""

    asked: _Known
    cited: _Known
    texts: tuple[str, ...]
    language: Language
    passage_language: Language


def check(
    answer: str,
    question: str,
    passages: Sequence[Passage],
    language: Language,
    passage_language: Language,
) -> tuple[Failure, ...]:
    """Return what fails, in the order of the sentences; nothing where all is borne out.

    Args:
        answer: a sentence or a whole answer, with marks; [1] is the first passage.
        question: what was asked.
        passages: the passages that the marks number.
        language: language of the question, which the answer must be in.
        passage_language: language of the passages.
    """
    written = marked_sentences(answer)
    if not written:
        return (Failure("length", "", ""),)
    asked = _known_text(question, language)
    failures: list[Failure] = []
    for sentence in written:
        cited = _cited(sentence, passages)
        failures += _citation(sentence, len(passages))
        case = _Case(
            asked,
            _together([_known(p.title, p.section, p.text, passage_language) for p in cited]),
            tuple(f"{p.title}\n{p.section}\n{p.text}" for p in cited),
            language,
            passage_language,
        )
        if len(sentence.text) > LONGEST_SENTENCE:
            failures.append(Failure("length", shorten(sentence.text), ""))
            continue
        for one in _EACH:
            failures += (
                Failure(name, sentence.text, detail) for name, detail in one(sentence.text, case)
            )
    return tuple(failures)


def unsupported_figures(
    answer: str,
    passages: Sequence[Passage],
    language: Language = "fr",
    passage_language: Language = "fr",
) -> list[str]:
    """Return the figures of an answer that the passages it cites do not hold, as written.

    A sentence without a mark has no figure that is supported.
    """
    found: list[str] = []
    for sentence in marked_sentences(answer):
        held = _together(
            [
                _known(p.title, p.section, p.text, passage_language)
                for p in _cited(sentence, passages)
            ]
        )
        found += _unborne(sentence.text, held.facts, language)
    return found


def _cited(sentence: Marked, passages: Sequence[Passage]) -> list[Passage]:
    return [passages[mark - 1] for mark in sentence.marks if 0 < mark <= len(passages)]


def _citation(sentence: Marked, passages: int) -> Iterator[Failure]:
    if not sentence.marks:
        yield Failure("citation", sentence.text, "")
    for mark in sentence.marks:
        if not 0 < mark <= passages:
            yield Failure("citation", sentence.text, f"[{mark}]")


_Failed = Iterator[tuple[Check, str]]


def _figures(sentence: str, case: _Case) -> _Failed:
    for fact in sorted(facts(sentence, case.language), key=_order):
        if not bears(case.cited.facts, fact):
            yield _CHECKS.get(fact.kind, "figure"), fact.words


def _unborne(text: str, held: frozenset[Fact], language: Language) -> list[str]:
    return [
        fact.words for fact in sorted(facts(text, language), key=_order) if not bears(held, fact)
    ]


def _order(fact: Fact) -> tuple[str, str, str]:
    return fact.kind, fact.value, fact.unit


def _names(sentence: str, case: _Case) -> _Failed:
    known = case.cited.words | case.asked.words
    for name in sorted(names(sentence, case.language)):
        if any(word not in known for word in _WORD.findall(name)):
            yield "name", name


def _language(sentence: str, case: _Case) -> _Failed:
    if any(_is_of_other_script(char) for char in sentence):
        yield "language", sentence
        return
    same = case.language == case.passage_language
    if same and set(stems(sentence, case.language)) <= case.cited.stems:
        return  # the passage's own words
    words = [word.lower() for word in _WORD.findall(_QUOTED.sub(" ", sentence))]
    own, other = (
        sum(word in _ONLY[language] for word in words)
        for language in (case.language, "en" if case.language == "fr" else "fr")
    )
    if (other >= _CUES and other > own) or (not own and len(words) >= _NO_CUE_WORDS):
        yield "language", sentence


_CUES = 2  # function words of another language that tell it
_NO_CUE_WORDS = 8  # words without one function word of a language that are not in it
_ONLY: dict[str, frozenset[str]] = {
    "fr": STOP_WORDS["fr"] - STOP_WORDS["en"] - {"an", "or", "on", "me", "y", "d", "t", "s", "m"},
    "en": STOP_WORDS["en"] - STOP_WORDS["fr"] - {"or", "on", "me", "an", "as", "but", "a"},
}


def _is_of_other_script(char: str) -> bool:
    return char.isalpha() and ord(char) > _LAST_LATIN and not 0x1E00 <= ord(char) <= 0x1EFF


_LAST_LATIN = 0x02FF


def _bare(sentence: str, case: _Case) -> _Failed:
    """Fail a verdict alone: of “oui” and nothing else, no passage can say whether it is so."""
    said = stems(to_digits(sentence, case.language), case.language)
    if not set(said) - _FREE:
        yield "words", sentence


def _foreign(sentence: str, case: _Case) -> _Failed:
    if case.language != case.passage_language:
        return
    words = [
        word
        for word in stems(to_digits(sentence, case.language), case.language)
        if not any(char.isdigit() for char in word) and word not in _FREE
    ]
    known = case.cited.stems | case.asked.stems
    foreign = [word for word in words if word not in known]
    if len(foreign) > max(1, FOREIGN_WORDS * len(words)):
        yield "words", " ".join(foreign)


def _negation(sentence: str, case: _Case) -> _Failed:
    if case.language != case.passage_language:
        return
    if word := contradicted(sentence, case.texts, case.language):
        yield "negation", word


_EACH: tuple[Callable[[str, _Case], _Failed], ...] = (
    _figures,
    _names,
    _language,
    _bare,
    _foreign,
    _negation,
)


def _together(known: Sequence[_Known]) -> _Known:
    return _Known(
        frozenset().union(*(one.facts for one in known)),
        frozenset().union(*(one.words for one in known)),
        frozenset().union(*(one.stems for one in known)),
    )


@lru_cache(maxsize=128)
def _known_text(text: str, language: Language) -> _Known:
    return _Known(
        facts(text, language),
        frozenset(_WORD.findall(fold(text))),
        frozenset(stems(text, language)),
    )


@lru_cache(maxsize=128)
def _known(title: str, section: str, text: str, language: Language) -> _Known:
    """Return what a passage holds; the number of a table's cell has the unit of its column."""
    whole = "\n".join((title, section, text))
    known = _known_text(whole, language)
    found = set(known.facts)
    header: list[str] = []
    for line in (title, section, *text.splitlines()):
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if len(cells) == 1:
            header = []
            label, _, value = _ITEM.sub("", line).rpartition(" : ")
            found |= facts(value, language, named=label)
            continue
        if not header:
            header = cells
        for place, cell in enumerate(cells):
            column = header[place] if place < len(header) else ""
            found |= facts(cell, language, named=column)
        found |= facts(line, language)
    return _Known(frozenset(found), known.words, known.stems)
