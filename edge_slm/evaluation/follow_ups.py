"""Follow-up questions: are they made self-contained, and are fresh questions left as they are?

A rewriting counts as accepted when its stems are those of an expected one: function words, order
and word endings may differ. Retrieval with and without it says what it is worth.
"""

import time
from collections.abc import Callable, Sequence

import msgspec
import numpy as np

from edge_slm.conversation.follow_up import Turn
from edge_slm.conversation.turns import turns_of, understand
from edge_slm.conversation.words import content
from edge_slm.engines import Embedder
from edge_slm.i18n import Language
from edge_slm.kb.base import KnowledgeBase
from edge_slm.kb.search import search

# The self-contained question for a request and the turns before it.
Rewrite = Callable[[str, Sequence[Turn]], str]


class Dialogue(msgspec.Struct, frozen=True):
    """Earlier questions and a request; for a follow-up, the self-contained questions expected.

    `split` names the part of the file, `gold_doc` the document that answers, if any.
    """

    earlier: tuple[str, ...]
    question: str
    follow_up: bool
    expected: tuple[str, ...] = ()
    language: Language = "fr"
    split: str = ""
    gold_doc: str | None = None


class FollowUpScore(msgspec.Struct, frozen=True):
    """Shares (0 to 1) and times in milliseconds.

    `exact`: letter for letter an expected question, but for case and the mark at its end.
    `accepted`: with the same stems. `fresh_kept`: fresh questions that came back to the byte.
    `top1_typed` and `top1_understood`: follow-ups whose document came first when searched as they
    were typed, and as they were understood; None without a base.
    """

    dialogues: int
    follow_ups: int
    exact: float
    accepted: float
    fresh: int
    fresh_kept: float
    p50_ms: float
    p95_ms: float
    searched: int
    top1_typed: float | None
    top1_understood: float | None
    missed: tuple[str, ...]


class Understood(msgspec.Struct, frozen=True):
    """What became of one dialogue."""

    before: str
    question: str
    understood: str
    right: bool
    exact: bool
    follow_up: bool
    ms: float
    document_typed: str | None = None
    document_understood: str | None = None
    gold_doc: str | None = None


def by_rules(question: str, turns: Sequence[Turn]) -> str:
    """Return the self-contained question as the assistant makes it."""
    return understand(question.strip(), turns).asked or question


def evaluate(
    dialogues: Sequence[Dialogue],
    rewrite: Rewrite = by_rules,
    base: KnowledgeBase | None = None,
    embedder: Embedder | None = None,
) -> tuple[FollowUpScore, list[Understood]]:
    """Rewrite the last request of each dialogue; return the score and what became of each.

    Args:
        dialogues: the rows.
        rewrite: how; the assistant's rules by default.
        base: searched for the documents of follow-ups, with its embedder.
        embedder: the model that the base was built with.
    """
    rows = []
    for dialogue in dialogues:
        row = _understood(dialogue, rewrite)
        if base and embedder and dialogue.follow_up and dialogue.gold_doc:
            typed, understood = (
                next((hit.document for hit in search(base, embedder, text).hits), None)
                for text in (row.question, row.understood)
            )
            row = msgspec.structs.replace(
                row,
                document_typed=typed,
                document_understood=understood,
                gold_doc=dialogue.gold_doc,
            )
        rows.append(row)
    return _score(rows), rows


def _understood(dialogue: Dialogue, rewrite: Rewrite) -> Understood:
    turns = turns_of(dialogue.earlier)
    start = time.perf_counter()
    text = rewrite(dialogue.question, turns)
    ms = (time.perf_counter() - start) * 1000
    exact = _bare(text) in map(_bare, dialogue.expected)
    wanted = [set(content(question, dialogue.language)) for question in dialogue.expected]
    right = (
        set(content(text, dialogue.language)) in wanted
        if dialogue.follow_up
        else text == dialogue.question
    )
    before = turns[-1].asked if turns else ""
    return Understood(
        before, dialogue.question, text, right, exact, dialogue.follow_up, round(ms, 2)
    )


def _score(rows: Sequence[Understood]) -> FollowUpScore:
    following = [row for row in rows if row.follow_up]
    fresh = [row for row in rows if not row.follow_up]
    searched = [row for row in following if row.gold_doc]
    times = [row.ms for row in rows] or [0.0]
    return FollowUpScore(
        dialogues=len(rows),
        follow_ups=len(following),
        exact=_share([row.exact for row in following]),
        accepted=_share([row.right for row in following]),
        fresh=len(fresh),
        fresh_kept=_share([row.right for row in fresh]),
        p50_ms=round(float(np.percentile(times, 50)), 2),
        p95_ms=round(float(np.percentile(times, 95)), 2),
        searched=len(searched),
        top1_typed=_share([row.document_typed == row.gold_doc for row in searched])
        if searched
        else None,
        top1_understood=_share([row.document_understood == row.gold_doc for row in searched])
        if searched
        else None,
        missed=tuple(f"{r.before} | {r.question} > {r.understood}" for r in rows if not r.right),
    )


def _share(rights: Sequence[bool]) -> float:
    return round(sum(rights) / max(1, len(rights)), 4)


def _bare(text: str) -> str:
    return text.casefold().strip(" ?!.")
