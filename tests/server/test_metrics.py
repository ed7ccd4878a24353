"""Health, figures, models."""

import re

from starlette.testclient import TestClient

from edge_slm.server.metrics import Histogram

from .fakes import CHAT, EMBED, SPEECH
from .test_chat import ask, refused

LINE = re.compile(
    r'[a-z_]+(\{[a-z_]+="([^"\\\n]|\\.)*"(,[a-z_]+="([^"\\\n]|\\.)*")*\})? -?[0-9.e+-]+'
)


def figures(client: TestClient) -> dict[str, float]:
    """Return the figures; each line must be of Prometheus' format."""
    answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    rows = [line for line in answer.text.splitlines() if not line.startswith("#")]
    assert [row for row in rows if not LINE.fullmatch(row)] == []
    pairs = [row.rsplit(" ", 1) for row in rows]
    assert len({name for name, _ in pairs}) == len(pairs)
    return {name: float(value) for name, value in pairs}


def test_health_is_told(client: TestClient) -> None:
    assert client.get("/health").json()["status"] == "ok"


def test_requests_and_tokens_are_counted(client: TestClient) -> None:
    ask(client)
    ask(client)
    refused(client, 400, n=2)
    client.get("/nowhere/../etc")
    found = figures(client)
    chat = 'method="POST",route="/v1/chat/completions"'
    assert found[f'edge_slm_requests_total{{{chat},status="200"}}'] == 2
    assert found[f'edge_slm_requests_total{{{chat},status="400"}}'] == 1
    other = 'method="other",route="other",status="404"'
    assert found[f"edge_slm_requests_total{{{other}}}"] == 1
    assert found['edge_slm_tokens_total{kind="prompt"}'] == 24
    assert found['edge_slm_tokens_total{kind="cached"}'] == 8
    assert found['edge_slm_tokens_total{kind="completion"}'] == 6
    assert found["edge_slm_first_token_seconds_count"] == 2
    assert found['edge_slm_request_seconds_count{route="/v1/chat/completions"}'] == 3
    assert found["edge_slm_requests_running"] == 1  # this one
    assert found["edge_slm_stops_total"] == 0


def test_what_replies_cost_is_added_up_by_method(client: TestClient) -> None:
    ask(client)
    once = figures(client)
    ask(client)
    twice = figures(client)
    joules = 'edge_slm_joules_total{method="estimate"}'
    assert 0 < once[joules] < twice[joules]
    assert 0 < once["edge_slm_cpu_seconds_total"] < twice["edge_slm_cpu_seconds_total"]


def test_the_memory_budget_is_told(client: TestClient) -> None:
    found = figures(client)
    assert found["edge_slm_budget_bytes"] == 3_000_000
    assert found["edge_slm_used_bytes"] > 1_000_000  # this process, at least


def test_a_histogram_counts_what_is_under_each_bound() -> None:
    histogram = Histogram()
    for seconds in (0.01, 0.1, 7.0, 1e6):
        histogram.add(seconds)
    lines = dict(line.rsplit(" ", 1) for line in histogram.lines("t"))
    assert lines['t_bucket{le="0.05"}'] == "1"
    assert lines['t_bucket{le="0.1"}'] == "2"
    assert lines['t_bucket{le="10"}'] == "3"
    assert lines['t_bucket{le="+Inf"}'] == lines["t_count"] == "4"
    assert float(lines["t_sum"]) == 1000007.11


def test_the_models_of_the_machine_are_listed(client: TestClient) -> None:
    rows = client.get("/v1/models").json()["data"]
    kinds = {row["id"]: row["type"] for row in rows}
    assert rows[0]["id"] == "edge-slm"
    assert kinds == {
        "edge-slm": "text-generation",
        CHAT: "text-generation",
        SPEECH: "automatic-speech-recognition",
        EMBED: "text-embeddings-inference",
    }
    for row in rows:
        assert client.get(f"/v1/models/{row['id']}").json() == row
        assert row["object"] == "model"


def test_a_model_that_is_not_here_is_not_found(client: TestClient) -> None:
    answer = client.get("/v1/models/qwen2.5-coder-0.5b-instruct-q4_k_m")
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "model_not_found"
