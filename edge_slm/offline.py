"""Nothing leaves the machine: Python code that opens a socket beyond loopback is stopped.

This guard covers Python code of this process, whichever library it is in. It does not cover
native code that calls the operating system by itself; tests/e2e/test_e2e_offline.py runs the whole
program in a network namespace without any interface for that.
"""

import ipaddress
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from edge_slm.errors import EdgeSlmError
from edge_slm.i18n import t

# Read by huggingface_hub and transformers when they are imported.
SWITCHES = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_HUB_DISABLE_TELEMETRY")

# Audit events by where the host stands: looking a name up asks the network too.
_NAMING = frozenset(
    {
        "socket.getaddrinfo",
        "socket.gethostbyname",
        "socket.gethostbyaddr",
        "socket.getnameinfo",
    }
)
_SENDING = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})

_allowed = False
_installed = False
_set_here: set[str] = set()


class NetworkForbidden(EdgeSlmError):
    """Something tried to reach the network although the user asked for nothing of the kind."""


def forbid_network() -> None:
    """Stop every connection beyond loopback, and tell the model hub's library to stay offline."""
    global _installed
    for switch in SWITCHES:
        if switch not in os.environ:
            os.environ[switch] = "1"
            _set_here.add(switch)
    if not _installed:
        sys.addaudithook(_audit)  # cannot be removed, which is the point
        _installed = True


@contextmanager
def network_allowed() -> Iterator[None]:
    """Lift the guard for a command whose purpose is to fetch, and for nothing else."""
    global _allowed
    before, _allowed = _allowed, True
    for switch in _set_here:  # what the user set stays
        os.environ.pop(switch, None)
    try:
        yield
    finally:
        _allowed = before
        os.environ.update(dict.fromkeys(_set_here, "1"))


def is_loopback(host: str) -> bool:
    """Return whether a host name or address is this machine."""
    if host in ("", "localhost"):
        return True
    try:
        return ipaddress.ip_address(host.split("%")[0]).is_loopback
    except ValueError:
        return False


def _audit(event: str, arguments: tuple[object, ...]) -> None:
    if _allowed or event not in _NAMING | _SENDING:
        return
    target = arguments[0] if event in _NAMING else arguments[1]
    host = target[0] if isinstance(target, tuple) else target
    if isinstance(host, bytes):
        host = host.decode("ascii", "replace")
    if event in _SENDING and not isinstance(target, tuple):
        return  # a Unix socket has no host
    if host is None or (isinstance(host, str) and is_loopback(host)):
        return
    raise NetworkForbidden(
        t(
            "A connection to {host} was stopped: Edge-SLM works offline.",
            "Une connexion vers {host} a été arrêtée : Edge-SLM travaille hors ligne.",
            host=host,
        )
    )
