"""Seconds to the first word of an answer about a passage: read anew, restored, and by a peer.

Each passage is asked about in turn by all of them, so that what else the machine does weighs on
all alike. "Restored" means from the prefix store: between the reading that fills the store and the
one that is timed, the model reads something else, so that nothing is left in its memory.
"""

import secrets
import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from edge_slm.bench.runtime.passages import passage
from edge_slm.bench.runtime.peer_chat import PeerChat
from edge_slm.bench.runtime.restarted import Restarted
from edge_slm.bench.runtime.timing import Timed, timed
from edge_slm.engines import ChatEngine, Message, Options

QUESTION = "Que dit ce passage ? Réponds en une phrase."
OTHER = (Message("user", "Bonjour !"),)
REPLY_TOKENS = 24

ANEW = Options()
KEPT = Options(keep_prefix=True)

# Asks the same of a program started anew (restarted.py).
Restart = Callable[[Sequence[Message], int], Restarted]


class Advance(Protocol):
    """What is called after each step, for a progress bar."""

    def __call__(self, steps: int, /) -> object:
        """Note so many steps done."""


@dataclass(frozen=True)
class Trial:
    """One passage, asked about in each of the ways that there are."""

    cold: Timed
    restored: Timed
    peer: Timed | None
    restarted: Restarted | None


def conversation(text: str, question: str = QUESTION) -> tuple[Message, ...]:
    """Return the messages of a question about a passage.

    They begin with a number drawn at random: what an earlier run left in a store or in a cache
    begins otherwise, so that cold means cold.
    """
    number = secrets.randbelow(10**8)
    return (
        Message("system", f"Dossier {number:08d}. Réponds d'après ce passage :\n\n{text}"),
        Message("user", question),
    )


def trial(
    chat: ChatEngine, text: str, peer: PeerChat | None = None, restart: Restart | None = None
) -> Trial:
    """Ask once about one passage in each of the ways."""
    messages = conversation(text)
    cold = timed(chat.stream(messages, REPLY_TOKENS, ANEW))
    timed(chat.stream(OTHER, 1, ANEW))
    timed(chat.stream(messages, 1, KEPT))
    timed(chat.stream(OTHER, 1, ANEW))
    restored = timed(chat.stream(messages, REPLY_TOKENS, KEPT))
    theirs = timed(peer.stream(messages, REPLY_TOKENS)) if peer else None
    again = restart(messages, REPLY_TOKENS) if restart else None
    return Trial(cold, restored, theirs, again)


def first_token(
    chat: ChatEngine,
    tokens: int,
    repeats: int = 3,
    peer: PeerChat | None = None,
    restart: Restart | None = None,
    advance: Advance = lambda _: None,
) -> dict[str, Any]:
    """Measure passages of one length.

    Args:
        chat: the engine.
        tokens: tokens of each passage.
        repeats: passages, each different from its first word on.
        peer: asked the same, when there is one.
        restart: asks the same of a program started anew.
        advance: called with 1 after each passage.
    Returns:
        medians in seconds, their ratios, how many tokens of the prompts came from a store or a
        cache, and whether all ways wrote the same words.
    """
    trials = []
    for number in range(repeats):
        text = passage(tokens, chat.count_tokens, number)
        trials.append(trial(chat, text, peer, restart))
        advance(1)
    return {"repeats": repeats, **_ours(trials), **_again(trials), **_theirs(trials)}


def _ours(trials: Sequence[Trial]) -> dict[str, Any]:
    cold = _median(one.cold.first_s for one in trials)
    restored = _median(one.restored.first_s for one in trials)
    return {
        "cold_s": round(cold, 4),
        "restored_s": round(restored, 4),
        "ratio": round(cold / restored, 2),
        "cold_cached_tokens": max(one.cold.usage.cached_tokens for one in trials),
        "restored_cached_tokens": min(one.restored.usage.cached_tokens for one in trials),
        "prompt_tokens": max(one.cold.usage.prompt_tokens for one in trials),
        "identical": all(_same(one) for one in trials),
    }


def _same(one: Trial) -> bool:
    texts = {one.cold.text, one.restored.text}
    return len(texts | ({one.restarted.text} if one.restarted else set())) == 1


def _again(trials: Sequence[Trial]) -> dict[str, Any]:
    replies = [one.restarted for one in trials if one.restarted]
    if not replies:
        return {}
    cold = _median(one.cold.first_s for one in trials)
    seconds = _median(reply.first_s for reply in replies)
    whole = _median(reply.whole_s for reply in replies)
    return {
        "restarted_s": round(seconds, 4),
        "restarted_share": round(seconds / cold, 4),
        "restarted_and_loaded_s": round(whole, 4),
        "restarted_and_loaded_share": round(whole / cold, 4),
        "restarted_cached_tokens": min(reply.cached_tokens for reply in replies),
    }


def _theirs(trials: Sequence[Trial]) -> dict[str, Any]:
    replies = [one.peer for one in trials if one.peer]
    if not replies:
        return {}
    seconds = _median(reply.first_s for reply in replies)
    restored = _median(one.restored.first_s for one in trials)
    return {
        "peer_cold_s": round(seconds, 4),
        "peer_ratio": round(seconds / restored, 2),
        "peer_cached_tokens": max(reply.usage.cached_tokens for reply in replies),
        "peer_prompt_tokens": max(reply.usage.prompt_tokens for reply in replies),
        "peer_identical": all(one.peer is None or one.peer.text == one.cold.text for one in trials),
    }


def _median(seconds: Iterable[float]) -> float:
    return statistics.median(seconds)
