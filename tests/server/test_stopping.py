"""A computation ends with its request: the client left, the time is up, the server ends."""

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from edge_slm.server.app import Server, build, stream
from edge_slm.server.exchange import END, Reply
from edge_slm.server.jobs import Emit, Job

from .fakes import WAIT_S, FakeEngines, wait_for_ever

CHAT = {"messages": [{"role": "user", "content": "x"}]}
FORM = (
    b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\nRIFF\r\n--x--\r\n'
)

Test = Callable[["Client"], Awaitable[None]]


class Client:
    """One request to an ASGI application, whose client can leave."""

    def __init__(self, server: Server, path: str, body: bytes, kind: str) -> None:
        """Send it, within the event loop."""
        self.sent: list[dict[str, Any]] = []
        self.gone = asyncio.Event()
        self._body: bytes | None = body
        self._first = asyncio.Event()
        scope = {
            "type": "http",
            "method": "POST",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": [(b"host", b"127.0.0.1"), (b"content-type", kind.encode())],
        }
        self._app = asyncio.ensure_future(build(server)(scope, self._receive, self._send))

    async def _receive(self) -> dict[str, Any]:
        if self._body is not None:
            body, self._body = self._body, None
            return {"type": "http.request", "body": body, "more_body": False}
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        self.sent.append(message)
        if message["type"] == "http.response.body":
            self._first.set()

    async def end(self) -> None:
        """Wait for the application to end."""
        await asyncio.wait_for(self._app, WAIT_S)

    async def first_piece(self) -> None:
        """Wait for the first piece of the reply."""
        await asyncio.wait_for(self._first.wait(), WAIT_S)

    @property
    def text(self) -> str:
        """The body received so far."""
        return b"".join(m.get("body", b"") for m in self.sent).decode()


def run(server: Server, test: Test, path: str = "/v1/chat/completions", **fields: Any) -> None:
    """Run a test against one request."""

    async def main() -> None:
        if path.endswith("transcriptions"):
            client = Client(server, path, FORM, "multipart/form-data; boundary=x")
        else:
            client = Client(server, path, json.dumps(CHAT | fields).encode(), "application/json")
        await test(client)

    asyncio.run(main())


async def happens(event: threading.Event) -> None:
    """Wait for something in another thread."""
    assert await asyncio.to_thread(event.wait, WAIT_S)


def stops(server: Server) -> bool:
    """Return whether the figures tell of one stop."""
    return "edge_slm_stops_total 1" in list(server.site.metrics.lines())


@pytest.mark.parametrize("stream", [False, True])
def test_a_client_that_leaves_before_the_first_word_stops_the_reading(
    server: Server, engines: FakeEngines, stream: bool
) -> None:
    engines.talker.waits = 0

    async def leave(client: Client) -> None:
        await happens(engines.talker.begun)
        assert not engines.talker.ended.is_set()
        client.gone.set()
        await happens(engines.talker.ended)
        await client.end()
        assert stops(server)

    run(server, leave, stream=stream)


@pytest.mark.parametrize("stream", [False, True])
def test_a_client_that_leaves_within_a_reply_stops_the_writing(
    server: Server, engines: FakeEngines, stream: bool
) -> None:
    engines.talker.waits = 2

    async def leave(client: Client) -> None:
        await happens(engines.talker.begun)
        if stream:
            await client.first_piece()
        client.gone.set()
        await happens(engines.talker.ended)
        await client.end()
        assert stops(server)
        tokens = [line for line in server.site.metrics.lines() if 'kind="completion"' in line]
        assert tokens == ['edge_slm_tokens_total{kind="completion"} 2']

    run(server, leave, stream=stream)


def test_a_client_that_leaves_stops_an_engine_that_never_waits(
    server: Server, engines: FakeEngines
) -> None:
    engines.talker.pieces = ("x",) * 10_000_000

    async def leave(client: Client) -> None:
        await client.first_piece()
        client.gone.set()
        await happens(engines.talker.ended)
        await client.end()

    run(server, leave, stream=True)


