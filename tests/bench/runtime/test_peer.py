"""A peer: found, started, asked, ended; absent, damaged, misbehaving."""

import os
import sys
from pathlib import Path

import msgspec
import pytest

from edge_slm.answer import Usage
from edge_slm.bench.runtime import peer
from edge_slm.bench.runtime.peer import Peer, absent, find, peers_dir, serving
from edge_slm.bench.runtime.peer_chat import PeerChat
from edge_slm.bench.runtime.timing import timed
from edge_slm.engines import Done, Message, Piece
from edge_slm.errors import EdgeSlmError
from edge_slm.process_tree import alive, descendants
from edge_slm.profiles import PROFILES
from edge_slm.store import Store

FAKE = Peer("fake", "1", "by hand", (sys.executable, str(Path(__file__).with_name("fake_peer.py"))))
WORDS = "La demande est déposée deux mois avant le départ. " * 5
ASKED = [Message("user", "arrive")]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda *_, **__: str(tmp_path))
    return tmp_path


def _make(name: str, content: bytes) -> None:
    folder = peers_dir() / name
    folder.mkdir(parents=True)
    (folder / "peer.json").write_bytes(content)


def _reply(deed: str) -> list[Piece | Done]:
    with serving(FAKE, Path(f"{deed}.gguf"), threads=2, context=77) as chat:
        return list(chat.stream(ASKED, 5))


def test_no_peer_is_told_with_the_way_to_make_one() -> None:
    assert find() is None
    assert "packaging/peers/make_peer.py" in absent()


def test_the_best_peer_is_taken() -> None:
    _make("xllamacpp", msgspec.json.encode(FAKE))
    assert find() == FAKE
    better = msgspec.structs.replace(FAKE, name="better")
    _make("llama-server", msgspec.json.encode(better))
    assert find() == better
    assert find(["xllamacpp"]) == FAKE


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[]",
        b'{"name": "x"}',
        msgspec.json.encode(msgspec.structs.replace(FAKE, command=())),
        msgspec.json.encode(msgspec.structs.replace(FAKE, command=("/nowhere/llama-server",))),
    ],
)
def test_a_damaged_or_empty_peer_is_none(content: bytes) -> None:
    _make("llama-server", content)
    assert find() is None


def test_a_reply_streams_as_ours_does() -> None:
    assert _reply("words") == [
        Piece("L'été "),
        Piece("arrive"),
        Done(Usage(9, 4, 77), complete=True),
    ]


def test_the_server_ends_with_the_block_even_after_an_error() -> None:
    pids: list[int] = []
    with pytest.raises(KeyboardInterrupt), serving(FAKE, Path("words"), 1, 9) as chat:
        pids = descendants(os.getpid())
        assert alive(pids) and chat.ready()
        raise KeyboardInterrupt
    assert alive(pids) == []
    assert not chat.ready()


@pytest.mark.parametrize(
    ("deed", "reason"),
    [
        ("cut", r"gave no reply \(the reply was cut\)"),
        ("garbage", r"gave no reply \(.+\)"),
        ("hang-up", r"gave no reply \(.+\)"),
        ("refuse", r"refused the request \(too long\)"),
        ("crash", r"fake did not start \(error: no such model\)"),
    ],
)
def test_a_server_that_misbehaves_is_a_sentence(deed: str, reason: str) -> None:
    with pytest.raises(EdgeSlmError, match=reason):
        _reply(deed)


def test_nobody_at_the_port_is_a_sentence() -> None:
    with serving(FAKE, Path("words"), 1, 9) as chat:
        port = chat.port
    with pytest.raises(EdgeSlmError, match="gave no reply"):
        list(PeerChat(port).stream(ASKED, 5))


def test_options_of_the_server_in_the_environment_are_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LLAMA_ARG_CTX_SIZE", "1")
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    environment = peer._environment()
    assert "LLAMA_ARG_CTX_SIZE" not in environment
    assert environment["OMP_WAIT_POLICY"] == "passive"
    assert environment["PATH"] == os.environ["PATH"]


@pytest.mark.model
@pytest.mark.parametrize("name", peer.NAMES)
def test_a_real_peer_keeps_its_last_prompt(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()  # the user's own cache
    made = find([name])
    if made is None:
        pytest.skip(absent())
    with serving(made, Store().path(PROFILES["lite"][0]), 1, 1024) as chat:
        first, second = (timed(chat.stream([Message("user", WORDS)], 8)) for _ in range(2))
        with pytest.raises(EdgeSlmError, match="refused the request"):
            list(chat.stream([Message("user", WORDS * 50)], 8))
    assert first.text == second.text != ""
    assert first.usage.prompt_tokens > 60 > first.usage.cached_tokens
    assert second.usage.cached_tokens > 60
