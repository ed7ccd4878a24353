"""Reading only what no state holds, on a context without a model."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_slm.engines.llama.chat_format import Tokens
from edge_slm.engines.llama.conversations import Conversations
from edge_slm.engines.llama.prefix_store import PrefixStore
from edge_slm.engines.llama.reading import Reader
from edge_slm.engines.stopping import Stopped
from tests.engines.llama.scripted import WORDS, ScriptedContext, as_any

PREFIX = [step % WORDS for step in range(100)]
OTHER = [step % 5 for step in range(120)]


class MemoryStore:
    """States in memory, with what was asked of it."""

    def __init__(self, *, takes: bool = True) -> None:
        self.states: dict[tuple[int, ...], bytes] = {}
        self.takes = takes

    def load(self, tokens: Sequence[int]) -> bytes | None:
        """Return a state."""
        return self.states.get(tuple(tokens))

    def holds(self, tokens: Sequence[int]) -> bool:
        """Return whether there is one."""
        return tuple(tokens) in self.states

    def save(self, tokens: Sequence[int], state: bytes) -> bool:
        """Keep a state."""
        if self.takes:
            self.states[tuple(tokens)] = state
        return self.takes


class Desk:
    """A reader with all that it works on."""

    def __init__(self, *, takes: bool = True, cap: int = 1 << 20) -> None:
        self.context = ScriptedContext()
        self.store = MemoryStore(takes=takes)
        self.reader = Reader(as_any(self.context), as_any(self.store), Conversations(cap))

    def read(self, prefix: list[int], rest: list[int], *, keep: bool = False) -> int:
        """Read a prompt and check that all of it was read."""
        cached = self.reader.read(Tokens(prefix, rest), keep=keep)
        assert self.context.tokens == prefix + rest
        assert 0 <= cached < len(prefix + rest)
        return cached

    def restart(self) -> None:
        """Begin anew with what the store holds."""
        self.context = ScriptedContext()
        self.reader = Reader(as_any(self.context), as_any(self.store), Conversations(1 << 20))


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_a_kept_prefix_is_read_once(desk: Desk) -> None:
    assert desk.read(PREFIX, [1, 2, 3], keep=True) == 0
    assert desk.read(PREFIX, [4, 5], keep=True) == len(PREFIX)
    assert desk.context.batches == [PREFIX, [1, 2, 3], [4, 5]]


def test_a_kept_prefix_serves_after_a_restart(desk: Desk) -> None:
    desk.read(PREFIX, [1], keep=True)
    desk.restart()
    assert desk.read(PREFIX, [2], keep=True) == len(PREFIX)
    assert desk.context.batches == [[2]]


def test_a_kept_prefix_serves_after_another_one(desk: Desk) -> None:
    desk.read(PREFIX, [1], keep=True)
    desk.read(OTHER, [1], keep=True)
    assert desk.read(PREFIX, [2], keep=True) == len(PREFIX)
    assert desk.read(OTHER, [2], keep=True) == len(OTHER)


def test_a_kept_prefix_serves_a_personal_question_too(desk: Desk) -> None:
    desk.read(PREFIX, [1], keep=True)
    desk.restart()
    assert desk.read(PREFIX, [2]) == len(PREFIX)


def test_a_state_that_cannot_be_taken_up_is_made_again(desk: Desk) -> None:
    desk.read(PREFIX, [1], keep=True)
    desk.restart()
    desk.context.refuses = True
    assert desk.read(PREFIX, [2], keep=True) == 0


def test_a_store_that_takes_nothing_only_costs_time() -> None:
    desk = Desk(takes=False)
    assert desk.read(PREFIX, [1], keep=True) == 0
    assert desk.read(OTHER, [1], keep=True) == 0
    assert desk.read(PREFIX, [2], keep=True) == 0


def test_a_personal_text_never_reaches_the_store(desk: Desk) -> None:
    desk.read(PREFIX, [1] * 70)
    desk.read([*PREFIX, *OTHER], [2] * 70)
    desk.read(PREFIX, [3], keep=True)
    desk.read(OTHER, [1] * 70, keep=True)
    assert set(desk.store.states) <= {tuple(PREFIX), tuple(OTHER)}


def test_a_conversation_goes_on_where_it_was(desk: Desk) -> None:
    desk.read(PREFIX, [1, 2])
    desk.context.read([3, 4])  # the reply
    assert desk.read([*PREFIX, 1, 2, 3, 4, 5], [6]) == len(PREFIX) + 4
    assert [6] in desk.context.batches


def test_two_conversations_in_turns_go_on_where_they_were(desk: Desk) -> None:
    for talk in (PREFIX, OTHER):
        desk.read(talk, [1, 2])
        desk.context.read([3])
    for turn in range(3):
        for talk in (PREFIX, OTHER):
            said = [7] * turn
            assert desk.read([*talk, 1, 2, 3, *said], [7]) == len(talk) + 3 + turn


def test_the_last_token_is_always_read(desk: Desk) -> None:
    desk.read([], PREFIX)
    assert desk.read([], PREFIX) == len(PREFIX) - 1
    assert desk.context.batches[-1] == PREFIX[-1:]


def test_a_conversation_that_cannot_be_taken_up_is_read_again(desk: Desk) -> None:
    desk.read(PREFIX, [1, 2])
    desk.read(OTHER, [1, 2])
    desk.context.refuses = True
    assert desk.read([*PREFIX, 1, 2, 3], [4]) == 0


def test_conversations_without_room_are_read_again() -> None:
    desk = Desk(cap=0)
    desk.read(PREFIX, [1, 2])
    desk.read(OTHER, [1, 2])
    assert desk.read([*PREFIX, 1, 2, 3], [4]) == 0


_PREFIXES = st.sampled_from([[], PREFIX[:10], PREFIX, [*PREFIX, 1, 2, 3, 4, *OTHER], OTHER])
_ASKED = st.tuples(
    _PREFIXES,
    st.lists(st.integers(0, 4), min_size=1, max_size=90),
    st.booleans(),
    st.integers(0, 80),
    st.none() | st.integers(0, 200),
)


@given(st.lists(_ASKED, max_size=8), st.integers(0, 1 << 12), st.booleans())
def test_whatever_came_before_a_prompt_is_read_whole(
    asked: list[tuple[list[int], list[int], bool, int, int | None]], cap: int, refuses: bool
) -> None:
    desk = Desk(cap=cap)
    desk.context.refuses = refuses
    may_keep = set()
    for prefix, rest, keep, reply, stops_at in asked:
        if keep:
            may_keep.add(tuple(prefix))
        desk.context.stops_at = stops_at
        try:
            desk.read(prefix, rest, keep=keep)
        except Stopped:
            whole = prefix + rest
            assert desk.context.tokens == whole[: len(desk.context.tokens)]
        desk.context.stops_at = None
        for step in range(reply):
            desk.context.read([step % 4])
        assert set(desk.store.states) <= may_keep


def test_a_prefix_can_be_prepared(desk: Desk) -> None:
    assert desk.reader.prepare(PREFIX)
    assert not desk.reader.prepare(PREFIX)
    assert not desk.reader.prepare([])
    desk.restart()
    assert desk.read(PREFIX, [1], keep=True) == len(PREFIX)


def test_preparing_sets_the_conversation_aside_and_nothing_else(desk: Desk) -> None:
    desk.read(OTHER, [1, 2])
    desk.reader.prepare(PREFIX)
    assert desk.read([*OTHER, 1, 2, 3], [4]) == len(OTHER) + 2
    # What was prepared is on the disk: it takes no room among the conversations.
    desk.store.states.clear()
    assert desk.read([*PREFIX, 1], [4]) == 0


def test_a_stop_while_a_prefix_is_prepared_keeps_nothing(desk: Desk) -> None:
    desk.context.stops_at = 50
    with pytest.raises(Stopped):
        desk.reader.prepare(PREFIX)
    assert not desk.store.states
    desk.context.stops_at = None
    assert desk.reader.prepare(PREFIX)


def test_a_real_store_serves_as_well(tmp_path: Path) -> None:
    from tests.engines.llama.test_llama_prefix_store import MAKER

    contexts = [ScriptedContext(), ScriptedContext()]
    found = []
    for context in contexts:
        store = PrefixStore(MAKER, tmp_path)
        reader = Reader(as_any(context), store, Conversations(0))
        found.append(reader.read(Tokens(PREFIX, [1]), keep=True))
    assert found == [0, len(PREFIX)]
    assert contexts[1].restored == 1
