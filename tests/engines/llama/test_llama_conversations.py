"""Conversations set aside in memory."""

from hypothesis import given
from hypothesis import strategies as st

from edge_slm.engines.llama.conversations import SHORTEST, Conversations, common_length

_TOKENS = st.lists(st.integers(0, 3), max_size=12)
SHARED = list(range(SHORTEST))


@given(_TOKENS, _TOKENS)
def test_the_common_beginning_is_the_longest(left: list[int], right: list[int]) -> None:
    length = common_length(left, right)
    assert left[:length] == right[:length]
    assert length == min(len(left), len(right)) or left[length] != right[length]


def test_a_conversation_that_goes_on_is_found() -> None:
    kept = Conversations(100)
    kept.keep([*SHARED, 1], b"one")
    kept.keep([*SHARED, 2, 3], b"two")
    found = kept.best([*SHARED, 2, 3, 4])
    assert found is not None
    assert found.state == b"two"
    assert found.tokens == (*SHARED, 2, 3)


def test_too_short_a_beginning_is_not_worth_it() -> None:
    kept = Conversations(100)
    kept.keep(SHARED, b"state")
    assert kept.best([*SHARED[:-1], 999]) is None
    assert kept.best([]) is None
    assert Conversations(100).best(SHARED) is None


def test_a_state_takes_the_place_of_those_that_it_goes_on_from() -> None:
    kept = Conversations(100)
    kept.keep(SHARED, b"short")
    kept.keep([*SHARED, 1], b"long")
    found = kept.best(SHARED)
    assert found is not None
    assert found.state == b"long"
    kept.keep([*SHARED, 1], b"again")
    found = kept.best(SHARED)
    assert found is not None
    assert found.state == b"again"


def test_the_least_recently_used_goes_first() -> None:
    kept = Conversations(20)
    for first in range(2):
        kept.keep([first, *SHARED], bytes(10))
    assert kept.best([0, *SHARED]) is not None
    kept.keep([2, *SHARED], bytes(10))
    assert [kept.best([first, *SHARED]) is not None for first in range(3)] == [True, False, True]


def test_a_state_larger_than_the_cap_drives_nothing_out() -> None:
    kept = Conversations(20)
    kept.keep([1, *SHARED], bytes(10))
    kept.keep([2, *SHARED], bytes(21))
    assert kept.best([2, *SHARED]) is None
    assert kept.best([1, *SHARED]) is not None


def test_a_cap_of_nothing_keeps_nothing() -> None:
    kept = Conversations(0)
    kept.keep(SHARED, b"state")
    assert kept.best(SHARED) is None


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 40)), max_size=20), st.integers(0, 80))
def test_what_is_kept_never_passes_the_cap(states: list[tuple[int, int]], cap: int) -> None:
    kept = Conversations(cap)
    for first, size in states:
        kept.keep([first, *SHARED], bytes(size))
        found = [kept.best([other, *SHARED]) for other in range(6)]
        sizes = {aside.tokens: len(aside.state) for aside in found if aside}
        assert sum(sizes.values()) <= cap
        assert (first, *SHARED) in sizes or size > cap
