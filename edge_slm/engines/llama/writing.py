"""Writing a reply: one token after the other, or several at once where a draft can be verified."""

from collections.abc import Callable, Generator, Iterator, Sequence

import numpy as np

from edge_slm.engines.llama.lookup import LONGEST_DRAFT, MOST_ROWS, Pace, Proofs, draft
from edge_slm.engines.llama.model import Context
from edge_slm.engines.llama.sampling import Sampler

# Given all tokens so far and how many are wanted at most, returns those that may follow.
Drafter = Callable[[Sequence[int], int], list[int]]


def one_by_one(context: Context, sampler: Sampler) -> Iterator[int]:
    """Yield tokens without end; between two of them the context's logits are those of the last.

    Raises:
        Stopped: the context's flag was set.
    """
    while True:
        token = sampler.choose(context)
        yield token
        context.read([token])


def with_drafts(context: Context, proofs: Proofs, drafter: Drafter = draft) -> Iterator[int]:
    """Yield the most probable tokens without end, the same ones as `one_by_one`.

    The context may have read more than was yielded when the consumer leaves.

    Args:
        context: has read the prompt.
        proofs: whether several tokens may be verified in one batch.
        drafter: prompt lookup, or another source of drafts.
    Raises:
        Stopped: the context's flag was set.
    """
    pace = Pace()
    token = _best(context)
    while True:
        exact = proofs.known(len(context.tokens) + MOST_ROWS)
        if exact is None:
            token = yield from _proved(context, proofs, token)
            continue
        yield token
        room = context.settings.context - len(context.tokens) - 1
        longest = min(pace.longest, LONGEST_DRAFT, room)
        drafted = drafter([*context.tokens, token], longest) if exact and longest > 0 else []
        held = len(context.tokens)
        context.read([token, *drafted], every=bool(drafted))
        if not drafted:
            token = _best(context)
            continue
        best = [_best(context, row) for row in range(len(drafted) + 1)]
        accepted = 0
        while accepted < len(drafted) and best[accepted] == drafted[accepted]:
            accepted += 1
        context.rewind(held + 1 + accepted)
        pace.learn(len(drafted), accepted)
        yield from drafted[:accepted]
        token = best[accepted]


def _proved(context: Context, proofs: Proofs, token: int) -> Generator[int, None, int]:
    """Yield as many tokens as a batch holds, one by one, then read them as a batch and compare.

    Returns (as a generator does) the token that follows them.
    """
    alone = []
    tokens = []
    for _ in range(MOST_ROWS):
        yield token
        context.read([token])
        tokens.append(token)
        alone.append(context.logits().copy())
        token = int(alone[-1].argmax())
    context.rewind(len(context.tokens) - MOST_ROWS)
    context.read(tokens, every=True)
    exact = all(np.array_equal(context.logits(row), alone[row]) for row in range(MOST_ROWS))
    proofs.note(len(context.tokens), exact)
    if not exact:  # what the batch left in memory differs as well
        context.rewind(len(context.tokens) - MOST_ROWS)
        for one in tokens:
            context.read([one])
    return token


def _best(context: Context, row: int = -1) -> int:
    return int(context.logits(row).argmax())
