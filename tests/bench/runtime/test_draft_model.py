"""A model that drafts: its context follows the text; the same tokens as without it."""

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_slm.bench.runtime.draft_model import DraftModel
from edge_slm.bench.runtime.lookup import copied
from edge_slm.engines.llama.model import Context

WORDS = 10
END = 9


class Counting:
    """A context whose model follows each token by the next number, up to the end."""

    class model:
        """Ends with END."""

        @staticmethod
        def ends(token: int) -> bool:
            """Return whether it is the end."""
            return token == END

    def __init__(self) -> None:
        """Have read nothing."""
        self.tokens: list[int] = []
        self.read_in_all = 0

    def read(self, tokens: Sequence[int]) -> None:
        """Read some."""
        assert tokens
        self.tokens.extend(tokens)
        self.read_in_all += len(tokens)

    def rewind(self, length: int) -> None:
        """Forget."""
        del self.tokens[length:]

    def logits(self) -> Any:
        """Want the next number."""
        row = np.zeros(WORDS, np.float32)
        row[(self.tokens[-1] + 1) % WORDS] = 1
        return row


def _drafter() -> tuple[DraftModel, Counting]:
    context = Counting()
    return DraftModel(cast("Context", context)), context


def test_it_drafts_what_it_finds_most_probable() -> None:
    drafter, _ = _drafter()
    assert drafter([1, 2, 3], 4) == [4, 5, 6, 7]


def test_it_drafts_nothing_beyond_the_end() -> None:
    drafter, _ = _drafter()
    assert drafter([6], 5) == [7, 8]
    assert drafter([8], 5) == []


def test_what_was_read_is_not_read_again() -> None:
    drafter, context = _drafter()
    drafter([1] * 100, 1)
    read = context.read_in_all
    drafter([*[1] * 100, 5], 1)
    assert context.read_in_all == read + 1


tokens = st.lists(st.integers(0, END), min_size=1, max_size=12)


@given(st.lists(st.tuples(tokens, st.integers(1, 6)), max_size=6))
def test_its_context_follows_any_text(turns: list[tuple[list[int], int]]) -> None:
    drafter, context = _drafter()
    for text, longest in turns:
        drafted = drafter(text, longest)
        assert len(drafted) <= longest
        read = [*text, *drafted]
        assert context.tokens == read[: len(context.tokens)]
        assert len(context.tokens) >= len(text)


@pytest.mark.parametrize(
    ("reply", "share"),
    [("un deux trois quatre cinq", 1.0), ("un deux trois quatre six", 0.5), ("un deux", 0.0)],
)
def test_the_share_of_a_reply_that_is_copied(reply: str, share: float) -> None:
    assert copied(reply, "zéro un deux\ntrois quatre cinq") == share
    assert copied("", "un") == 0
