"""Nothing leaves the machine: Python code that opens a socket beyond loopback is stopped.

One thing may be let through: an instrument on the local network that the user named (`allow_host`).

This guard covers Python code of this process, whichever library it is in. It does not cover
native code that calls the operating system by itself; tests/e2e/test_e2e_offline.py runs the whole
program in a network namespace without any interface for that.
"""

import ipaddress
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from edge_slm.errors import EdgeSlmError, UsageError
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

# Addresses that no router of the Internet forwards: RFC 1918, 3927, 1122 and RFC 4193, 4291. The
# wider `is_private` of ipaddress has changed between versions of Python.
_LOCAL = tuple(
    ipaddress.ip_network(network)
    for network in (
        *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "127.0.0.0/8"),
        *("fc00::/7", "fe80::/10", "::1/128"),
    )
)

_allowed = False
_installed = False
_set_here: set[str] = set()
_asked_name: str | None = None
_pinned: set[tuple[str, int]] = set()


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


def allow_host(host: str, port: int) -> str:
    """Let one port of one machine of the local network through, for an instrument there.

    A name is looked up once and its address kept, so that nobody can point it elsewhere later.

    Args:
        host: a name or an address that the user typed.
        port: the only port there that may be reached.

    Returns:
        The address to connect to, numeric.

    Raises:
        UsageError: the host is not found, or none of its addresses is of the local network.
    """
    found = _addresses(host, port)
    for address in found:
        plain = _plain(address)
        if plain is not None and any(plain in network for network in _LOCAL):
            _pinned.add((str(plain), port))
            return address
    raise UsageError(
        t(
            "{host} is not on the local network ({address}): Edge-SLM connects only to private "
            "addresses, such as 192.168.1.20.",
            "{host} n’est pas sur le réseau local ({address}) : Edge-SLM ne se connecte qu’à des "
            "adresses privées, comme 192.168.1.20.",
            host=host,
            address=", ".join(found),
        )
    )


def _addresses(host: str, port: int) -> list[str]:
    global _asked_name
    _asked_name = host
    try:
        entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, ValueError, OverflowError) as error:
        raise UsageError(
            t(
                "The host “{host}” was not found on the network: check its name, or give its "
                "address.",
                "L’hôte « {host} » est introuvable sur le réseau : vérifiez son nom, ou donnez son "
                "adresse.",
                host=host,
            )
        ) from error
    finally:
        _asked_name = None
    return list(dict.fromkeys(_scoped(entry[4]) for entry in entries))


def _scoped(target: tuple[object, ...]) -> str:
    """Return the address of a socket; one that is link-local says through which interface."""
    scope = target[3] if len(target) > 3 else 0
    return f"{target[0]}%{scope}" if scope and "%" not in str(target[0]) else str(target[0])


def _plain(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return an address without its interface, IPv4 for one wrapped in IPv6."""
    try:
        plain = ipaddress.ip_address(address.split("%")[0])
    except ValueError:
        return None
    mapped = plain.ipv4_mapped if isinstance(plain, ipaddress.IPv6Address) else None
    return mapped or plain


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
    if isinstance(host, str) and _let_through(event, host, target):
        return
    raise NetworkForbidden(
        t(
            "A connection to {host} was stopped: Edge-SLM works offline.",
            "Une connexion vers {host} a été arrêtée : Edge-SLM travaille hors ligne.",
            host=host,
        )
    )


def _let_through(event: str, host: str, target: object) -> bool:
    if event == "socket.getaddrinfo" and host == _asked_name:
        return True
    plain = str(_plain(host))
    if event == "socket.getaddrinfo":  # of an address: it is read, nobody is asked
        return any(plain == address for address, _ in _pinned)
    return isinstance(target, tuple) and (plain, target[1]) in _pinned
