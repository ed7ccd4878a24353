"""Passages put into a chat: Albert's `search` and `search_args`."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from edge_slm.kb.search import Hit
from edge_slm.server.templates import with_passages
from tests.kb.samples import LEAVE

from .fakes import FakeEngines
from .test_chat import ask, events, refused

QUESTION = [{"role": "user", "content": "Combien de jours de congés annuels ?"}]
HIT = Hit("rh", 1, "conges.md", "Congés", 1, "", "{prompt} et {chunks}", 1.0)


@pytest.mark.usefixtures("base")
def test_passages_go_into_the_question(client: TestClient, engines: FakeEngines) -> None:
    reply = ask(client, messages=QUESTION, search=True, search_args={"k": 1})
    prompt, _, _ = engines.talker.asked[0]
    assert not isinstance(prompt, str)
    (message,) = prompt
    assert LEAVE in message.content
    assert QUESTION[0]["content"] in message.content
    (found,) = reply["search_results"]
    assert found["chunk"]["content"] == LEAVE
    assert found["method"] == "hybrid"


@pytest.mark.usefixtures("base")
def test_a_stream_tells_its_passages_at_the_end(client: TestClient) -> None:
    *_, last, done = events(client, messages=QUESTION, search=True)
    assert done == "[DONE]"
    assert len(last["search_results"]) == 3


@pytest.mark.usefixtures("base")
@pytest.mark.parametrize(
    ("args", "status"),
    [
        ({"template": "no field"}, 400),
        ({"template": "{prompt} only"}, 400),
        ({"collections": ["absent"]}, 404),
        ({"collections": [7]}, 404),
        ({"k": 0}, 400),
        ({"limit": 201}, 400),
        ({"method": "magic"}, 400),
    ],
)
def test_bad_arguments_are_refused(
    client: TestClient, engines: FakeEngines, args: Any, status: int
) -> None:
    refused(client, status, messages=QUESTION, search=True, search_args=args)
    assert engines.talker.asked == []


def test_without_a_collection_there_is_nothing_to_search(client: TestClient) -> None:
    assert refused(client, 404, messages=QUESTION, search=True)["code"] == "collection_not_found"


def test_a_passage_that_looks_like_a_template_is_left_as_it_is() -> None:
    text = with_passages("{chunks} ?", [HIT], "Q: {prompt}\nC: {chunks}")
    assert text == "Q: {chunks} ?\nC: [1] Congés\n{prompt} et {chunks}"


@given(st.text(), st.text())
def test_any_template_with_both_fields_is_filled(before: str, question: str) -> None:
    template = before.replace("{", "(") + "{prompt}{0.__class__}{chunks}"
    text = with_passages(question, [], template)
    assert text == before.replace("{", "(") + question + "{0.__class__}"
