"""Chat completions: shapes, options, streams, refusals."""

import json
from typing import Any

import pytest
from starlette.testclient import TestClient

from edge_slm.engines import Message, Options
from edge_slm.errors import BusyError, IntegrityError, MissingError, UsageError

from .fakes import CHAT, FakeEngines

URL = "/v1/chat/completions"
HELLO = [{"role": "user", "content": "Dis bonjour."}]


def ask(client: TestClient, **fields: Any) -> Any:
    """Send a chat that succeeds, and return its JSON."""
    answer = client.post(URL, json={"messages": HELLO} | fields)
    assert answer.status_code == 200, answer.text
    return answer.json()


def refused(client: TestClient, status: int, **fields: Any) -> dict[str, Any]:
    """Send a chat that is refused, and return the error, whose shape is checked."""
    answer = client.post(URL, json={"messages": HELLO} | fields)
    assert answer.status_code == status, answer.text
    error: dict[str, Any] = answer.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert error["message"]
    return error


def events(client: TestClient, **fields: Any) -> list[Any]:
    """Send a chat to stream, and return its events; the last is the text [DONE]."""
    answer = client.post(URL, json={"messages": HELLO, "stream": True} | fields)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/event-stream"
    rows = answer.text.split("\n\n")
    assert rows.pop() == ""
    found = [row.removeprefix("data: ") for row in rows]
    return [row if row == "[DONE]" else json.loads(row) for row in found]


def test_a_chat_is_answered_in_the_shape_of_openai(client: TestClient) -> None:
    reply = ask(client, model=CHAT)
    (choice,) = reply["choices"]
    assert choice["message"] == {
        "role": "assistant",
        "content": "Bonjour à tous.",
        "refusal": None,
    }
    assert choice["finish_reason"] == "stop"
    assert choice["logprobs"] is None
    assert reply["object"] == "chat.completion"
    assert reply["model"] == CHAT
    assert reply["id"].startswith("chatcmpl-")
    carbon = reply["usage"].pop("carbon")
    assert reply["usage"] == {
        "prompt_tokens": 12,
        "completion_tokens": 3,
        "total_tokens": 15,
        "prompt_tokens_details": {"cached_tokens": 4},
    }
    assert 0 < carbon["kWh"]["min"] < carbon["kWh"]["max"] < 1
    assert carbon["kgCO2eq"] == {"min": None, "max": None}


def test_a_reply_that_was_cut_says_so(client: TestClient, engines: FakeEngines) -> None:
    engines.talker.complete = False
    assert ask(client)["choices"][0]["finish_reason"] == "length"


def test_messages_reach_the_engine(client: TestClient, engines: FakeEngines) -> None:
    ask(
        client,
        messages=[
            {"role": "developer", "content": "Sois bref."},
            {
                "role": "user",
                "content": [{"type": "text", "text": "Un"}, {"type": "text", "text": "Deux"}],
            },
            {"role": "assistant", "content": None},
            {"role": "user", "content": "Trois", "name": "unused"},
        ],
    )
    prompt, _, _ = engines.talker.asked[0]
    assert list(prompt) == [
        Message("system", "Sois bref."),
        Message("user", "Un\nDeux"),
        Message("assistant", ""),
        Message("user", "Trois"),
    ]


def test_options_reach_the_engine(client: TestClient, engines: FakeEngines) -> None:
    ask(
        client,
        temperature=0.5,
        top_p=0.9,
        top_k=40,
        min_p=0.05,
        seed=-1,
        presence_penalty=0.1,
        frequency_penalty=-0.2,
        logit_bias={"50": -100},
        stop=["fin", "\n"],
        logprobs=True,
        top_logprobs=2,
        max_completion_tokens=7,
        max_tokens=9,
        grammar='root ::= "x"',
        user="unknown fields are passed over",
    )
    _, max_tokens, options = engines.talker.asked[0]
    assert max_tokens == 7
    assert options == Options(
        temperature=0.5,
        top_p=0.9,
        top_k=40,
        min_p=0.05,
        seed=2**31 - 1,
        presence_penalty=0.1,
        frequency_penalty=-0.2,
        logit_bias={50: -100.0},
        stop=("fin", "\n"),
        logprobs=2,
        grammar='root ::= "x"',
    )


def test_without_options_those_of_openai_hold(client: TestClient, engines: FakeEngines) -> None:
    ask(client, temperature=None, stop=None, n=1, tools=[], stream=False)
    assert engines.talker.asked[0][1:] == (None, Options(temperature=1.0))


@pytest.mark.parametrize(
    ("asked", "schema"),
    [
        ({"type": "text"}, None),
        ({"type": "json_object"}, "{}"),
        (
            {"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": "object"}}},
            '{"type":"object"}',
        ),
    ],
)
def test_a_response_format_becomes_a_schema(
    client: TestClient, engines: FakeEngines, asked: Any, schema: str | None
) -> None:
    ask(client, response_format=asked)
    given = engines.talker.asked[0][2].json_schema
    assert (given and json.loads(given)) == (schema and json.loads(schema))