def test_a_client_that_leaves_stops_a_transcription(server: Server, engines: FakeEngines) -> None:
    engines.listener.waits = True

    async def leave(client: Client) -> None:
        while not engines.listener.heard:
            await asyncio.sleep(0.01)
        client.gone.set()
        await client.end()
        assert stops(server)
        assert not engines.listener.heard[0][0].exists()

    run(server, leave, "/v1/audio/transcriptions")


def test_a_client_that_leaves_the_assistant_stops_it(server: Server, engines: FakeEngines) -> None:
    engines.talker.waits = 1
    asked = [{"role": "user", "content": "Traduis en anglais : Bonjour à tous."}]

    async def leave(client: Client) -> None:
        await happens(engines.talker.begun)
        client.gone.set()
        await happens(engines.talker.ended)
        await client.end()

    run(server, leave, model="edge-slm", messages=asked, stream=True)


def test_a_client_that_leaves_while_it_sends_is_no_error(
    server: Server, engines: FakeEngines, capsys: pytest.CaptureFixture[str]
) -> None:
    async def leave(client: Client) -> None:
        client.gone.set()
        await client.end()

    async def main() -> None:
        client = Client(server, "/v1/chat/completions", b"", "application/json")
        client._body = None  # nothing is sent
        await leave(client)

    asyncio.run(main())
    assert engines.talker.asked == []
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("stream", [False, True])
def test_a_request_over_its_time_is_stopped(
    server: Server, engines: FakeEngines, stream: bool
) -> None:
    engines.talker.waits = 0
    server.site = replace(server.site, timeout=0.05)

    async def wait(client: Client) -> None:
        await client.end()
        assert client.sent[0]["status"] == 504
        assert json.loads(client.text)["error"]["code"] == "timeout"
        await happens(engines.talker.ended)
        assert stops(server)

    run(server, wait, stream=stream)


def test_a_stream_over_its_time_ends_with_an_error(server: Server) -> None:
    ended = threading.Event()
    sent: list[Any] = []

    def work(emit: Emit) -> Reply:
        emit(b"data: first\n\n")
        try:
            wait_for_ever()
        finally:
            ended.set()
        return END

    async def send(message: Any) -> None:
        sent.append(message)

    async def main() -> None:
        job = Job(work)
        first = await job.next()
        assert isinstance(first, bytes)
        over = asyncio.get_running_loop().time()
        watcher = asyncio.ensure_future(asyncio.sleep(0))
        await stream(job, server, over, watcher, first, {}, asyncio.Future, send)
        await happens(ended)

    asyncio.run(main())
    assert [message.get("status") for message in sent] == [200, None, None]
    assert sent[1]["body"] == b"data: first\n\n"
    assert json.loads(sent[2]["body"].removeprefix(b"data: "))["error"]["code"] == "timeout"


@pytest.mark.parametrize("waits", [0, 1])
def test_when_the_server_ends_what_is_under_way_is_stopped(
    server: Server, engines: FakeEngines, waits: int
) -> None:
    engines.talker.waits = waits

    async def end(client: Client) -> None:
        await happens(engines.talker.begun)
        if waits:
            await client.first_piece()
        server.stop_all()
        await client.end()
        await happens(engines.talker.ended)
        assert client.sent[0]["status"] == (200 if waits else 499)
        assert '"code":"stopped"' in client.text

    run(server, end, stream=True)


def test_a_request_that_is_answered_leaves_no_thread(server: Server) -> None:
    async def answered(client: Client) -> None:
        await client.end()
        assert client.sent[0]["status"] == 200

    before = threading.active_count()
    for _ in range(5):
        run(server, answered)
    for thread in threading.enumerate():
        if thread.name == "request":
            thread.join(WAIT_S)
    assert threading.active_count() <= before
    assert len(server.jobs) <= 1
