"""Chat by the HTTP interface of a llama.cpp server on loopback; it streams as our engines do."""

import http.client
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from edge_slm.answer import Usage
from edge_slm.engines import Done, Message, Piece
from edge_slm.errors import EdgeSlmError
from edge_slm.i18n import t

PATIENCE_S = 600.0  # without a byte; the first comes when the whole prompt is read
_DATA = b"data: "


class PeerChat:
    """A server that answers at a port of this machine."""

    def __init__(self, port: int) -> None:
        """Connect to nothing yet."""
        self.port = port

    def ready(self) -> bool:
        """Return whether the server has loaded its model."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/health")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def stream(self, messages: Sequence[Message], max_tokens: int) -> Iterator[Piece | Done]:
        """Yield the reply piece by piece, then `Done`; greedy, the server's prompt cache as it is.

        Raises:
            EdgeSlmError: the server refuses, is gone, or sends what is no reply.
        """
        body = {
            "messages": [{"role": m.role, "content": m.content} for m in messages],
            "max_tokens": max_tokens,
            "temperature": 0.0,
            "top_k": 1,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        try:
            headers = {"Content-Type": "application/json"}
            connection.request("POST", "/v1/chat/completions", msgspec.json.encode(body), headers)
            response = connection.getresponse()
            if response.status != 200:
                raise _refused(response.read(500).decode(errors="replace"))
            yield from _events(response)
        except (OSError, http.client.HTTPException) as error:
            raise _failed(str(error)) from error
        finally:
            connection.close()


def _events(response: http.client.HTTPResponse) -> Iterator[Piece | Done]:
    usage, complete, ended = Usage(), False, False
    for line in response:
        if not line.startswith(_DATA):
            continue
        if line.strip() == _DATA + b"[DONE]":
            ended = True
            break
        chunk = _decoded(line[len(_DATA) :])
        for choice in chunk.get("choices") or ():
            complete = complete or choice.get("finish_reason") == "stop"
            if text := (choice.get("delta") or {}).get("content"):
                yield Piece(text)
        if told := chunk.get("usage"):
            usage = _usage(told)
    if not ended:
        raise _failed(t("the reply was cut", "la réponse a été coupée"))
    yield Done(usage, complete)


def _decoded(line: bytes) -> dict[str, Any]:
    try:
        return msgspec.json.decode(line, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise _failed(str(error)) from error


def _usage(told: dict[str, Any]) -> Usage:
    cached = (told.get("prompt_tokens_details") or {}).get("cached_tokens", 0)
    return Usage(told.get("prompt_tokens", 0), cached, told.get("completion_tokens", 0))


def _refused(reason: str) -> EdgeSlmError:
    return EdgeSlmError(
        t(
            "The peer refused the request ({reason}): try a shorter passage.",
            "Le serveur témoin a refusé la demande ({reason}) : essayez un passage plus court.",
            reason=reason,
        )
    )


def _failed(reason: str) -> EdgeSlmError:
    return EdgeSlmError(
        t(
            "The peer gave no reply ({reason}): make it again with packaging/peers/make_peer.py.",
            "Le serveur témoin n'a pas répondu ({reason}) : refaites-le avec "
            "packaging/peers/make_peer.py.",
            reason=reason,
        )
    )