def test_log_probabilities_have_the_shape_of_openai(client: TestClient) -> None:
    first = ask(client, logprobs=True, top_logprobs=2)["choices"][0]["logprobs"]["content"][0]
    assert first == {
        "token": "Bon",
        "logprob": -0.25,
        "bytes": [66, 111, 110],
        "top_logprobs": [
            {"token": "Bon", "logprob": -0.25, "bytes": [66, 111, 110]},
            {"token": "�", "logprob": -9999.0, "bytes": [195]},
        ],
    }


def test_a_stream_comes_piece_by_piece(client: TestClient) -> None:
    *chunks, done = events(client, logprobs=True)
    assert done == "[DONE]"
    assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}
    assert len({chunk["id"] for chunk in chunks}) == 1
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks]
    assert deltas[0] == {"role": "assistant", "content": "Bon"}
    assert deltas[1:] == [{"content": "jour "}, {"content": "à tous."}, {}]
    assert [chunk["choices"][0]["finish_reason"] for chunk in chunks] == [None, None, None, "stop"]
    assert [chunk["choices"][0]["logprobs"] is None for chunk in chunks] == [False] * 3 + [True]


def test_a_stream_tells_its_usage_when_asked(client: TestClient) -> None:
    *_, usage, done = events(client, stream_options={"include_usage": True})
    assert done == "[DONE]"
    assert usage["choices"] == []
    assert usage["usage"]["total_tokens"] == 15


def test_a_failure_within_a_stream_is_an_event(client: TestClient, engines: FakeEngines) -> None:
    engines.talker.fails = IntegrityError("It broke.")
    *chunks, last = events(client)
    assert [chunk["choices"][0]["delta"]["content"] for chunk in chunks] == [*engines.talker.pieces]
    assert last["error"]["message"] == "It broke."
    assert last["error"]["code"] == "integrity_error"


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (UsageError("Too long."), 400, None),
        (BusyError("Busy."), 429, "busy"),
        (MissingError("Absent."), 503, "model_missing"),
        (IntegrityError("Damaged."), 500, "integrity_error"),
    ],
)
def test_a_failure_before_the_first_piece_is_a_status(
    client: TestClient,
    engines: FakeEngines,
    error: Exception,
    status: int,
    code: str | None,
    stream: bool,
) -> None:
    engines.talker.pieces = ()
    engines.talker.fails = error
    told = refused(client, status, stream=stream)
    assert (told["message"], told["code"]) == (str(error), code)


def test_a_busy_server_says_when_to_come_back(client: TestClient, engines: FakeEngines) -> None:
    engines.talker.pieces = ()
    engines.talker.fails = BusyError("Busy.")
    answer = client.post(URL, json={"messages": HELLO})
    assert answer.headers["retry-after"] == "1"


def test_what_is_no_error_of_ours_is_told_without_detail(
    client: TestClient, engines: FakeEngines, capsys: pytest.CaptureFixture[str]
) -> None:
    engines.talker.fails = ZeroDivisionError("secret")
    told = refused(client, 500)
    assert "secret" not in told["message"]
    assert "secret" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"messages": []}, "messages"),
        ({"messages": "Bonjour"}, "messages"),
        ({"messages": [{"role": "user"}]}, "messages[0]"),
        ({"messages": [{"role": "user", "content": ""}]}, "messages[0]"),
        ({"messages": [{"role": "queen", "content": "x"}]}, "messages["),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages[0].role"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}]},
            "messages[0].content",
        ),
        ({"temperature": 3}, "temperature"),
        ({"temperature": "1"}, "temperature"),
        ({"top_p": -1}, "top_p"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": 10**12}, "max_tokens"),
        ({"n": 2}, "n"),
        ({"stop": [""]}, "stop"),
        ({"stop": ["x"] * 17}, "stop"),
        ({"logit_bias": {"no number": 1}}, "logit_bias"),
        ({"top_logprobs": 2}, "top_logprobs"),
        ({"top_logprobs": 50, "logprobs": True}, "top_logprobs"),
        ({"tools": [{"type": "function"}]}, "tools"),
        ({"functions": [{}]}, "functions"),
        ({"response_format": {"type": "xml"}}, "response_format.type"),
        ({"response_format": {"type": "json_schema"}}, "response_format"),
        (
            {"response_format": {"type": "json_schema", "json_schema": {"schema": []}}},
            "response_format",
        ),
        ({"response_format": {"type": "json_object"}, "grammar": "root ::= x"}, "grammar"),
    ],
)
def test_a_bad_field_is_refused_by_name(
    client: TestClient, engines: FakeEngines, fields: dict[str, Any], param: str | None
) -> None:
    error = refused(client, 400, **fields)
    assert error["type"] == "invalid_request_error"
    if param is not None:
        assert (error["param"] or "").startswith(param)
    assert engines.talker.asked == []


def test_an_unknown_model_is_not_found(client: TestClient) -> None:
    assert refused(client, 404, model="gpt-9")["code"] == "model_not_found"


def test_a_model_of_another_task_is_not_found(client: TestClient) -> None:
    assert refused(client, 404, model="listener")["code"] == "model_not_found"


def test_a_model_that_is_not_installed_is_missing(client: TestClient) -> None:
    error = refused(client, 503, model="qwen2.5-coder-0.5b-instruct-q4_k_m")
    assert "edge-slm models pull" in error["message"]


def test_errors_speak_french(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGE_SLM_LANG", "fr")
    assert "pris en charge" in refused(client, 400, n=2)["message"]
