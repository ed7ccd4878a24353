"""Recordings sent to be written down."""

import errno
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from edge_slm.errors import UsageError
from edge_slm.server import app
from edge_slm.server.app import Server, build

from .conftest import LOCAL
from .fakes import SPEECH, FakeEngines

URL = "/v1/audio/transcriptions"
FILE = {"file": ("réunion 1.wav", b"RIFF and more")}


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for temporary files that must be empty in the end."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def send(client: TestClient, files: Any = FILE, **fields: str) -> Any:
    """Send a form."""
    return client.post(URL, files=files, data=fields)


def test_a_recording_is_written_down_and_its_copy_removed(
    client: TestClient, engines: FakeEngines, temporary: Path
) -> None:
    answer = send(client, model=SPEECH, language="fr")
    assert answer.json() == {
        "text": "Bonjour à tous.",
        "usage": {"type": "duration", "seconds": 2},
    }
    ((path, data, language),) = engines.listener.heard
    assert (path.name, data, language) == ("réunion 1.wav", b"RIFF and more", "fr")
    assert not path.exists()
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("text", "Bonjour à tous.\n"),
        ("srt", "1\n00:00:00,000 --> 00:00:01,000\nBonjour\n"),
        ("vtt", "WEBVTT\n\n00:00:00.000 --> 00:00:01.000\nBonjour\n"),
    ],
)
def test_subtitles_and_plain_text_come_as_text(client: TestClient, form: str, text: str) -> None:
    answer = send(client, response_format=form)
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.text.startswith(text)


def test_the_verbose_form_has_segments(client: TestClient) -> None:
    reply = send(client, response_format="verbose_json").json()
    assert (reply["language"], reply["duration"]) == ("fr", 2.5)
    assert reply["segments"][1] == {"id": 1, "start": 1.0, "end": 2.5, "text": "à tous."}


def test_a_failure_leaves_no_file(
    client: TestClient, engines: FakeEngines, temporary: Path
) -> None:
    engines.listener.fails = UsageError("No sound.")
    answer = send(client)
    assert (answer.status_code, answer.json()["error"]["message"]) == (400, "No sound.")
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "kept"),
    [("../../etc/passwd.wav", "passwd.wav"), ("C:\\sons\\a.wav", "a.wav"), ("/a/b.mp3", "b.mp3")],
)
def test_a_path_in_the_name_is_dropped(
    client: TestClient, engines: FakeEngines, name: str, kept: str
) -> None:
    assert send(client, files={"file": (name, b"x")}).status_code == 200
    assert engines.listener.heard[0][0].name == kept


@pytest.mark.parametrize(
    ("files", "fields", "status"),
    [
        (None, {"model": SPEECH}, 400),
        ({"other": ("a.wav", b"x")}, {}, 400),
        ({"file": ("a.wav", b"")}, {}, 400),
        ({"file": (".hidden", b"x")}, {}, 400),
        ({"file": ("x" * 300, b"x")}, {}, 400),
        (FILE, {"response_format": "docx"}, 400),
        (FILE, {"language": "français"}, 400),
        (FILE, {"language": "fr; rm"}, 400),
        (FILE, {"stream": "true"}, 400),
        (FILE, {"model": "whisper-9"}, 404),
        (FILE, {"prompt": "x" * 200_000}, 400),
    ],
)
def test_a_bad_form_is_refused(
    client: TestClient,
    engines: FakeEngines,
    temporary: Path,
    files: Any,
    fields: dict[str, str],
    status: int,
) -> None:
    answer = send(client, files, **fields)
    assert answer.status_code == status, answer.text
    assert answer.json()["error"]["message"]
    assert engines.listener.heard == []
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b"{}"),
        ("multipart/form-data", b"no boundary"),
        ("multipart/form-data; boundary=x", b"garbage"),
        (
            "multipart/form-data; boundary=x",
            b"--x\r\nContent-Disposition: form-data\r\n\r\nx\r\n--x--",
        ),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\ncut',
        ),
        ("", b""),
    ],
)
def test_what_is_no_form_is_refused(client: TestClient, kind: str, body: bytes) -> None:
    answer = client.post(URL, content=body, headers={"content-type": kind})
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]["message"]


def test_a_recording_that_is_too_large_is_refused(
    client: TestClient, engines: FakeEngines, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "LONGEST_FORM", 2_000_000)
    answer = send(client, files={"file": ("a.wav", b"x" * 3_000_000)})
    assert answer.status_code == 413
    assert "2.0 MB" in answer.json()["error"]["message"]
    assert engines.listener.heard == []
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("large", [False, True])
def test_without_room_for_the_file_the_error_says_so(
    client: TestClient, engines: FakeEngines, monkeypatch: pytest.MonkeyPatch, large: bool
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    # A large file is on the disk while its form is read, a small one only when it is copied.
    if large:
        monkeypatch.setattr(tempfile.SpooledTemporaryFile, "rollover", full)
    else:
        monkeypatch.setattr(shutil, "copyfileobj", full)
    answer = send(client, files={"file": ("a.wav", b"x" * (2_000_000 if large else 10))})
    assert answer.status_code == 507
    assert "No space left" in answer.json()["error"]["message"]
    assert engines.listener.heard == []


def test_what_nothing_foresaw_has_the_shape_of_errors(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(app, "Job", broken)
    with TestClient(build(server), base_url=LOCAL, raise_server_exceptions=False) as client:
        answer = client.get("/health")
    assert answer.status_code == 500
    assert answer.json()["error"]["code"] == "internal_error"
    assert "secret" not in answer.text
