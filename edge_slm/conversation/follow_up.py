"""Follow-up questions made self-contained: “et pour des triplés ?” after a question about twins.

By rules alone: no model, no token. A request that stands by itself comes back as it is. Only
questions are carried from turn to turn, never the text of an answer.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from edge_slm.conversation.leaning import Leaning, leaning, own_stems
from edge_slm.conversation.plain import capital, flat, open_ended
from edge_slm.conversation.slots import ABOUT, Phrase, phrases, phrases_of, placed, renumbered
from edge_slm.conversation.topic import MARK, carried, topic
from edge_slm.conversation.words import content
from edge_slm.i18n import Language

TURNS = 5  # looked back at

_ASKED_HOW = re.compile(r"(?:combien(?: de temps)?|comment|quand|how (?:much|many|long)) ?")
_WHILE = ("pendant", "apres", "avant", "sans", "avec", "during", "without", "with")
_FOR = ("pour ", "for ")
_PREPOSED = re.compile(
    r"(?:pour|for|dans|avec|with|sur|chez|en|in|a|sans|pendant|apres|avant|depuis|during|after|"
    r"before|without) (?=\S)"
)


@dataclass(frozen=True)
class Turn:
    """A question as it was typed, and `asked`, the self-contained question it was taken for."""

    question: str
    asked: str


def self_contained(question: str, earlier: Sequence[Turn], language: Language) -> str:
    """Return a question that can be understood without the earlier ones.

    Args:
        question: what was typed.
        earlier: the turns before it, oldest first; the last `TURNS` are looked at.
        language: language of the question.
    Returns:
        `question` itself, to the byte, where it leans on nothing or there is nothing to lean on.
    """
    before = _before(earlier)
    how = leaning(question, language) if before else None
    if how is None:
        return question
    if how.way == "whole":
        return _said_of(open_ended(before), how.words, language)
    if how.way == "side":
        again = _ASKED_HOW.match(flat(how.words))
        rest = how.words[again.end() :] if again else ""
        if not (again and rest and flat(before).startswith(again[0]) and phrases(rest)):
            kinds = frozenset(phrase.kind for phrase in how.phrases) - ABOUT
            return _said_of(topic(before, kinds, language), how.words, language)
        how = Leaning("slot", rest, tuple(phrases(rest)))
    return _filled(before, how, language) or question


def novel(question: str, earlier: Sequence[Turn], language: Language) -> frozenset[str]:
    """Return the stems that a follow-up adds and that are of no known class, such as a passport.

    A passage that holds none of them may well answer the earlier question only. Words of a known
    class (a status, a number, a day) are left out: a rule often covers them without naming them.
    Empty where the question leans on nothing.
    """
    before = _before(earlier)
    how = leaning(question, language) if before else None
    if how is None:
        return frozenset()
    own = own_stems(how.words, how.phrases, language)
    named = (how.words[slice(phrase.start, phrase.end)] for phrase in how.phrases)
    return frozenset(own) - frozenset(content(f"{before} {' '.join(named)}", language))


def _before(earlier: Sequence[Turn]) -> str:
    """Return the latest question that can be leaned on; may be empty."""
    for turn in reversed(earlier[-TURNS:]):
        text = carried(turn.asked)
        if any(char.isalpha() for char in text):
            return text
    return ""


def _said_of(subject: str, words: str, language: Language) -> str:
    ending = " ?" if language == "fr" else "?"
    return f"{subject}{MARK[language]}{words[:1].lower()}{words[1:]}{ending}"


def _filled(before: str, how: Leaning, language: Language) -> str:
    """Return the earlier question with the words of a follow-up in the place that they fit."""
    base, words = open_ended(before), how.words
    there = phrases(base)
    if number := renumbered(base, words):
        return _question(number, language)
    for new in how.phrases:
        if how.conditional and new.kind in ABOUT:
            continue  # a condition is added to what the question is about
        if old := _rival(new, there) or _rival(new, phrases_of(new.kind, base)):
            said = words[: new.end] if how.conditional else words
            return _question(placed(base, old, said, new), language)
    if how.conditional or how.phrases:
        return _question(f"{base} {words}", language)
    return _newly(base, there, words, language)


def _rival(new: Phrase, there: Sequence[Phrase]) -> Phrase | None:
    """Return the phrase whose place a new one takes: of its class, rather by its preposition.

    A circumstance (“pendant les congés”) takes the place of a circumstance only.
    """
    same = [phrase for phrase in there if phrase.kind == new.kind]
    if new.kind == "scheme" and new.preposition in _WHILE:
        same = [phrase for phrase in same if phrase.preposition in (*_WHILE, "en")]
    alike = [phrase for phrase in same if phrase.preposition == new.preposition]
    return (alike or same)[-1] if same else None


def _newly(base: str, there: Sequence[Phrase], words: str, language: Language) -> str:
    """Return the question for words of no known class; empty where they had better stand alone.

    Where they may be another subject altogether, what the earlier question was about must not
    vouch for it: “pour un passeport” after a question about leave is no question about leave.
    """
    if not own_stems(words, (), language):
        return _said_of(topic(base, frozenset(), language), words, language)
    preposed = _PREPOSED.match(flat(words))
    if not preposed:
        return ""
    tail = re.search(rf"\b{preposed[0]}(?:(?!{_PREPOSED.pattern})[^,])*$", flat(base))
    inside = [phrase for phrase in there if tail and phrase.start >= tail.start()]
    if tail and (not inside or inside[0].kind in ABOUT):
        return _question(f"{base[: tail.start()]}{words}", language)
    return "" if preposed[0] in _FOR else _question(f"{base} {words}", language)


def _question(text: str, language: Language) -> str:
    return capital(f"{text} ?" if language == "fr" else f"{text}?")
