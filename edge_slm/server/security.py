"""Who may speak to the server: this machine's programs, not web pages, and with a token if set.

A page of the web can make a browser call loopback, under the page's own name (DNS rebinding) or
not; both show in the headers Host and Origin. Knows ASGI, and no HTTP library.
"""

import hmac
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from edge_slm.i18n import t
from edge_slm.offline import is_loopback
from edge_slm.server.errors import Refused

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

OPEN = frozenset({"/health"})  # needs no token: whoever starts the server watches it here


@dataclass(frozen=True)
class Rules:
    """What a request must show.

    Attributes:
        local: the server listens on loopback: the name that it is called by must be loopback too.
        token: what must follow "Bearer" in Authorization; None for nothing.
    """

    local: bool = True
    token: str | None = None

    def check(self, path: str, headers: Mapping[str, str]) -> None:
        """Let a request pass, or refuse it; `headers` has lower-case names.

        Raises:
            Refused: status 403 for a web page, 401 for a missing or wrong token.
        """
        if self.local and not _is_local(f"//{headers.get('host', '')}"):
            raise _forbidden(
                t(
                    "This server answers to the names of this machine only (127.0.0.1, localhost).",
                    "Ce serveur ne répond qu'aux noms de cette machine (127.0.0.1, localhost).",
                )
            )
        if _from_a_page(headers):
            raise _forbidden(
                t(
                    "Pages of the web may not use this server.",
                    "Les pages du web ne peuvent pas utiliser ce serveur.",
                )
            )
        if self.token is not None and path not in OPEN:
            self._check_token(headers.get("authorization", ""))

    def _check_token(self, given: str) -> None:
        kind, _, token = given.partition(" ")
        # Compared in a time that does not tell how much of it was right.
        same = hmac.compare_digest(token.strip().encode(), (self.token or "").encode())
        if kind.lower() != "bearer" or not same:
            raise Refused(
                t(
                    "The token is missing or wrong: send the header “Authorization: Bearer TOKEN”.",
                    "Le jeton manque ou est faux : envoyez l'en-tête « Authorization: Bearer "
                    "JETON ».",
                ),
                401,
                "invalid_api_key",
            )


def headers_of(scope: Scope) -> dict[str, str]:
    """Return the headers of a request by lower-case name; of a repeated one, all values joined."""
    headers: dict[str, str] = {}
    for name, value in scope["headers"]:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        headers[key] = f"{headers[key]},{text}" if key in headers else text
    return headers


def _from_a_page(headers: Mapping[str, str]) -> bool:
    origin = headers.get("origin")
    if origin is not None:
        return not _is_local(origin)
    # A browser sends no Origin with an image or a link: https://www.w3.org/TR/fetch-metadata/.
    return headers.get("sec-fetch-site") == "cross-site"


def _is_local(address: str) -> bool:
    try:
        host = urlsplit(address).hostname
    except ValueError:
        return False
    return bool(host) and is_loopback(str(host))


def _forbidden(message: str) -> Refused:
    return Refused(message, 403, "forbidden")
