"""Embeddings and reranking."""

import base64
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from tests.fakes import DIMENSIONS, FakeEmbedder

from .fakes import EMBED, FakeEngines

URL = "/v1/embeddings"
RERANK = "/v1/rerank"
TEXTS = ["La cantine sert des repas.", "Vingt-cinq jours de congés annuels.", "Le télétravail."]


def test_a_list_gives_a_vector_each_as_passages(client: TestClient, engines: FakeEngines) -> None:
    reply = client.post(URL, json={"input": TEXTS, "model": EMBED}).json()
    assert reply["model"] == EMBED
    assert [row["index"] for row in reply["data"]] == [0, 1, 2]
    vectors = np.array([row["embedding"] for row in reply["data"]], np.float32)
    assert np.array_equal(vectors, FakeEmbedder().embed_passages(TEXTS))
    assert engines.vectors.passages == TEXTS
    assert engines.vectors.queries == []


def test_base64_holds_the_same_numbers(client: TestClient) -> None:
    fields = {"input": "Bonjour", "encoding_format": "base64"}
    (row,) = client.post(URL, json=fields).json()["data"]
    vector = np.frombuffer(base64.b64decode(row["embedding"]), "<f4")
    assert np.array_equal(vector, FakeEmbedder().embed_query("Bonjour"))


def test_questions_are_embedded_as_questions_when_asked(
    client: TestClient, engines: FakeEngines
) -> None:
    answer = client.post(URL, json={"input": ["Qui ?", "Quoi ?"], "input_type": "query"})
    assert len(answer.json()["data"]) == 2
    assert engines.vectors.queries == ["Qui ?", "Quoi ?"]


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"input": ""}, 400),
        ({"input": []}, 400),
        ({"input": ["a", ""]}, 400),
        ({"input": [1, 2]}, 400),
        ({"input": [[1]]}, 400),
        ({"input": ["x"] * 2049}, 400),
        ({"input": "x", "dimensions": 3}, 400),
        ({"input": "x", "encoding_format": "int8"}, 400),
        ({"input": "x", "model": "talker"}, 404),
        ({}, 400),
    ],
)
def test_bad_input_is_refused(client: TestClient, fields: dict[str, Any], status: int) -> None:
    answer = client.post(URL, json=fields)
    assert answer.status_code == status
    assert answer.json()["error"]["message"]


def test_the_right_length_may_be_asked_for(client: TestClient) -> None:
    assert client.post(URL, json={"input": "x", "dimensions": DIMENSIONS}).status_code == 200


@pytest.mark.parametrize(("query", "texts"), [("query", "documents"), ("prompt", "input")])
def test_the_nearest_text_comes_first(client: TestClient, query: str, texts: str) -> None:
    fields = {query: "jours de congés", texts: TEXTS, "top_n": 2}
    reply = client.post(RERANK, json=fields).json()
    assert reply["results"][0]["index"] == 1
    assert len(reply["results"]) == 2
    scores = [row["relevance_score"] for row in reply["results"]]
    assert scores == sorted(scores, reverse=True)
    assert [(row["index"], row["score"]) for row in reply["data"]] == [
        (row["index"], row["relevance_score"]) for row in reply["results"]
    ]


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"query": "x"},
        {"documents": ["x"]},
        {"query": "x", "documents": []},
        {"query": "x", "documents": [""]},
        {"query": "x", "documents": ["y"], "top_n": 0},
    ],
)
def test_ranking_nothing_is_refused(client: TestClient, fields: dict[str, Any]) -> None:
    assert client.post(RERANK, json=fields).status_code == 400
