"""What the program and a worker process say to each other, and how it is put into bytes.

A frame is four bytes of length, most significant first, and one message in MessagePack. Orders go
to the worker, reports come back; what belongs to a request carries its number, and loading the
model is request 0. Knows nothing of processes and engines. Nothing here can run code (no pickle).
"""

from typing import BinaryIO, Literal

import msgspec
from msgspec import Struct

from edge_slm import errors
from edge_slm.answer import Segment
from edge_slm.engines import GREEDY, Done, Message, Options, Piece
from edge_slm.engines.settings import Settings
from edge_slm.errors import EdgeSlmError
from edge_slm.i18n import t

LONGEST_FRAME = 256 * 1024 * 1024  # bytes; the longest real one is a few megabytes
LOADING = 0  # number of the request that loads the model

Kind = Literal["chat", "embed", "speech"]


class WireError(Exception):
    """What came is no frame: cut, too long, or not one of the messages."""


class Load(Struct, frozen=True, tag=True):
    """Load the one model of this worker; the first order.

    `path` is in the bytes of the file system. `self_test`: read some tokens before saying Ready.
    """

    kind: Kind
    path: bytes
    sha256: str = ""
    template: str | None = None
    settings: Settings = Settings()
    self_test: bool = False


class Stream(Struct, frozen=True, tag=True):
    """Continue a conversation or a text."""

    id: int
    prompt: tuple[Message, ...] | str
    max_tokens: int | None
    options: Options = GREEDY


class Prepare(Struct, frozen=True, tag=True):
    """Read and keep what stands before the last message of a conversation."""

    id: int
    prompt: tuple[Message, ...] | str


class Count(Struct, frozen=True, tag=True):
    """Count the tokens of a text."""

    id: int
    text: str


class Embed(Struct, frozen=True, tag=True):
    """Turn texts into vectors: questions when `query`, passages otherwise."""

    id: int
    texts: tuple[str, ...]
    query: bool


class Transcribe(Struct, frozen=True, tag=True):
    """Write down a recording; `path` is in the bytes of the file system."""

    id: int
    path: bytes
    language: str | None


class Stop(Struct, frozen=True, tag=True):
    """Stop a request at once; its end is reported as Halted."""

    id: int


class Ping(Struct, frozen=True, tag=True):
    """Say that you are there."""

    number: int


class Ready(Struct, frozen=True, tag=True):
    """The model is loaded."""

    id: int = LOADING


class Said(Struct, frozen=True, tag=True):
    """Some text of a reply."""

    id: int
    piece: Piece


class Finished(Struct, frozen=True, tag=True):
    """The end of a reply."""

    id: int
    done: Done


class Prepared(Struct, frozen=True, tag=True):
    """Whether the beginning of a prompt was read; False where it was kept already."""

    id: int
    read: bool


class Counted(Struct, frozen=True, tag=True):
    """The number of tokens of a text."""

    id: int
    tokens: int


class Vectors(Struct, frozen=True, tag=True):
    """Vectors one after another, float32 in the order of bytes of this machine."""

    id: int
    dimensions: int
    data: bytes


class Hearing(Struct, frozen=True, tag=True):
    """The language of a recording, and its length in seconds."""

    id: int
    language: str
    duration: float


class Heard(Struct, frozen=True, tag=True):
    """A stretch of speech."""

    id: int
    segment: Segment


class Silence(Struct, frozen=True, tag=True):
    """The end of a recording."""

    id: int


class Halted(Struct, frozen=True, tag=True):
    """A request was stopped, as asked."""

    id: int


class Failed(Struct, frozen=True, tag=True):
    """A request failed: the name of the error's class, and its sentence."""

    id: int
    error: str
    sentence: str


class Pong(Struct, frozen=True, tag=True):
    """The answer to Ping."""

    number: int


class Memory(Struct, frozen=True, tag=True):
    """Bytes that the worker holds now, and the most that it ever held; before each end."""

    resident: int
    peak: int


Work = Load | Stream | Prepare | Count | Embed | Transcribe
Order = Work | Stop | Ping
Report = (
    Ready
    | Said
    | Finished
    | Prepared
    | Counted
    | Vectors
    | Hearing
    | Heard
    | Silence
    | Halted
    | Failed
    | Pong
    | Memory
)
# The reports after which nothing more comes for a request.
ENDS = (Ready, Finished, Prepared, Counted, Vectors, Silence, Halted, Failed)

_encoder = msgspec.msgpack.Encoder()
_orders = msgspec.msgpack.Decoder(Order)
_reports = msgspec.msgpack.Decoder(Report)


def encode(message: Order | Report) -> bytes:
    """Return a frame.

    Raises:
        WireError: the message is longer than a frame may be.
    """
    data = _encoder.encode(message)
    if len(data) > LONGEST_FRAME:
        raise WireError(f"a frame of {len(data)} bytes")
    return len(data).to_bytes(4, "big") + data


def read_order(stream: BinaryIO) -> Order | None:
    """Return the next order, or None at the end of the stream.

    Raises:
        WireError: what came is none.
    """
    data = _read(stream)
    try:
        return None if data is None else _orders.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise WireError(str(error)) from None


def read_report(stream: BinaryIO) -> Report | None:
    """Return the next report, or None at the end of the stream.

    Raises:
        WireError: what came is none.
    """
    data = _read(stream)
    try:
        return None if data is None else _reports.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise WireError(str(error)) from None


def _read(stream: BinaryIO) -> bytes | None:
    head = _exactly(stream, 4)
    if not head:
        return None
    length = int.from_bytes(head, "big")
    if len(head) < 4 or length > LONGEST_FRAME:
        raise WireError(f"a frame of {length} bytes")
    data = _exactly(stream, length)
    if len(data) < length:
        raise WireError(f"a frame cut at {len(data)} of {length} bytes")
    return data


def _exactly(stream: BinaryIO, length: int) -> bytes:
    parts = []
    while length and (part := stream.read(min(length, 1 << 20))):
        parts.append(part)
        length -= len(part)
    return b"".join(parts)


def failure(number: int, error: EdgeSlmError) -> Failed:
    """Return the report of an error."""
    return Failed(number, type(error).__name__, str(error))


def error_of(report: Failed) -> EdgeSlmError:
    """Return the error that a worker reported, of the same class where errors.py has it."""
    kind = getattr(errors, report.error, EdgeSlmError)
    if not (isinstance(kind, type) and issubclass(kind, EdgeSlmError)):
        kind = EdgeSlmError
    return kind(report.sentence)


def internal_error(error: Exception) -> EdgeSlmError:
    """Return the sentence of an exception that no engine foresees."""
    if isinstance(error, MemoryError):
        return EdgeSlmError(
            t(
                "There is not enough memory for this request: close other programs, or use a "
                "smaller model.",
                "La mémoire manque pour cette demande : fermez d'autres programmes, ou prenez un "
                "modèle plus petit.",
            )
        )
    return EdgeSlmError(
        t(
            "The engine failed ({error}): try again, and report it if it happens again.",
            "Le moteur a échoué ({error}) : réessayez, et signalez-le si cela se reproduit.",
            error=f"{type(error).__name__}: {error}",
        )
    )
