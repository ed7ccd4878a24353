"""Bodies that no client in good faith sends."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from edge_slm.server import app
from edge_slm.server.errors import Refused
from edge_slm.server.exchange import Call, Upload, read
from edge_slm.server.routes import ROUTES
from edge_slm.server.schemas import ChatBody, CompletionBody
from edge_slm.server.uploads import upload_of

from .fakes import FakeEngines

POSTS = [route.path for route in ROUTES if route.method == "POST" and not route.form]
JSON = {"content-type": "application/json"}

HOSTILE = [
    b"",
    b"null",
    b"[]",
    b'"text"',
    b"{",
    b'{"messages": [',
    b"\xff\xfe",
    b'{"a": "\xff"}',
    b'{"messages": "\\ud800"}',
    b'{"temperature": NaN, "messages": []}',
    b'{"temperature": 1e999, "messages": [{"role": "user", "content": "x"}]}',
    b'{"max_tokens": ' + b"9" * 5000 + b"}",
    b"[" * 100_000,
    b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    b'{"messages": [{"role": "user", "content": [' + b'{"type": "text"},' * 1000,
    json.dumps({"messages": [{"role": "user", "content": "x"}] * 2001}).encode(),
]


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize("body", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_body_is_one_sentence(
    client: TestClient, engines: FakeEngines, path: str, body: bytes
) -> None:
    answer = client.post(path, content=body, headers=JSON)
    assert answer.status_code == 400, answer.text
    message = answer.json()["error"]["message"]
    assert message
    assert "\n" not in message
    assert len(message) < 1000
    assert engines.talker.asked == []


@pytest.mark.parametrize("told", [True, False])
def test_a_body_that_is_too_large_is_refused(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, told: bool
) -> None:
    monkeypatch.setattr(app, "LONGEST_BODY", 1000)
    body = b" " * 1001
    content: Any = body if told else iter([body[:600], body[600:]])
    answer = client.post("/v1/chat/completions", content=content)
    assert answer.status_code == 413
    assert answer.json()["error"]["code"] == "too_large"


def test_an_unknown_path_and_a_wrong_method_have_the_shape_of_errors(client: TestClient) -> None:
    missing = client.get("/v2/models")
    assert (missing.status_code, missing.json()["error"]["param"]) == (404, None)
    wrong = client.get("/v1/chat/completions")
    assert wrong.status_code == 405
    assert wrong.headers["allow"] == "POST"
    assert wrong.json()["error"]["message"]


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)
FIELDS = st.sampled_from([*ChatBody.__struct_fields__, *CompletionBody.__struct_fields__, "other"])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(fields=st.dictionaries(FIELDS, json_values, max_size=5), path=st.sampled_from(POSTS))
def test_any_json_object_is_answered_or_refused(
    client: TestClient, fields: dict[str, Any], path: str
) -> None:
    if path == "/v1/collections":
        return  # it would fill the disk with bases
    answer = client.post(path, json=fields)
    assert answer.status_code in (200, 400, 404, 503), answer.text


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        body = read(data, ChatBody)
    except Refused as error:
        assert error.status == 400
    else:
        assert body.messages


@given(st.text(max_size=300))
def test_the_name_of_an_upload_is_a_name_or_refused(name: str) -> None:
    call = Call(upload=Upload(name, None))  # type: ignore[arg-type]
    try:
        kept = upload_of(call).name
    except Refused as error:
        assert error.status == 400
    else:
        assert kept == kept.strip()
        assert not kept.startswith(".")
        assert not set(kept) & set("/\\\0\n")
