"""What a handler gets and what it gives back; knows nothing of HTTP libraries.

A handler is a plain function, called in a thread of its own: `handler(site, call)` returns a
`Reply`, or streams by calling `call.emit` and returns `END`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import IO, TypeVar

import msgspec

from edge_slm.i18n import t
from edge_slm.server.errors import Refused

T = TypeVar("T")

JSON = "application/json"
EVENTS = "text/event-stream"
END_OF_EVENTS = b"data: [DONE]\n\n"


@dataclass(frozen=True)
class Reply:
    """A whole answer: status, bytes, their type, more headers."""

    body: bytes
    status: int = 200
    media_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)


END = Reply(b"", 204)  # of a stream: what had to be said was emitted


@dataclass(frozen=True)
class Upload:
    """A file that came with the request: the name that the client gave, and its bytes."""

    name: str
    file: IO[bytes]


@dataclass(frozen=True)
class Call:
    """One request.

    Attributes:
        body: the JSON body, as it came.
        path: parameters of the path.
        query: parameters after the question mark.
        fields: text fields of a form.
        upload: the file of a form.
        emit: sends bytes of a streamed answer; raises `Stopped` once nobody wants them.
    """

    body: bytes = b""
    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)
    upload: Upload | None = None
    emit: Callable[[bytes], None] = lambda _: None


def as_json(value: object, status: int = 200) -> Reply:
    """Return a value as a JSON reply."""
    return Reply(msgspec.json.encode(value), status)


def event(value: object) -> bytes:
    """Return a value as one server-sent event (https://html.spec.whatwg.org, section 9.2)."""
    return b"data: " + msgspec.json.encode(value) + b"\n\n"


def nothing() -> Reply:
    """Return the reply of a request that is done and has nothing to say."""
    return Reply(b"", 204)


def read(body: bytes, kind: type[T]) -> T:
    """Decode a JSON body; unknown fields are passed over, wrong types are not.

    Raises:
        Refused: it is not JSON, or not of this shape.
    """
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        message, _, rest = str(error).partition(" - at `")
        place = rest.rpartition("$")[2].strip("`.")
        raise Refused(
            t(
                "The request is not valid ({error}).",
                "La requête n'est pas valable ({error}).",
                error=f"{place}: {message}" if place else message,
            ),
            param=place or None,
        ) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refused(_not_json(error), code="invalid_json") from None


def _not_json(error: Exception) -> str:
    return t(
        "The body is not JSON that can be read ({error}).",
        "Le corps n'est pas du JSON lisible ({error}).",
        error=str(error).splitlines()[0][:200],
    )


def number(call: Call, name: str, default: int, most: int) -> int:
    """Return a whole number of the query, from 0 to `most`.

    Raises:
        Refused: it is none.
    """
    text = call.query.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text) <= most):
        raise Refused(
            t(
                "“{name}” must be a whole number from 0 to {most}.",
                "« {name} » doit être un entier de 0 à {most}.",
                name=name,
                most=most,
            ),
            param=name,
        )
    return int(text)
