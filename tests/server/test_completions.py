"""Completions of a text."""

import json
from typing import Any

import pytest
from starlette.testclient import TestClient

from .fakes import CHAT, FakeEngines

URL = "/v1/completions"


def complete(client: TestClient, **fields: Any) -> Any:
    """Send a request that succeeds, and return its JSON."""
    answer = client.post(URL, json={"prompt": "Il était"} | fields)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_text_is_gone_on_with(client: TestClient, engines: FakeEngines) -> None:
    reply = complete(client, model=CHAT, max_tokens=5, prompt=["Il était"])
    assert reply["object"] == "text_completion"
    (choice,) = reply["choices"]
    assert choice == {
        "index": 0,
        "text": "Bonjour à tous.",
        "finish_reason": "stop",
        "logprobs": None,
    }
    assert engines.talker.asked[0][:2] == ("Il était", 5)
    assert reply["usage"]["total_tokens"] == 15


def test_log_probabilities_have_the_older_shape(client: TestClient) -> None:
    told = complete(client, logprobs=1)["choices"][0]["logprobs"]
    assert told["tokens"] == ["Bon", "jour ", "à tous."]
    assert told["token_logprobs"] == [-0.25] * 3
    assert told["top_logprobs"][0] == {"Bon": -0.25}
    assert told["text_offset"] == [0, 3, 8]


def test_a_stream_comes_piece_by_piece(client: TestClient) -> None:
    fields = {"stream": True, "logprobs": 0, "stream_options": {"include_usage": True}}
    answer = client.post(URL, json={"prompt": "Il était"} | fields)
    rows = [row.removeprefix("data: ") for row in answer.text.split("\n\n") if row]
    assert rows.pop() == "[DONE]"
    *chunks, usage = [json.loads(row) for row in rows]
    assert [chunk["choices"][0]["text"] for chunk in chunks] == ["Bon", "jour ", "à tous.", ""]
    offsets = [c["choices"][0]["logprobs"]["text_offset"] for c in chunks[:-1]]
    assert offsets == [[0], [3], [8]]
    assert chunks[-1]["choices"][0]["finish_reason"] == "stop"
    assert usage["usage"]["completion_tokens"] == 3


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"prompt": ""}, 400),
        ({"prompt": []}, 400),
        ({"prompt": [1, 2, 3]}, 400),
        ({"prompt": ["a", "b"]}, 400),
        ({"prompt": None}, 400),
        ({"echo": True}, 400),
        ({"suffix": "fin"}, 400),
        ({"best_of": 3}, 400),
        ({"n": 2}, 400),
        ({"logprobs": 6}, 400),
        ({"model": "edge-slm"}, 404),
    ],
)
def test_what_cannot_be_done_is_refused(
    client: TestClient, engines: FakeEngines, fields: dict[str, Any], status: int
) -> None:
    answer = client.post(URL, json={"prompt": "Il était"} | fields)
    assert answer.status_code == status
    assert answer.json()["error"]["message"]
    assert engines.talker.asked == []
