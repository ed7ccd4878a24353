"""A broker of one client over loopback: the few packets of MQTT 3.1.1 that a subscriber needs.

Packet types and layouts: MQTT 3.1.1, OASIS, sections 2.2 and 3.
"""

import socket
import struct
import threading
from collections.abc import Callable
from types import TracebackType

Read = Callable[[int], bytes]

CONNECT, CONNACK, PUBLISH, SUBSCRIBE, SUBACK, PINGREQ, PINGRESP, DISCONNECT = (
    *(1, 2, 3, 8, 9, 12, 13, 14),
)


class Broker:
    """Listens from `with` on; `publish` and `send` speak to whoever subscribed."""

    def __init__(self, return_code: int = 0) -> None:
        self.return_code = return_code
        self.subscribed = threading.Event()
        self.connects: list[bytes] = []
        self.topics: list[str] = []
        self._server = socket.create_server(("127.0.0.1", 0))
        self._client: socket.socket | None = None
        self._thread = threading.Thread(target=self._serve, daemon=True)

    @property
    def port(self) -> int:
        """Return the port that it listens on."""
        port: int = self._server.getsockname()[1]
        return port

    def __enter__(self) -> "Broker":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self.drop()
        self._thread.join()

    def publish(self, topic: str, payload: bytes, *, retained: bool = False) -> None:
        """Send a message, QoS 0."""
        name = topic.encode()
        body = struct.pack(">H", len(name)) + name + payload
        self.send(bytes([PUBLISH << 4 | retained]) + _length(len(body)) + body)

    def send(self, raw: bytes) -> None:
        """Send any bytes."""
        assert self._client
        self._client.sendall(raw)

    def drop(self) -> None:
        """Cut the connection."""
        client = self._client
        if client:
            try:
                client.shutdown(socket.SHUT_RDWR)
            except OSError:
                return  # the client went first

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return  # closed
            self._client = client
            with client, client.makefile("rb") as stream:
                while self._answered(client, stream.read(1), stream.read):
                    pass

    def _answered(self, client: socket.socket, first: bytes, read: Read) -> bool:
        if not first:
            return False
        body = read(_size(read))
        kind = first[0] >> 4
        if kind == CONNECT:
            self.connects.append(body)
            client.sendall(bytes([CONNACK << 4, 2, 0, self.return_code]))
        elif kind == SUBSCRIBE:
            (size,) = struct.unpack_from(">H", body, 2)
            self.topics.append(body[4 : 4 + size].decode())
            client.sendall(bytes([SUBACK << 4, 3]) + body[:2] + b"\0")
            self.subscribed.set()
        elif kind == PINGREQ:
            client.sendall(bytes([PINGRESP << 4, 0]))
        return kind != DISCONNECT


def _length(size: int) -> bytes:
    """Return a remaining length: seven bits a byte, the eighth says that more follow."""
    coded = b""
    while True:
        size, low = divmod(size, 128)
        coded += bytes([low | (128 if size else 0)])
        if not size:
            return coded


def _size(read: Read) -> int:
    size, shift = 0, 0
    while True:
        byte = read(1)
        if not byte:
            return 0
        size |= (byte[0] & 127) << shift
        if byte[0] < 128:
            return size
        shift += 7
