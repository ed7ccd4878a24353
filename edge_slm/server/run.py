"""Listens on an address and serves until Ctrl-C."""

import errno
import ipaddress
import os
import signal
import socket
import sys
from contextlib import suppress
from types import FrameType
from typing import Any

from edge_slm.errors import EdgeSlmError, MissingError, UsageError
from edge_slm.i18n import t
from edge_slm.offline import is_loopback
from edge_slm.server.app import Server, build

BACKLOG = 128
LAST_WORDS = 5  # seconds that answers under way have to end after Ctrl-C


def listen(host: str, port: int, *, allow_remote: bool) -> socket.socket:
    """Return a socket that listens.

    Args:
        host: an address of this machine, or "localhost".
        port: 0 for any that is free.
        allow_remote: accept addresses that other machines can reach.
    Raises:
        UsageError: the address is none, is not this machine's, or may be reached from elsewhere.
        EdgeSlmError: the port is taken.
    """
    address = _address(host)
    if not address.is_loopback and not allow_remote:
        raise UsageError(
            t(
                "{host} can be reached by other machines: add --allow-remote if that is wanted.",
                "{host} est joignable par d'autres machines : ajoutez --allow-remote si c'est "
                "voulu.",
                host=host,
            )
        )
    family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        # On Windows the option would let another program take the port as well.
        exclusive = getattr(socket, "SO_EXCLUSIVEADDRUSE", None)
        listening.setsockopt(socket.SOL_SOCKET, exclusive or socket.SO_REUSEADDR, 1)
        listening.bind((str(address), port))
        listening.listen(BACKLOG)
    except OSError as error:
        listening.close()
        raise _cannot_listen(error, host, port) from None
    return listening


def serve(server: Server, listening: socket.socket) -> None:
    """Serve on a socket until Ctrl-C or SIGTERM; requests under way are stopped then.

    Raises:
        MissingError: the packages of the server are not installed.
    """
    uvicorn = library()

    class Stopping(uvicorn.Server):  # type: ignore[misc, name-defined]
        """Stops what is computed before it waits for the requests to end."""

        def handle_exit(self, sig: int, frame: FrameType | None) -> None:
            """Take Ctrl-C or SIGTERM."""
            server.stop_all()
            super().handle_exit(sig, frame)

    config = uvicorn.Config(
        build(server),
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=LAST_WORDS,
    )
    # uvicorn raises the signal again once it has ended: both must end this program in order.
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        with suppress(KeyboardInterrupt):
            Stopping(config).run(sockets=[listening])
        _say(t("Stopped.", "Arrêté."))
    finally:
        signal.signal(signal.SIGTERM, before)
        server.stop_all()
        server.site.engines.pool.close()


def library() -> Any:
    """Return uvicorn, once all that the server needs is known to be there.

    Raises:
        MissingError: something is not installed.
    """
    try:
        import python_multipart  # noqa: F401
        import starlette  # noqa: F401
        import uvicorn
    except ImportError as error:
        raise MissingError(
            t(
                "The server's packages are not installed ({error}): pip install 'edge-slm[serve]'.",
                "Les paquets du serveur ne sont pas installés ({error}) : pip install "
                "'edge-slm[serve]'.",
                error=error,
            )
        ) from None
    return uvicorn


def is_local(listening: socket.socket) -> bool:
    """Return whether only this machine can reach a socket."""
    return is_loopback(listening.getsockname()[0])


def announce(listening: socket.socket, *, token: bool) -> None:
    """Say on standard error where the server listens, with a warning if others can reach it."""
    host, port = listening.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    if not is_local(listening):
        _say(
            t(
                "Warning: other machines can reach this server, and what they send and read is "
                "not encrypted.",
                "Attention : d'autres machines peuvent joindre ce serveur, et ce qu'elles "
                "échangent avec lui n'est pas chiffré.",
            )
        )
        if not token:
            _say(
                t(
                    "Warning: no token is asked for, so anyone who reaches it may use it and "
                    "change the bases: give one with --token.",
                    "Attention : aucun jeton n'est demandé, donc quiconque le joint peut s'en "
                    "servir et modifier les bases : donnez-en un avec --token.",
                )
            )
    _say(
        t(
            "Listening on http://{host}:{port}/v1 (Ctrl-C to stop)",
            "À l'écoute sur http://{host}:{port}/v1 (Ctrl-C pour arrêter)",
            host=shown,
            port=port,
        )
    )


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)  # noqa: T201


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    try:
        # No name is looked up: that would ask the network.
        return ipaddress.ip_address("127.0.0.1" if host == "localhost" else host.strip("[]"))
    except ValueError:
        raise UsageError(
            t(
                "“{host}” is no address: give one such as 127.0.0.1, ::1 or 0.0.0.0.",
                "« {host} » n'est pas une adresse : donnez-en une comme 127.0.0.1, ::1 ou 0.0.0.0.",
                host=host,
            )
        ) from None


def _cannot_listen(error: OSError, host: str, port: int) -> EdgeSlmError:
    if error.errno == errno.EADDRINUSE:
        return EdgeSlmError(
            t(
                "Port {port} is in use: choose another with --port, or 0 for any that is free.",
                "Le port {port} est occupé : choisissez-en un autre avec --port, ou 0 pour "
                "n'importe lequel de libre.",
                port=port,
            )
        )
    return UsageError(
        t(
            "The server cannot listen on {host}, port {port} ({reason}): choose another address "
            "or port.",
            "Le serveur ne peut pas écouter sur {host}, port {port} ({reason}) : choisissez une "
            "autre adresse ou un autre port.",
            host=host,
            port=port,
            reason=os.strerror(error.errno or 0),
        )
    )
