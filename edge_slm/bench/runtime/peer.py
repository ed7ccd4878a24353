"""A llama.cpp server of somebody else's, to measure beside our engines on the same model file.

packaging/peers/make_peer.py makes one in the user's cache: a folder with `peer.json`, which names
a command that takes llama-server's own options. Without any, measures leave the peer out.
"""

import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import msgspec
import platformdirs

from edge_slm.bench.runtime.peer_chat import PeerChat
from edge_slm.errors import EdgeSlmError
from edge_slm.i18n import t

# Best first: the server built for this processor is the fair one; the wheel's code is made for
# any processor of the last ten years.
NAMES = ("llama-server", "xllamacpp")
LOADING_S = 120.0


class Peer(msgspec.Struct, frozen=True):
    """A peer: its name, its version, how it was built, and the command that starts it."""

    name: str
    version: str
    build: str
    command: tuple[str, ...]


def peers_dir() -> Path:
    """Return the folder of the peers, which outlives models and bases: a build takes minutes."""
    return Path(platformdirs.user_cache_dir("edge-slm", appauthor=False)) / "peers"


def find(names: Sequence[str] = NAMES) -> Peer | None:
    """Return the first peer that was made on this machine, or None."""
    for name in names:
        try:
            peer = msgspec.json.decode((peers_dir() / name / "peer.json").read_bytes(), type=Peer)
        except (OSError, msgspec.DecodeError):
            continue
        if peer.command and Path(peer.command[0]).exists():
            return peer
    return None


def absent() -> str:
    """Return the sentence that says that no peer is here, and how to make one."""
    return t(
        "No peer to compare with: python packaging/peers/make_peer.py makes one (10 minutes; "
        "with the word xllamacpp, 1 minute, slower code).",
        "Pas de serveur témoin : python packaging/peers/make_peer.py en fait un (10 minutes ; "
        "avec le mot xllamacpp, 1 minute, code plus lent).",
    )


@contextmanager
def serving(peer: Peer, model: Path, threads: int, context: int) -> Iterator[PeerChat]:
    """Start a peer on loopback, yield its chat, and end it.

    Args:
        peer: from `find`.
        model: a GGUF file.
        threads: how many compute.
        context: tokens that prompt and reply may hold together.
    Raises:
        EdgeSlmError: it does not start; its last words are in the sentence.
    """
    port = _free_port()
    options = {
        "--model": str(model),
        "--host": "127.0.0.1",
        "--port": str(port),
        "--threads": str(threads),
        "--threads-batch": str(threads),
        "--ctx-size": str(context),
        "--parallel": "1",  # all of the context for one request, as our engine has it
    }
    command = [*peer.command, *(word for option in options.items() for word in option)]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=_environment()
        )
        try:
            chat = PeerChat(port)
            _wait(process, chat, peer, log)
            yield chat
        finally:
            _end(process)


def _environment() -> dict[str, str]:
    """Return the environment without what would change the server's options.

    Its threads wait as ours do: on a machine that also does other things, OpenMP threads that spin
    make any llama.cpp many times slower.
    """
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("LLAMA_ARG_", "LLAMA_LOG_"))}
    return {"OMP_WAIT_POLICY": "passive", **kept}


def _wait(process: subprocess.Popen[bytes], chat: PeerChat, peer: Peer, log: IO[bytes]) -> None:
    end = time.monotonic() + LOADING_S
    while not chat.ready():
        if process.poll() is None and time.monotonic() < end:
            time.sleep(0.05)
            continue
        log.seek(0)
        lines = log.read().decode(errors="replace").strip().splitlines()
        raise EdgeSlmError(
            t(
                "The peer {name} did not start ({reason}): make it again with "
                "packaging/peers/make_peer.py.",
                "Le serveur témoin {name} n'a pas démarré ({reason}) : refaites-le avec "
                "packaging/peers/make_peer.py.",
                name=peer.name,
                reason=lines[-1] if lines else process.returncode,
            )
        )


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
