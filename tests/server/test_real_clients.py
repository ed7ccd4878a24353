"""Real clients against the installed `edge-slm serve` on real models: openai, llm, curl."""

import base64
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from edge_slm.profiles import PROFILES
from edge_slm.store import Store
from tests.e2e.runner import AUDIO, HANDBOOK, Runner, home_with_models

pytestmark = pytest.mark.model

SMALLEST = "smollm2-135m-instruct-q4_1"
EMBED = "multilingual-e5-small-q4_0"
SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string", "maxLength": 20}, "people": {"type": "integer"}},
    "required": ["city", "people"],
    "additionalProperties": False,
}
LONG = "The quick brown fox jumps over the lazy dog near the town hall. " * 200


@dataclass(frozen=True)
class Running:
    """A server in a process of its own."""

    process: "subprocess.Popen[str]"
    address: str
    said: list[str]

    @property
    def v1(self) -> str:
        """The base address for clients."""
        return f"{self.address}/v1"

    def workers(self) -> list[psutil.Process]:
        """Return the processes of its models."""
        return psutil.Process(self.process.pid).children(recursive=True)


def chat_model() -> str:
    """Return the smallest chat model that is installed."""
    return SMALLEST if Store().installed(SMALLEST) else PROFILES["lite"][0]


def start(home: Path, *arguments: str, **environment: str) -> Running:
    """Start a server on a free port, and wait until it listens."""
    runner = Runner(home)
    process = subprocess.Popen(
        [runner.executable, "serve", "--port", "0", "--model", chat_model(), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        env=runner.environment(environment),
    )
    assert process.stderr
    said = []
    for line in process.stderr:
        said.append(line)
        if line.startswith("Listening on "):
            return Running(process, line.split()[2].removesuffix("/v1"), said)
    raise AssertionError(said)


def end(server: Running, number: int = signal.SIGINT) -> tuple[int, str, str]:
    """End a server; return its exit code, and what it printed since it listens."""
    workers = server.workers() if server.process.poll() is None else []
    server.process.send_signal(number)
    out, err = server.process.communicate()
    _, alive = psutil.wait_procs(workers, timeout=60)
    assert alive == []
    return server.process.returncode, out, err


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the user's models and one small base."""
    folder = home_with_models(tmp_path_factory.mktemp("server") / "home")
    run = Runner(folder)
    assert run("kb", "create", "rh").returncode == 0
    added = run("kb", "add", "rh", HANDBOOK / "conge-paternite.md")
    assert added.returncode == 0, added.stderr
    return folder


@pytest.fixture(scope="module")
def server(home: Path) -> Iterator[Running]:
    """A server that the tests share."""
    running = start(home)
    yield running
    code, out, err = end(running)
    assert (code, out, err) == (0, "", "Stopped.\n")


@pytest.fixture(scope="module")
def openai(server: Running) -> Any:
    """The client of the openai package."""
    import openai

    return openai.OpenAI(base_url=server.v1, api_key="unused", max_retries=0)


def hello(text: str = "Say hello.") -> Any:
    """Return the messages of a chat."""
    return [{"role": "user", "content": text}]


def test_openai_lists_the_models(openai: Any) -> None:
    names = [model.id for model in openai.models.list()]
    assert names[0] == "edge-slm"
    assert {chat_model(), EMBED, "whisper-base"} <= set(names)
    assert openai.models.retrieve(EMBED).id == EMBED


def test_openai_chats_and_streams_the_same_words(openai: Any) -> None:
    fields: Any = {"model": chat_model(), "messages": hello(), "temperature": 0, "max_tokens": 12}
    whole = openai.chat.completions.create(**fields)
    text = whole.choices[0].message.content
    assert text
    assert whole.usage.total_tokens == whole.usage.prompt_tokens + whole.usage.completion_tokens
    assert 0 < whole.usage.completion_tokens <= 12
    options = {"include_usage": True}
    chunks = list(openai.chat.completions.create(**fields, stream=True, stream_options=options))
    pieces = [chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices]
    assert "".join(pieces) == text
    assert len([piece for piece in pieces if piece]) > 1
    assert chunks[-1].usage.completion_tokens == whole.usage.completion_tokens
    assert chunks[-2].choices[0].finish_reason == whole.choices[0].finish_reason


def test_openai_stops_at_a_text(openai: Any) -> None:
    fields: Any = {"model": chat_model(), "messages": hello("Count from 1 to 20."), "seed": 1}
    fields |= {"temperature": 0, "max_tokens": 30}
    whole = openai.chat.completions.create(**fields).choices[0].message.content
    stop = whole[5:8]
    cut = openai.chat.completions.create(**fields, stop=[stop]).choices[0]
    assert cut.message.content == whole[: whole.index(stop)]
    assert cut.finish_reason == "stop"


def test_openai_repeats_a_seed(openai: Any) -> None:
    def write(seed: int) -> str:
        reply = openai.chat.completions.create(
            model=chat_model(), messages=hello("Tell a tale."), seed=seed, max_tokens=24
        )
        return str(reply.choices[0].message.content)

    assert write(7) == write(7)
    assert len({write(seed) for seed in range(1, 5)}) > 1


def test_openai_reads_log_probabilities(openai: Any) -> None:
    reply = openai.chat.completions.create(
        model=chat_model(),
        messages=hello(),
        temperature=0,
        max_tokens=6,
        logprobs=True,
        top_logprobs=3,
    )
    tokens = reply.choices[0].logprobs.content
    assert len(tokens) == reply.usage.completion_tokens
    for token in tokens:
        assert token.logprob <= 0
        assert len(token.top_logprobs) == 3
        assert token.top_logprobs[0].logprob == max(top.logprob for top in token.top_logprobs)
        assert token.token == token.top_logprobs[0].token  # temperature 0
    written = b"".join(bytes(token.bytes) for token in tokens).decode("utf-8", "replace")
    assert written.strip().startswith(reply.choices[0].message.content.strip()[:3])


def test_openai_gets_json_of_its_schema(openai: Any) -> None:
    reply = openai.chat.completions.create(
        model=chat_model(),
        messages=hello("Paris has two million people. Answer as JSON."),
        max_tokens=80,
        seed=3,
        response_format={"type": "json_schema", "json_schema": {"name": "town", "schema": SCHEMA}},
    )
    assert reply.choices[0].finish_reason == "stop"
    town = json.loads(reply.choices[0].message.content)
    assert set(town) == {"city", "people"}
    assert isinstance(town["people"], int)


def test_a_grammar_holds(openai: Any) -> None:
    reply = openai.chat.completions.create(
        model=chat_model(),
        messages=hello(),
        max_tokens=10,
        extra_body={"grammar": 'root ::= "oui" | "non"'},
    )
    assert reply.choices[0].message.content in ("oui", "non")


def test_openai_completes_a_text(openai: Any) -> None:
    reply = openai.completions.create(
        model=chat_model(), prompt="1, 2, 3, 4,", max_tokens=6, temperature=0, logprobs=2
    )
    (choice,) = reply.choices
    assert "5" in choice.text
    assert len(choice.logprobs.tokens) == reply.usage.completion_tokens


def test_openai_embeds(openai: Any) -> None:
    texts = ["Les congés annuels.", "Les vacances de l'agent.", "Un moteur à explosion."]
    rows = [
        openai.embeddings.create(model=EMBED, input=texts, encoding_format=form).data
        for form in ("float", "base64")
    ]
    plain = np.array([row.embedding for row in rows[0]], np.float32)
    assert plain.shape == (3, 384)
    assert np.allclose(np.linalg.norm(plain, axis=1), 1, atol=1e-4)
    coded = [np.frombuffer(base64.b64decode(r.embedding), "<f4") for r in rows[1]]
    assert np.array_equal(plain, np.array(coded))
    assert plain[0] @ plain[1] > plain[0] @ plain[2]
    # The client's own default asks for base64 and decodes it.
    own = np.array(openai.embeddings.create(model=EMBED, input=texts[0]).data[0].embedding)
    assert np.allclose(own, plain[0], atol=1e-6)


def test_openai_transcribes(openai: Any) -> None:
    with (AUDIO / "question.flac").open("rb") as file:
        reply = openai.audio.transcriptions.create(model="whisper-base", file=file, language="fr")
    assert "congé" in reply.text.lower()
    with (AUDIO / "question.flac").open("rb") as file:
        subtitles = openai.audio.transcriptions.create(
            model="whisper-base", file=file, response_format="srt"
        )
    assert " --> " in subtitles


def test_openai_asks_the_assistant(openai: Any) -> None:
    reply = openai.chat.completions.create(
        model="edge-slm",
        messages=hello("Combien de jours dure le congé de paternité pour des jumeaux ?"),
    )
    text = reply.choices[0].message.content
    assert "32" in text
    assert "Sources :" in text
    assert reply.sources[0]["document"] == "conge-paternite.md"


def test_openai_meets_its_own_errors(openai: Any) -> None:
    import openai as package

    with pytest.raises(package.NotFoundError, match="gpt-4o"):
        openai.chat.completions.create(model="gpt-4o", messages=hello())
    with pytest.raises(package.BadRequestError, match="tools"):
        openai.chat.completions.create(
            model=chat_model(), messages=hello(), tools=[{"type": "function"}]
        )
    with pytest.raises(package.BadRequestError) as raised:
        openai.chat.completions.create(model=chat_model(), messages=hello(), max_tokens=100_000)
    assert "4096" in str(raised.value)
    with pytest.raises(package.BadRequestError):
        openai.audio.transcriptions.create(model="whisper-base", file=("a.wav", b"no sound"))


def test_llm_talks_to_it(server: Running, tmp_path: Path) -> None:
    models = [{"model_id": "device", "model_name": chat_model(), "api_base": server.v1}]
    (tmp_path / "extra-openai-models.yaml").write_text(json.dumps(models))  # JSON is YAML
    asked = ["-m", "device", "-o", "max_tokens", "8", "-o", "temperature", "0", "Say hello."]
    replies = []
    for more in ([], ["--no-stream"]):
        done = subprocess.run(
            [sys.executable, "-m", "llm", "prompt", *asked, *more, "--no-log"],
            env=os.environ | {"LLM_USER_PATH": str(tmp_path)},
            capture_output=True,
            encoding="utf-8",
            stdin=subprocess.DEVNULL,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        replies.append(done.stdout.strip())
    assert replies[0]
    assert replies[0] == replies[1]


def curl(*arguments: str) -> list[str]:
    """Return a curl command line; the test is passed over where there is no curl."""
    found = shutil.which("curl")
    if found is None:
        pytest.skip("curl is not installed")
    return [found, "--silent", "--show-error", "--no-buffer", *arguments]


def body(**fields: Any) -> str:
    """Return the body of a chat."""
    return json.dumps({"model": chat_model(), "messages": hello(), "temperature": 0} | fields)


def test_curl_reads_a_stream(server: Running) -> None:
    url = f"{server.v1}/chat/completions"
    done = subprocess.run(
        curl(url, "--data", body(stream=True, max_tokens=5)), capture_output=True, check=True
    )
    rows = done.stdout.decode().strip().split("\n\n")
    assert rows.pop() == "data: [DONE]"
    assert all(json.loads(row.removeprefix("data: "))["choices"] for row in rows)


def figures(server: Running) -> dict[str, float]:
    """Return the figures that the server tells."""
    from urllib.request import urlopen

    text = urlopen(f"{server.address}/metrics").read().decode()
    rows = (line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, value in rows}


def state(server: Running, model: str) -> str:
    """Return what a model does."""
    rows = [name for name in figures(server) if name.startswith("edge_slm_workers{")]
    return next((r.split('state="')[1].rstrip('"}') for r in rows if f'"{model}"' in r), "absent")


def wait_until(what: Any) -> None:
    """Wait until `what()` holds; a run that never gets there is ended by whoever runs it."""
    while not what():
        time.sleep(0.02)


@pytest.mark.parametrize("stream", [False, True])
def test_curl_that_leaves_while_the_prompt_is_read_stops_the_model(
    server: Running, stream: bool
) -> None:
    subprocess.run(  # so that the model is loaded
        curl(f"{server.v1}/chat/completions", "--data", body(max_tokens=1)),
        check=True,
        capture_output=True,
    )
    before = figures(server)
    long = body(messages=hello(f"{stream} {LONG}"), stream=stream)
    client = subprocess.Popen(
        curl(f"{server.v1}/chat/completions", "--data", long), stdout=subprocess.PIPE
    )
    wait_until(lambda: state(server, chat_model()) == "busy")
    client.kill()
    out, _ = client.communicate()
    assert out == b""  # nothing was written yet
    wait_until(lambda: state(server, chat_model()) != "busy")
    after = figures(server)
    assert after["edge_slm_stops_total"] == before["edge_slm_stops_total"] + 1
    written = 'edge_slm_tokens_total{kind="completion"}'
    assert after[written] == before[written]
    idle = {worker.pid: worker.cpu_times().user for worker in server.workers()}
    time.sleep(0.3)
    for worker in server.workers():
        assert worker.cpu_times().user - idle[worker.pid] < 0.1


def test_curl_that_leaves_within_a_reply_stops_the_model(server: Running) -> None:
    before = figures(server)
    url = f"{server.v1}/chat/completions"
    fields = {"messages": hello("Write a very long tale."), "stream": True}
    client = subprocess.Popen(curl(url, "--data", body(**fields)), stdout=subprocess.PIPE)
    assert client.stdout
    assert client.stdout.readline().startswith(b"data: ")
    client.kill()
    client.communicate()
    wait_until(lambda: state(server, chat_model()) != "busy")
    assert figures(server)["edge_slm_stops_total"] == before["edge_slm_stops_total"] + 1


def test_the_model_answers_again_after_a_stop(openai: Any) -> None:
    reply = openai.chat.completions.create(
        model=chat_model(), messages=hello(), temperature=0, max_tokens=5
    )
    assert reply.choices[0].message.content


def test_a_collection_is_made_filled_searched_and_removed(server: Running) -> None:
    import httpx2

    with httpx2.Client(base_url=server.v1, timeout=None) as client:
        made = client.post("/collections", json={"name": "essai"})
        assert made.status_code == 201
        number = made.json()["id"]
        with (HANDBOOK / "titres-restaurant.md").open("rb") as file:
            files = {"file": ("titres-restaurant.md", file)}
            added = client.post("/documents", files=files, data={"collection": str(number)})
        assert added.status_code == 201, added.text
        fields = {"prompt": "Quelle est la valeur du titre-restaurant ?"}
        found = client.post("/search", json=fields | {"collections": [number], "limit": 1}).json()
        assert found["data"][0]["chunk"]["metadata"]["document"] == "titres-restaurant.md"
        chat = client.post(
            "/chat/completions",
            json={
                "model": chat_model(),
                "messages": hello(fields["prompt"]),
                "search": True,
                "search_args": {"collections": ["essai"], "k": 1},
                "max_tokens": 3,
            },
        )
        assert chat.json()["search_results"] == found["data"]
        assert client.delete(f"/collections/{number}").status_code == 204


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_in_order_while_it_writes(home: Path, number: int) -> None:
    running = start(home)
    url = f"{running.v1}/chat/completions"
    long = body(messages=hello("Write a very long tale."), stream=True)
    client = subprocess.Popen(curl(url, "--data", long), stdout=subprocess.PIPE)
    assert client.stdout
    assert client.stdout.readline().startswith(b"data: ")
    assert end(running, number) == (0, "", "Stopped.\n")
    out, _ = client.communicate()
    assert b'"code":"stopped"' in out


def test_a_token_is_asked_for(home: Path) -> None:
    import openai

    running = start(home, EDGE_SLM_TOKEN="s3cret")
    try:
        right = openai.OpenAI(base_url=running.v1, api_key="s3cret", max_retries=0)
        assert right.models.list().data
        wrong = openai.OpenAI(base_url=running.v1, api_key="other", max_retries=0)
        with pytest.raises(openai.AuthenticationError):
            wrong.models.list()
    finally:
        end(running)


def own_address() -> str:
    """Return an address of this machine that others can reach; else the test is passed over."""
    for rows in psutil.net_if_addrs().values():
        for row in rows:
            if row.family == socket.AF_INET and not row.address.startswith("127."):
                return row.address
    pytest.skip("this machine has no address but loopback")


def test_others_are_served_when_it_is_wanted(home: Path) -> None:
    address = own_address()
    running = start(home, "--host", "0.0.0.0", "--allow-remote")
    try:
        assert sum(line.startswith("Warning: ") for line in running.said) == 2
        port = running.address.rpartition(":")[2]
        # A process of its own: the guard against connections may be on in this one.
        asked = curl("--fail", "--noproxy", "*", f"http://{address}:{port}/v1/models")
        done = subprocess.run(asked, capture_output=True, check=True)
        assert json.loads(done.stdout)["data"]
    finally:
        end(running)
