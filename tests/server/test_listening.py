"""Where the server listens, and what the command refuses."""

import socket
from pathlib import Path

import pytest

from edge_slm.cli import run as command
from edge_slm.errors import EdgeSlmError, UsageError
from edge_slm.server.run import announce, is_local, listen


def test_port_zero_gives_a_free_port_on_loopback(capsys: pytest.CaptureFixture[str]) -> None:
    with listen("127.0.0.1", 0, allow_remote=False) as listening:
        port = listening.getsockname()[1]
        assert port > 0
        assert is_local(listening)
        announce(listening, token=False)
    told = capsys.readouterr()
    assert told.err == f"Listening on http://127.0.0.1:{port}/v1 (Ctrl-C to stop)\n"
    assert told.out == ""


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.0.0.2"])
def test_loopback_needs_no_leave(host: str) -> None:
    with listen(host, 0, allow_remote=False) as listening:
        assert is_local(listening)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "2001:db8::1"])
def test_any_other_address_needs_leave(host: str) -> None:
    with pytest.raises(UsageError, match="--allow-remote"):
        listen(host, 0, allow_remote=False)


@pytest.mark.parametrize(
    "host", ["", "example.org", "127.0.0.1:80", "999.1.1.1", "http://127.0.0.1"]
)
def test_what_is_no_address_is_refused_without_looking_it_up(host: str) -> None:
    with pytest.raises(UsageError, match="no address"):
        listen(host, 0, allow_remote=True)


@pytest.mark.parametrize("token", [True, False])
def test_an_open_address_comes_with_warnings(
    capsys: pytest.CaptureFixture[str], token: bool
) -> None:
    with listen("0.0.0.0", 0, allow_remote=True) as listening:
        assert not is_local(listening)
        announce(listening, token=token)
    told = capsys.readouterr().err
    assert "other machines can reach this server" in told
    assert ("--token" in told) is not token


def test_a_port_in_use_is_one_sentence() -> None:
    with listen("127.0.0.1", 0, allow_remote=False) as first:
        port = first.getsockname()[1]
        with pytest.raises(EdgeSlmError, match=f"Port {port} is in use") as raised:
            listen("127.0.0.1", port, allow_remote=False)
    assert raised.value.exit_code == 1


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(UsageError, match=r"cannot listen on 192\.0\.2\.1"):
        listen("192.0.2.1", 0, allow_remote=True)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--host", "0.0.0.0"], 2, "--allow-remote"),
        (["--port", "70000"], 2, "--port"),
        (["--port", "0", "--model", "absent"], 2, "absent"),
        (["--port", "0", "--model", "multilingual-e5-small-q4_0"], 2, "chat model"),
        (["--port", "0", "--kb", "absent"], 2, "no base"),
        (["--port", "0", "--pin", "absent"], 2, "absent"),
        (["--port", "0", "--budget", "lots"], 2, "lots"),
        (["--port", "0", "--token", ""], 2, "token"),
        (["--port", "0", "--token", "é"], 2, "token"),
        (["--port", "0", "--timeout", "0"], 2, "--timeout"),
        (["--port", "0", "--queue", "-1"], 2, "--queue"),
        (["extra"], 2, "extra"),
    ],
)
def test_wrong_usage_is_one_sentence(
    capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, said: str
) -> None:
    assert command(["serve", *arguments]) == code
    told = capsys.readouterr()
    assert said in told.err
    assert told.err.count("\n") == 1
    assert told.out == ""


def test_a_taken_port_ends_the_command_with_code_1(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert command(["serve", "--port", port]) == 1
    assert "is in use" in capsys.readouterr().err


def test_without_its_packages_the_command_says_what_to_install(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "uvicorn", None)
    assert command(["serve"]) == 3
    assert "edge-slm[serve]" in capsys.readouterr().err
