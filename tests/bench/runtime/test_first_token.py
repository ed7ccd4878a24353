"""The first word and the copied answer, by engines whose pace is known."""

from typing import Any, cast

import pytest

from edge_slm.bench.runtime.first_token import OTHER, conversation, first_token
from edge_slm.bench.runtime.lookup import lookup
from edge_slm.bench.runtime.peer_chat import PeerChat
from tests.bench.runtime.scripted import PacedChat, PacedPeer


def _peer(*words: str) -> PeerChat:
    return cast("PeerChat", PacedPeer(words))


def test_reading_anew_against_the_store() -> None:
    chat, steps = PacedChat(), list[int]()
    row = first_token(chat, 100, repeats=2, advance=steps.append)
    assert row["cold_s"] >= 0.03
    assert row["ratio"] == pytest.approx(row["cold_s"] / row["restored_s"], rel=0.1)
    assert (row["cold_cached_tokens"], row["restored_cached_tokens"]) == (0, 40)
    assert row["identical"] is True
    assert steps == [1, 1]
    assert not any(key.startswith("peer") for key in row)


def test_something_else_is_read_before_what_is_restored() -> None:
    chat = PacedChat()
    first_token(chat, 100, repeats=1)
    prompts = [prompt for prompt, _ in chat.asked]
    assert prompts == [prompts[0], OTHER, prompts[0], OTHER, prompts[0]]
    kept = [options.keep_prefix for _, options in chat.asked]
    assert kept == [False, False, True, False, True]


def test_passages_of_several_trials_begin_differently() -> None:
    chat = PacedChat()
    first_token(chat, 100, repeats=3)
    texts = {prompt[0].content for prompt, _ in cast("list[Any]", chat.asked) if len(prompt) > 1}
    assert len({text.partition("passage :")[2][:40] for text in texts}) == 3


def test_two_runs_never_share_a_beginning() -> None:
    assert conversation("texte")[0].content[:17] != conversation("texte")[0].content[:17]


def test_a_reply_that_differs_is_told() -> None:
    class Fickle(PacedChat):
        """Writes other words each time."""

        def stream(self, *arguments: Any, **options: Any) -> Any:
            """Yield the number of the call."""
            self.words = (str(len(self.asked)),)
            return super().stream(*arguments, **options)

    assert first_token(Fickle(), 100, repeats=1)["identical"] is False
    assert lookup(Fickle(), 100, repeats=1)["identical"] is False


@pytest.mark.parametrize(("words", "same"), [(("un ", "deux ", "trois "), True), (("?",), False)])
def test_a_peer_is_measured_beside(words: tuple[str, ...], same: bool) -> None:
    row = first_token(PacedChat(), 100, repeats=1, peer=_peer(*words))
    assert row["peer_cold_s"] >= 0.05
    assert row["peer_identical"] is same
    assert (row["peer_cached_tokens"], row["peer_prompt_tokens"]) == (2, 51)


def test_the_speed_of_a_copy() -> None:
    chat, steps = PacedChat(), list[int]()
    row = lookup(chat, 100, repeats=2, peer=_peer(*chat.words), advance=steps.append)
    assert 0 < row["plain_tokens_per_s"] <= 2 / 0.06  # three pauses of 20 ms, two tokens
    assert row["ratio"] == pytest.approx(
        row["lookup_tokens_per_s"] / row["plain_tokens_per_s"], rel=0.01
    )
    assert row["identical"] is row["peer_identical"] is True
    assert row["reply_tokens"] == 3
    assert steps == [1, 1]
    assert [options.lookup for _, options in chat.asked] == [True, False, True] * 2


def test_a_copy_of_one_token_has_no_ratio() -> None:
    assert lookup(PacedChat(["un"]), 100, repeats=1)["ratio"] is None
