"""What a question is about: the question without the words that ask."""

import re
from collections.abc import Sequence

from edge_slm.conversation.plain import capital, flat, open_ended, tidy
from edge_slm.conversation.slots import ABOUT, Phrase, phrases
from edge_slm.conversation.words import asking, content, sides
from edge_slm.i18n import Language

MARK = {"fr": " : ", "en": ": "}  # between a subject and what is asked of it

LONGEST = 300  # characters of an earlier question that may be carried

_TOKEN = re.compile(r"\w+'|[^\s,']+|,")
_ARTICLE = re.compile(
    r"(?:l[ae]|les|l'|une?|des|ma|mon|mes|sa|son|ses|leurs?|an?|the|my)", re.IGNORECASE
)
_INVERTED = re.compile(
    r"(?<![\w-])(?:(?:puis|ai|suis|dois|peux|vais|aurai|pourrais)-je|(?:peut|doit|a-t|est|sont|"
    r"faut|va-t|dure-t|peuvent|existe-t|touche-t|garde-t|reste-t|participe-t)-(?:on|ils?|elles?)|"
    r"est-ce qu(?:e |')(?:je |on |il |elle )?)"
)
_SENTENCE = re.compile(r"(?<=[.!?…;])\s+")
_OF_ONESELF = re.compile(
    r"(?:je|j'|moi|mon|ma|mes|nous|notre|nos|on|i|i'm|my|we|our)\b|(?:j'|i')", re.IGNORECASE
)
_GREETING = re.compile(
    r"(?:bonjour|bonsoir|salut|hello|hi|hey|merci|madame|monsieur|s'il (?:te|vous) plait|svp|"
    r"d'accord|ok|please|thanks|thank you)\b[ ,!.]*"
)


def carried(question: str) -> str:
    """Return what of an earlier request may go on into a later one; may be empty.

    That is its last question and what the asker says of himself or herself. Other sentences,
    such as instructions, stay behind, and so does a text too long to be a question.
    """
    sentences = [_ungreeted(sentence) for sentence in _SENTENCE.split(tidy(question))]
    asked = ([text for text in sentences if text.endswith("?")] or sentences)[-1]
    text = " ".join(text for text in sentences if text is asked or _OF_ONESELF.match(text))
    if len(text) > LONGEST:
        text = asked
    return text if len(text) <= LONGEST else ""


def topic(question: str, without: frozenset[str], language: Language) -> str:
    """Return what a question is about, with a capital letter; all of it where that is nothing.

    Args:
        question: one sentence, as `carried` gives it.
        without: classes of phrases (slots.py) to leave out: the follow-up has its own.
        language: language of the question.
    """
    head, mark, _ = question.partition(MARK[language])
    text = open_ended(head if mark else question)
    for phrase in reversed(phrases(text)):
        if phrase.kind in without:
            text = f"{text[: phrase.start].rstrip()} {text[phrase.end :].lstrip()}".strip()
    if mark:
        return capital(text)
    clauses = [_stripped(clause, language) for clause in text.split(",")]
    return capital(", ".join(clause for clause in clauses if clause) or text)


def _ungreeted(sentence: str) -> str:
    found = re.match(rf"(?:{_GREETING.pattern})+", flat(sentence))
    return sentence[found.end() :] if found else sentence


def _stripped(clause: str, language: Language) -> str:
    """Return a clause without the words of asking around its subject, and inside it."""
    clause = _cut(_INVERTED, clause)
    safe = [phrase for phrase in phrases(clause) if phrase.kind not in ("number", "duration")]
    tokens = [match.span() for match in _TOKEN.finditer(clause)]
    first, last = 0, len(tokens)
    asks = asking(language) | sides(language)
    # Without a subject of a known class, “prime” or “durée” may be the subject.
    begins = asks if any(phrase.kind in ABOUT for phrase in safe) else asking(language)
    while first < last and _asks(clause, tokens[first], safe, begins, language):
        first += 1
    while last > first and _asks(clause, tokens[last - 1], safe, asks, language):
        last -= 1
    if first == last:
        return ""
    if first and _ARTICLE.fullmatch(clause[slice(*tokens[first - 1])]):
        first -= 1
    return clause[tokens[first][0] : tokens[last - 1][1]]


def _cut(pattern: re.Pattern[str], text: str) -> str:
    for found in reversed(list(pattern.finditer(flat(text)))):
        text = text[: found.start()] + text[found.end() :]
    return " ".join(text.split())


def _asks(
    text: str,
    span: tuple[int, int],
    safe: Sequence[Phrase],
    asks: frozenset[str],
    language: Language,
) -> bool:
    start, end = span
    if any(phrase.noun <= start and end <= phrase.end for phrase in safe):
        return False
    return all(stem in asks for stem in content(text[start:end].replace("-", " "), language))
