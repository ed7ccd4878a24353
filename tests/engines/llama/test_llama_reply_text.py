"""The text of a reply, from bytes that come in any pieces."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_slm.engines.llama.reply_text import ReplyText

_STOPS = st.lists(st.text("aé", max_size=3), max_size=3)
_DATA = st.one_of(
    st.text("aéb€", max_size=12).map(str.encode),
    st.binary(max_size=12),
    st.text("aéb€🙂", max_size=8)
    .map(str.encode)
    .flatmap(lambda data: st.integers(0, len(data)).map(lambda cut: data[cut:] + data[:cut])),
)


def _shown(pieces: list[bytes], stops: list[str]) -> tuple[str, bool]:
    reply = ReplyText(stops)
    text = "".join([reply.feed(piece) for piece in pieces])
    return text + reply.finish(), reply.stopped


def _split(data: bytes, cuts: list[int]) -> list[bytes]:
    places = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    return [data[begin:end] for begin, end in itertools.pairwise(places)]


@given(_DATA, _STOPS, st.lists(st.integers(0, 30), max_size=8))
def test_the_text_is_the_same_however_the_bytes_are_cut(
    data: bytes, stops: list[str], cuts: list[int]
) -> None:
    assert _shown(_split(data, cuts), stops) == _shown([data], stops)


@given(_DATA, st.lists(st.integers(0, 30), max_size=8))
def test_without_stops_everything_is_shown(data: bytes, cuts: list[int]) -> None:
    assert _shown(_split(data, cuts), []) == (data.decode("utf-8", "replace"), False)


@given(_DATA, _STOPS, st.lists(st.integers(0, 30), max_size=8))
def test_no_stop_is_ever_shown(data: bytes, stops: list[str], cuts: list[int]) -> None:
    text, stopped = _shown(_split(data, cuts), stops)
    whole = data.decode("utf-8", "replace")
    wanted = [stop for stop in stops if stop]
    assert not any(stop in text for stop in wanted)
    assert stopped == any(stop in whole for stop in wanted)
    assert whole.startswith(text)


@given(_DATA, _STOPS)
def test_pieces_once_shown_are_certain(data: bytes, stops: list[str]) -> None:
    reply = ReplyText(stops)
    shown = ""
    for byte in data:
        shown += reply.feed(bytes([byte]))
        assert _shown([data], stops)[0].startswith(shown)


def test_a_stop_may_be_split_over_tokens() -> None:
    reply = ReplyText(["\n\nQ:"])
    assert reply.feed(b"Oui.\n") == "Oui."
    assert reply.feed(b"\nQ") == ""
    assert not reply.stopped
    assert reply.feed(b": et ?") == ""
    assert reply.stopped
    assert reply.finish() == ""


def test_what_only_began_like_a_stop_is_shown_in_the_end() -> None:
    reply = ReplyText(["STOP"])
    assert reply.feed(b"un STO") == "un "
    assert reply.finish() == "STO"


def test_the_stop_that_is_whole_first_counts() -> None:
    assert _shown([b"xabcd"], ["abcd", "bc"]) == ("xa", True)
    assert _shown([b"x", b"a", b"b", b"c", b"d"], ["abcd", "bc"]) == ("xa", True)


def test_nothing_comes_after_a_stop() -> None:
    reply = ReplyText(["."])
    assert reply.feed(b"Oui. Non.") == "Oui"
    assert reply.feed(b"encore") == ""
    assert reply.finish() == ""


def test_a_character_split_over_tokens_comes_whole() -> None:
    reply = ReplyText()
    assert [reply.feed(bytes([byte])) for byte in "é€".encode()] == ["", "é", "", "", "€"]


@pytest.mark.parametrize("data", [b"\xff", b"\xc3", b"a\xe2\x82", b"\x80\x80"])
def test_bytes_that_are_no_text_become_marks(data: bytes) -> None:
    text, _ = _shown([data], [])
    assert "\N{REPLACEMENT CHARACTER}" in text
    text.encode()  # and can be written anywhere


def test_an_empty_stop_is_none() -> None:
    assert _shown([b"abc"], [""]) == ("abc", False)
