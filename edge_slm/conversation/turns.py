"""What a request in a conversation asks, and which earlier requests it may lean on.

Only what a person asked is looked at. An order to the assistant, a translation, a recording or a
greeting is nothing to lean on.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import msgspec

from edge_slm import language as languages
from edge_slm.answer import Answer
from edge_slm.conversation.follow_up import TURNS, Turn, novel, self_contained
from edge_slm.i18n import Language
from edge_slm.routing.request import Request
from edge_slm.routing.router import route

LONGEST_TURN = 4000  # characters: beyond, an earlier request is passed over unread


class Understanding(NamedTuple):
    """What a text in a conversation asks.

    `asked` is the self-contained question where that differs from the text, and `new` the stems
    that the text adds to the earlier question (`novel`).
    """

    request: Request
    asked: str | None = None
    new: frozenset[str] = frozenset()


def understand(text: str, earlier: Sequence[Turn]) -> Understanding:
    """Return the request that a text is, made self-contained and routed as such.

    The self-contained question is routed anew, as if somebody had typed it: what would be
    declined at first is declined after any number of turns.

    Args:
        text: stripped and not empty.
        earlier: the turns before it, oldest first.
    """
    request = route(text)
    if not earlier or request.route.task != "hr_faq":
        return Understanding(request)
    language = language_of(text, earlier)
    asked = self_contained(text, earlier, language)
    if asked == text:
        return Understanding(request)
    again = route(asked)
    # Words of an earlier question never make a translation or a recording of a later one.
    if again.route.task not in ("hr_faq", "fallback"):
        return Understanding(request)
    return Understanding(again, asked, novel(text, earlier, language))


def telling(events: Iterable[str | Answer], asked: str) -> Iterator[str | Answer]:
    """Yield the events of a task, its answer with the question that was understood."""
    for event in events:
        if isinstance(event, Answer):
            yield msgspec.structs.replace(event, understood=asked)
        else:
            yield event


def is_question(text: str) -> bool:
    """Return whether a request is a question to the documents, which a later one may lean on."""
    text = text.strip()
    return bool(text) and len(text) <= LONGEST_TURN and route(text).route.task == "hr_faq"


def turns_of(texts: Sequence[str]) -> tuple[Turn, ...]:
    """Return the turns of a conversation from all that its user said, oldest first."""
    turns: list[Turn] = []
    for text in texts[-TURNS:]:
        if is_question(text):
            turns.append(Turn(text, understand(text.strip(), turns).asked or text))
    return tuple(turns)


def language_of(text: str, earlier: Sequence[Turn]) -> Language:
    """Return the language of a request; one too short to tell is in that of the turn before."""
    before = languages.detect(earlier[-1].asked) if earlier else "fr"
    return "en" if languages.detect(text, fallback=before) == "en" else "fr"
