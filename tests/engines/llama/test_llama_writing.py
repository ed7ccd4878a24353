"""Writing with drafts gives the tokens of writing without."""

import os
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_slm.engines import GREEDY
from edge_slm.engines.llama.lookup import MOST_ROWS, Proofs
from edge_slm.engines.llama.sampling import Sampler
from edge_slm.engines.llama.writing import one_by_one, with_drafts
from edge_slm.engines.stopping import Stopped
from tests.engines.llama.scripted import WORDS, ScriptedContext, as_any

_PROMPTS = st.lists(st.integers(0, WORDS - 1), min_size=1, max_size=30)
# A rule over the last tokens, so that what was written comes back and drafts are met with.
_RULES = st.lists(st.integers(0, WORDS - 1), min_size=WORDS, max_size=WORDS)


def _by(rule: list[int]) -> Callable[[Sequence[int]], int]:
    return lambda tokens: (rule[tokens[-1]] + (tokens[-2] if len(tokens) > 1 else 0)) % WORDS


def _nowhere() -> Proofs:
    return Proofs("k", Path(os.devnull) / "exact.json")


def _plain(context: ScriptedContext) -> Iterator[int]:
    sampler = Sampler(as_any(SimpleNamespace(c=None)), GREEDY)
    assert sampler.greedy
    return one_by_one(as_any(context), sampler)


def _drafted(context: ScriptedContext, proofs: Proofs | None = None) -> Iterator[int]:
    return with_drafts(as_any(context), proofs or _nowhere())


def _cycle(length: int) -> Callable[[Sequence[int]], int]:
    return lambda tokens: (tokens[-1] + 1) % length


@given(_PROMPTS, _RULES, st.integers(1, 60), st.booleans())
def test_drafts_change_no_token(
    prompt: list[int], rule: list[int], count: int, blurs: bool
) -> None:
    plain = ScriptedContext(_by(rule), read=prompt, blurs=blurs)
    drafted = ScriptedContext(_by(rule), read=prompt, blurs=blurs)
    assert list(islice(_drafted(drafted), count)) == list(islice(_plain(plain), count))


@given(_PROMPTS, _RULES, st.integers(1, 40))
def test_drafts_never_leave_the_room_of_the_context(
    prompt: list[int], rule: list[int], room: int
) -> None:
    context = ScriptedContext(_by(rule), read=prompt, room=len(prompt) + room)
    assert len(list(islice(_drafted(context), room))) == room


@given(_PROMPTS, _RULES, st.lists(st.lists(st.integers(0, WORDS - 1), max_size=6), max_size=20))
def test_drafts_from_anywhere_change_no_token(
    prompt: list[int], rule: list[int], offers: list[list[int]]
) -> None:
    rest = iter(offers)
    context = ScriptedContext(_by(rule), read=prompt)
    tokens = with_drafts(as_any(context), _nowhere(), lambda _, longest: next(rest, [])[:longest])
    plain = ScriptedContext(_by(rule), read=prompt)
    assert list(islice(tokens, 40)) == list(islice(_plain(plain), 40))


def test_text_that_repeats_takes_far_fewer_readings() -> None:
    context = ScriptedContext(_cycle(WORDS), read=[*range(WORDS)] * 2)
    list(islice(_drafted(context), 80))
    assert len(context.batches) < 40


def test_nothing_is_drafted_before_batches_are_proved() -> None:
    context = ScriptedContext(_cycle(WORDS), read=[*range(WORDS)] * 2)
    list(islice(_drafted(context), MOST_ROWS + 1))
    assert [len(batch) for batch in context.batches] == [1] * MOST_ROWS + [MOST_ROWS]


def test_nothing_is_drafted_where_batches_are_not_exact() -> None:
    context = ScriptedContext(_cycle(WORDS), read=[*range(WORDS)] * 2, blurs=True)
    proofs = _nowhere()
    list(islice(_drafted(context, proofs), 60))
    assert proofs.known(1) is False
    # One attempt to prove it, and never a batch again.
    assert [len(batch) for batch in context.batches if len(batch) > 1] == [MOST_ROWS]


def test_a_proof_is_made_once_a_block() -> None:
    context = ScriptedContext(_cycle(WORDS), read=[*range(WORDS)] * 2)
    proofs = _nowhere()
    list(islice(_drafted(context, proofs), 200))
    assert proofs.known(256) is True
    assert proofs.known(257) is None
    list(islice(_drafted(context, proofs), 200))
    assert proofs.known(512) is True


def test_a_consumer_that_leaves_finds_only_what_was_drafted_beyond() -> None:
    context = ScriptedContext(_cycle(WORDS), read=[*range(WORDS)] * 2)
    written = list(islice(_drafted(context), 50))
    assert context.tokens[: 16 + 49] == [*range(WORDS), *range(WORDS), *written][: 16 + 49]


@pytest.mark.parametrize("at", [17, 20, 23, 24, 30])
def test_a_stop_ends_the_writing_and_leaves_what_was_read(at: int) -> None:
    context = ScriptedContext(_cycle(WORDS), read=[*range(WORDS)] * 2)
    context.stops_at = at
    with pytest.raises(Stopped):
        list(_drafted(context))
    whole = [*range(WORDS)] * 5
    assert context.tokens == whole[: len(context.tokens)]
    assert len(context.tokens) <= at
