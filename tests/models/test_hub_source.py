"""The hub source, against a server on loopback that answers as the hub does."""

import hashlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from edge_slm import paths
from edge_slm.cards import HubSource, write_card

COMMIT = "c" * 40
DATA = bytes(range(256)) * 100_000
HALF = 20 << 20


class Hub(BaseHTTPRequestHandler):
    """Serves /some/model/resolve/COMMIT/NAME; keeps what was asked for."""

    protocol_version = "HTTP/1.1"
    files: ClassVar[dict[str, bytes]] = {}
    asked: ClassVar[list[tuple[str, str | None]]] = []
    # Where an answer stops, and what it then waits for before it hangs up.
    cut_at: int | None = None
    cut = threading.Event()

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def _answer(self, *, with_body: bool) -> None:
        prefix = f"/some/model/resolve/{COMMIT}/"
        name = self.path.removeprefix(prefix)
        if not self.path.startswith(prefix) or name not in self.files:
            self.send_response(404)
            self.send_header("X-Error-Code", "EntryNotFound")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        data, start = self.files[name], 0
        wanted = self.headers.get("Range")
        if wanted:
            start = int(wanted.removeprefix("bytes=").partition("-")[0])
        if with_body:
            self.asked.append((name, wanted))
        self.send_response(206 if wanted else 200)
        self.send_header("ETag", f'"{hashlib.sha256(data).hexdigest()}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(len(data) - start))
        if wanted:
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        self.end_headers()
        if with_body:
            self.wfile.write(data[start : self.cut_at])
            if self.cut_at is not None:
                self.cut.wait()
                self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def hub() -> Iterator[str]:
    Hub.files, Hub.asked, Hub.cut_at = {"m.gguf": DATA}, [], None
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(autouse=True)
def card(make_card: object) -> None:
    """Write a card with one file, under another name at the hub."""
    assert callable(make_card)
    source = HubSource("some/model", COMMIT, {"m.gguf": "mine.gguf"})
    write_card(make_card("hubbed", {"mine.gguf": DATA}, source), paths.user_cards_dir())


PULL = """
import sys
from edge_slm.cards import get_card
from edge_slm.errors import EdgeSlmError
from edge_slm.store import Store
try:
    Store().pull(get_card("hubbed"))
    print(Store().path("hubbed"))
except EdgeSlmError as error:
    print(error, file=sys.stderr)
    sys.exit(error.exit_code)
"""


def pull(endpoint: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Pull in a process of its own: huggingface_hub reads its settings once, at import."""
    return subprocess.run(
        [sys.executable, "-c", PULL],
        env=environment(endpoint) | more,
        capture_output=True,
        text=True,
    )


def environment(endpoint: str) -> dict[str, str]:
    mine = {name: text for name, text in os.environ.items() if not name.startswith("HF_")}
    return mine | {"HF_ENDPOINT": endpoint, "NO_PROXY": "127.0.0.1"}


def staging(home: Path) -> Path:
    return home / "store" / "staging" / "hubbed"


def test_a_file_comes_from_the_commit_and_is_verified(hub: str, home: Path) -> None:
    done = pull(hub)
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()).read_bytes() == DATA
    assert not staging(home).exists()
    assert Hub.asked == [("m.gguf", None)]


def test_a_pull_that_was_stopped_goes_on_where_it_was(hub: str, home: Path) -> None:
    Hub.cut_at = HALF
    Hub.cut = threading.Event()
    stopped = subprocess.Popen(
        [sys.executable, "-c", PULL], env=environment(hub), stderr=subprocess.DEVNULL
    )
    while partial_bytes(home) < HALF // 2 and stopped.poll() is None:
        time.sleep(0.01)
    stopped.send_signal(signal.SIGINT)
    stopped.wait()
    Hub.cut.set()
    assert stopped.returncode != 0
    kept = partial_bytes(home)
    assert kept > 0
    assert not (home / "store" / "models" / "hubbed").exists()
    Hub.cut_at = None
    Hub.asked.clear()
    done = pull(hub)
    assert done.returncode == 0, done.stderr
    assert Hub.asked == [("m.gguf", f"bytes={kept}-")]
    assert Path(done.stdout.strip()).read_bytes() == DATA


def partial_bytes(home: Path) -> int:
    """Return the bytes of the partial file, 0 while there is none."""
    path = staging(home) / "mine.gguf.partial"
    return path.stat().st_size if path.exists() else 0


def test_a_partial_file_that_is_wrong_is_refused_and_then_fetched_whole(
    hub: str, home: Path
) -> None:
    staging(home).mkdir(parents=True)
    (staging(home) / "mine.gguf.partial").write_bytes(b"wrong")
    assert pull(hub).returncode == 4
    assert pull(hub).returncode == 0
    assert Hub.asked == [("m.gguf", "bytes=5-"), ("m.gguf", None)]


def test_a_partial_file_that_is_whole_is_only_hashed(hub: str, home: Path) -> None:
    staging(home).mkdir(parents=True)
    (staging(home) / "mine.gguf.partial").write_bytes(DATA)
    assert pull(hub).returncode == 0
    assert Hub.asked == []


def test_another_content_is_refused_and_removed(hub: str, home: Path) -> None:
    Hub.files = {"m.gguf": DATA[:-1] + b"X"}
    done = pull(hub)
    assert done.returncode == 4
    assert "SHA-256" in done.stderr
    assert not staging(home).exists()
    assert not (home / "store" / "models" / "hubbed").exists()


def test_a_shorter_file_is_refused(hub: str, home: Path) -> None:
    Hub.files = {"m.gguf": DATA[:-1]}
    assert pull(hub).returncode == 4
    assert not staging(home).exists()


def test_an_absent_file_is_a_missing_model(hub: str) -> None:
    Hub.files = {}
    done = pull(hub)
    assert done.returncode == 3
    assert "m.gguf" in done.stderr
    assert "Traceback" not in done.stderr


def test_no_hub_is_said_without_retries(hub: str) -> None:
    done = pull("http://127.0.0.1:9")
    assert done.returncode == 3
    assert "does not answer" in done.stderr
    assert "Retrying" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 2


def test_the_offline_switch_of_the_hub_is_obeyed(hub: str) -> None:
    done = pull(hub, HF_HUB_OFFLINE="1")
    assert done.returncode == 3
    assert "HF_HUB_OFFLINE" in done.stderr
    assert Hub.asked == []
