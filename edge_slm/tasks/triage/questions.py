"""The questions that a mail asks, each a sentence that can be put to the bases.

Knows nothing of what the bases hold.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from edge_slm.i18n import Language
from edge_slm.kb.lexical import stems
from edge_slm.tasks.triage.labels import Label
from edge_slm.text import sentences

MOST_QUESTIONS = 2
LONGEST_QUESTION = 400  # characters
FEWEST_WORDS = 2  # stems; “Est-ce normal ?” asks nothing by itself
ENOUGH_WORDS = 4  # stems; from here a question is taken to name its subject

_INDIRECT = re.compile(
    r"\b(?:(?:souhaite|souhaiterais|voudrais|aimerais) (?:bien )?(?:savoir|connaître)|"
    r"(?:pouvez|pourriez)-vous m(?:e dire|'indiquer|e préciser|'expliquer)|"
    r"merci de m(?:e dire|'indiquer|e préciser)|demande (?:si|quand|comment|combien)|"
    r"would like to know|could you (?:tell|explain)|please tell|wonder(?:ing)? (?:if|whether))\b",
    re.IGNORECASE,
)
# Asks for something to be done, which no base can do.
_ORDER = re.compile(
    r"^(?:est-ce que )?(?:(?:pouvez|pourriez)-vous|vous (?:pouvez|pourriez)|"
    r"(?:can|could|would) you)\b",
    re.IGNORECASE,
)
_GREETING = re.compile(
    r"^(?:bonjour|bonsoir|hello|hi|dear \w+|madame,? monsieur|madame|monsieur)\b[ ,!.:]*",
    re.IGNORECASE,
)


class Question(NamedTuple):
    """A question as its sender put it, masked, and as it is put to the bases."""

    shown: str
    asked: str


def questions_of(text: str, labels: Sequence[Label], language: Language) -> tuple[Question, ...]:
    """Return what a mail asks, at most two sentences.

    Args:
        text: of the mail, masked.
        labels: those that it was given; a short question that does not name its subject is asked
            under the first one's name.
        language: of the mail.
    """
    found = []
    for sentence in sentences(text):
        sentence = _GREETING.sub("", sentence).strip(" -•*")[:LONGEST_QUESTION]
        indirect = bool(_INDIRECT.search(sentence))
        if not (indirect or (sentence.endswith("?") and not _ORDER.match(sentence))):
            continue
        words = set(stems(sentence, language))
        if len(words) >= FEWEST_WORDS:
            found.append(Question(sentence, _with_subject(sentence, words, labels, language)))
    return tuple(dict.fromkeys(found))[:MOST_QUESTIONS]


def _with_subject(
    question: str, words: set[str], labels: Sequence[Label], language: Language
) -> str:
    known = {stem for label in labels for stem in stems(" ".join(label.texts), language)}
    if not labels or len(words) >= ENOUGH_WORDS or known & words:
        return question
    return f"{labels[0].name} : {question}"
