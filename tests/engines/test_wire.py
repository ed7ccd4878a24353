"""Frames between the program and its workers."""

import io
from typing import get_args

import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

from edge_slm import errors
from edge_slm.answer import Segment, Usage
from edge_slm.engines import Done, Message, Options, Piece, TokenLogprob
from edge_slm.engines.settings import Settings
from edge_slm.engines.workers import wire
from edge_slm.errors import EdgeSlmError, MissingError

_quick = settings(max_examples=2000, phases=[Phase.generate], database=None)
_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
_number = st.integers(0, 1 << 40)
_float = st.floats(allow_nan=False)
_messages = st.lists(
    st.builds(Message, st.sampled_from(["system", "user", "assistant"]), _text), max_size=4
).map(tuple)
_options = st.builds(
    Options,
    temperature=_float,
    seed=st.none() | _number,
    stop=st.lists(_text, max_size=3).map(tuple),
    logit_bias=st.dictionaries(_number, _float, max_size=3),
    logprobs=st.none() | st.integers(0, 20),
    grammar=st.none() | _text,
    keep_prefix=st.booleans(),
)
_usage = st.builds(Usage, _number, _number, _number)
_logprob = st.builds(
    TokenLogprob,
    st.binary(max_size=8),
    _float,
    st.lists(st.tuples(st.binary(max_size=8), _float), max_size=3).map(tuple),
)
_settings = st.builds(Settings, context=_number, kv_type=st.sampled_from(["f16", "bf16", "q8_0"]))

ORDERS = st.one_of(
    st.builds(
        wire.Load,
        st.sampled_from(["chat", "embed", "speech"]),
        st.binary(max_size=40),
        _text,
        st.none() | _text,
        _settings,
        st.booleans(),
    ),
    st.builds(wire.Stream, _number, _messages | _text, st.none() | _number, _options),
    st.builds(wire.Prepare, _number, _messages | _text),
    st.builds(wire.Count, _number, _text),
    st.builds(wire.Embed, _number, st.lists(_text, max_size=4).map(tuple), st.booleans()),
    st.builds(wire.Transcribe, _number, st.binary(max_size=40), st.none() | _text),
    st.builds(wire.Stop, _number),
    st.builds(wire.Ping, _number),
)
REPORTS = st.one_of(
    st.builds(wire.Ready),
    st.builds(
        wire.Said,
        _number,
        st.builds(Piece, _text, st.none() | _usage, st.lists(_logprob, max_size=3).map(tuple)),
    ),
    st.builds(wire.Finished, _number, st.builds(Done, _usage, st.booleans())),
    st.builds(wire.Prepared, _number, st.booleans()),
    st.builds(wire.Counted, _number, _number),
    st.builds(wire.Vectors, _number, _number, st.binary(max_size=64)),
    st.builds(wire.Hearing, _number, _text, _float),
    st.builds(wire.Heard, _number, st.builds(Segment, _float, _float, _text)),
    st.builds(wire.Silence, _number),
    st.builds(wire.Halted, _number),
    st.builds(wire.Failed, _number, _text, _text),
    st.builds(wire.Pong, _number),
    st.builds(wire.Memory, _number, _number),
)


@given(st.lists(ORDERS, max_size=5))
def test_orders_arrive_as_they_were_sent(orders: list[wire.Order]) -> None:
    stream = io.BytesIO(b"".join(wire.encode(order) for order in orders))
    assert [wire.read_order(stream) for _ in orders] == orders
    assert wire.read_order(stream) is None


@given(st.lists(REPORTS, max_size=5))
def test_reports_arrive_as_they_were_sent(reports: list[wire.Report]) -> None:
    stream = io.BytesIO(b"".join(wire.encode(report) for report in reports))
    assert [wire.read_report(stream) for _ in reports] == reports
    assert wire.read_report(stream) is None


@pytest.mark.parametrize("kind", [*get_args(wire.Order), *get_args(wire.Report)])
def test_every_kind_of_message_is_tried_above(kind: type) -> None:
    messages = ORDERS if kind in get_args(wire.Order) else REPORTS
    find(messages, lambda message: type(message) is kind, settings=_quick)


@given(ORDERS, st.data())
def test_a_frame_that_is_cut_is_refused(order: wire.Order, data: st.DataObject) -> None:
    frame = wire.encode(order)
    cut = data.draw(st.integers(1, len(frame) - 1))
    with pytest.raises(wire.WireError):
        wire.read_order(io.BytesIO(frame[:cut]))


@given(st.binary(max_size=200))
def test_any_bytes_are_a_message_or_refused(data: bytes) -> None:
    for read in (wire.read_order, wire.read_report):
        try:
            read(io.BytesIO(data))
        except wire.WireError:
            continue


@given(st.binary(max_size=100))
def test_any_payload_is_a_message_or_refused(data: bytes) -> None:
    frame = len(data).to_bytes(4, "big") + data
    for read in (wire.read_order, wire.read_report):
        try:
            read(io.BytesIO(frame))
        except wire.WireError:
            continue


def test_deep_nesting_is_refused() -> None:
    data = b"\x91" * 200_000
    with pytest.raises(wire.WireError):
        wire.read_order(io.BytesIO(len(data).to_bytes(4, "big") + data))


def test_a_frame_that_claims_too_much_is_refused_before_it_is_read() -> None:
    stream = io.BytesIO((wire.LONGEST_FRAME + 1).to_bytes(4, "big") + b"x" * 10)
    with pytest.raises(wire.WireError, match="a frame of 268435457 bytes"):
        wire.read_report(stream)


def test_a_message_that_is_too_long_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "LONGEST_FRAME", 100)
    with pytest.raises(wire.WireError):
        wire.encode(wire.Count(1, "x" * 100))


@pytest.mark.parametrize(
    "kind", [name for name, value in vars(errors).items() if isinstance(value, type)]
)
def test_every_error_keeps_its_class(kind: str) -> None:
    error = getattr(errors, kind)("One sentence.")
    again = wire.error_of(wire.failure(3, error))
    assert type(again) is type(error)
    assert str(again) == "One sentence."


@pytest.mark.parametrize("name", ["", "OSError", "__name__", "t", "KeyboardInterrupt"])
def test_any_other_error_is_the_base_of_ours(name: str) -> None:
    assert type(wire.error_of(wire.Failed(1, name, "x"))) is EdgeSlmError


def test_what_nobody_foresaw_is_a_sentence() -> None:
    assert "KeyError: 3" in str(wire.internal_error(KeyError(3)))
    assert "memory" in str(wire.internal_error(MemoryError()))
    assert not isinstance(wire.internal_error(MemoryError()), MissingError)
