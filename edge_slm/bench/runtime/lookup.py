"""Tokens per second of an answer that copies from its passage: plain, by lookup, and by a peer.

The reading of the prompt is left out: the clock counts from the first word to the last. So is the
proof that batches are exact on this machine, which the first reply by lookup pays once: each
passage is answered once by lookup before the clock runs.
"""

import statistics
from collections.abc import Sequence
from typing import Any

import msgspec

from edge_slm.bench.runtime.first_token import Advance, conversation
from edge_slm.bench.runtime.passages import passage
from edge_slm.bench.runtime.peer_chat import PeerChat
from edge_slm.bench.runtime.timing import Timed, timed
from edge_slm.engines import ChatEngine, Options

CITE = (
    "Cite entre guillemets toutes les phrases du passage qui fixent une règle, mot pour mot, une "
    "par ligne."
)
COPY = "Recopie tout le passage, mot pour mot, du début à la fin."
REPLY_TOKENS = 96
FIRST_PASSAGE = 5  # the first that the smallest model copies whole; it shortens those before
RUN = 4  # words: a shorter run stands in a passage by chance

PLAIN = Options(keep_prefix=True)  # so that the second way need not read the passage again
LOOKUP = msgspec.structs.replace(PLAIN, lookup=True)


def lookup(
    chat: ChatEngine,
    tokens: int = 500,
    repeats: int = 3,
    peer: PeerChat | None = None,
    question: str = COPY,
    advance: Advance = lambda _: None,
) -> dict[str, Any]:
    """Measure answers that quote passages of one length.

    Args:
        chat: the engine.
        tokens: tokens of each passage.
        repeats: passages; each is quoted once in each way, one way after the other.
        peer: asked the same, when there is one.
        question: what makes the reply copy.
        advance: called with 1 after each passage.
    Returns:
        medians in tokens per second, their ratios, which share of the replies stands in the
        passages word for word, and whether the words were the same.
    """
    plain: list[Timed] = []
    looked_up: list[Timed] = []
    theirs: list[Timed] = []
    shares = []
    for number in range(FIRST_PASSAGE, FIRST_PASSAGE + repeats):
        text = passage(tokens, chat.count_tokens, number)
        messages = conversation(text, question)
        timed(chat.stream(messages, REPLY_TOKENS, LOOKUP))
        plain.append(timed(chat.stream(messages, REPLY_TOKENS, PLAIN)))
        looked_up.append(timed(chat.stream(messages, REPLY_TOKENS, LOOKUP)))
        shares.append(copied(plain[-1].text, text))
        if peer:
            theirs.append(timed(peer.stream(messages, REPLY_TOKENS)))
        advance(1)
    row = {
        "plain_tokens_per_s": _speed(plain),
        "lookup_tokens_per_s": _speed(looked_up),
        "ratio": ratio(_speed(looked_up), _speed(plain)),
        "identical": [one.text for one in plain] == [one.text for one in looked_up],
        "copied_share": round(statistics.mean(shares), 2),
        "reply_tokens": min(one.usage.completion_tokens for one in plain),
    }
    if theirs:
        row["peer_tokens_per_s"] = _speed(theirs)
        row["peer_ratio"] = ratio(_speed(looked_up), _speed(theirs))
        row["peer_identical"] = [one.text for one in theirs] == [one.text for one in plain]
    return row


def copied(reply: str, text: str) -> float:
    """Return which share of the runs of four words of a reply stands in a text."""
    words, whole = reply.split(), " ".join(text.split())
    runs = [" ".join(words[start : start + RUN]) for start in range(len(words) - RUN + 1)]
    return sum(run in whole for run in runs) / len(runs) if runs else 0.0


def _speed(replies: Sequence[Timed]) -> float:
    return round(statistics.median(reply.tokens_per_s for reply in replies), 2)


def ratio(above: float, below: float) -> float | None:
    """Return how many times faster; None where a reply was too short to have a speed."""
    return round(above / below, 2) if below else None
