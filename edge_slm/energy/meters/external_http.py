"""An instrument that answers a GET with JSON.

Made for wall plugs such as Shelly's (Gen2 and later): `http://HOST/rpc/Switch.GetStatus?id=0&json=
apower` gives watts, `json=aenergy.total` watt-hours. One request a reading and none between. It
goes to the address that the host had when it was named, and nowhere else: no proxy, no redirection
is followed. No TLS and no password, which such plugs do not ask for by default.
"""

import http.client
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from urllib.parse import urlsplit

from edge_slm.energy.meters.external_address import Wanted, taken_apart, unit_of
from edge_slm.energy.meters.external_meter import ExternalMeter, Heard
from edge_slm.energy.meters.external_value import MOST_BYTES, decimals, field
from edge_slm.errors import EdgeSlmError, MissingError, UsageError
from edge_slm.i18n import t
from edge_slm.offline import allow_host

# After that an instrument on the same network counts as not there.
_PATIENCE_S = 5.0
# An answer of the assistant waits no longer than this for the instrument.
_WAIT_S = 0.3
_TROUBLE = (OSError, http.client.HTTPException, ValueError)


@dataclass(frozen=True)
class _Target:
    """Where to ask, and what for."""

    address: str
    port: int
    host: str
    path: str
    json_path: str

    @property
    def named(self) -> str:
        """Return the host as the request names it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == http.client.HTTP_PORT else f"{host}:{self.port}"


class _Asker:
    """A thread that asks once each time that it is told to, so that nobody waits for a slow one."""

    def __init__(self, target: _Target, heard: Heard, clock: Callable[[], float]) -> None:
        self.failure: Exception | None = None
        self.last = Decimal(0)
        self.factor = 1.0
        self._target = target
        self._heard = heard
        self._clock = clock
        self._asked = threading.Event()
        self._answered = threading.Event()
        self._answered.set()
        self._began = 0.0
        self._wire: socket.socket | None = None
        self._closed = False
        threading.Thread(target=self._run, name="meter-http", daemon=True).start()

    def ask(self, seconds: float) -> None:
        """Ask and wait so long for the answer, unless a question is under way already."""
        if self._answered.is_set():
            self._answered.clear()
            self._began = self._clock()
            self._asked.set()
            self._answered.wait(seconds)
        elif self._clock() - self._began > _PATIENCE_S:
            self._cut()

    def close(self) -> None:
        """End the thread."""
        self._closed = True
        self._asked.set()
        self._cut()

    def _cut(self) -> None:
        """Cut the connection: a source that drips bytes would else hold the thread for hours."""
        wire = self._wire
        try:
            if wire is not None:
                wire.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # it has ended by itself

    def _run(self) -> None:
        while True:
            self._asked.wait()
            self._asked.clear()
            if self._closed:
                return
            try:
                self.last = field(self._fetch(), self._target.json_path)
            except _TROUBLE as error:
                self.failure = error
            else:
                self.failure = None
                self._heard.put(float(self.last) * self.factor)
            self._answered.set()

    def _fetch(self) -> bytes:
        target = self._target
        connection = http.client.HTTPConnection(target.address, target.port, timeout=_PATIENCE_S)
        try:
            connection.connect()
            self._wire = connection.sock  # the connection forgets it once the head was read
            headers = {"Host": target.named, "Accept": "application/json", "Connection": "close"}
            connection.request("GET", target.path, headers=headers)
            response = connection.getresponse()
            if response.status != http.client.OK:
                raise ValueError(f"HTTP {response.status}")
            return response.read(MOST_BYTES + 1)
        finally:
            self._wire = None
            connection.close()


def connect(address: str, clock: Callable[[], float] = time.monotonic) -> ExternalMeter:
    """Return a meter over an instrument that answers with JSON.

    Args:
        address: options: `json`, the dotted path of the figure; what is no option of a meter goes
            to the instrument.
        clock: monotonic seconds.

    Raises:
        UsageError: the address makes no sense, the host is not local, or it says something else.
        MissingError: it does not answer.
    """
    wanted = taken_apart(address, ("json",), passes_on=True)
    target = _target(address, wanted)
    unit = unit_of(wanted, target.json_path)
    heard = Heard(wanted.stale_s, clock)
    asker = _Asker(target, heard, clock)
    asker.factor = unit.factor
    asker.ask(_PATIENCE_S)
    if heard.value() is None:
        failure = asker.failure  # before the cut, which is a failure too
        asker.close()
        raise _failed(target, failure)

    def take() -> float | None:
        asker.ask(0.0 if asker.failure else _WAIT_S)
        return heard.value()

    return ExternalMeter(
        name=f"{target.host} ({target.json_path})",
        scope=wanted.scope,
        channel=wanted.channel(target.json_path, unit, decimals(asker.last)),
        interval_s=wanted.interval_s,
        take=take,
        shut=asker.close,
    )


def _target(address: str, wanted: Wanted) -> _Target:
    json_path = wanted.own.get("json", "")
    try:
        parts = urlsplit(f"http:{wanted.what}")
        host, port = parts.hostname, parts.port or http.client.HTTP_PORT
    except ValueError:
        host, port = None, 0
        parts = urlsplit("")
    if not host or not json_path or parts.username or not parts.path.isascii():
        raise UsageError(
            t(
                "“{address}” is no address of a wall plug: write http://HOST/PATH?json=FIELD, "
                "without a password.",
                "« {address} » n’est pas l’adresse d’une prise : écrivez "
                "http://HÔTE/CHEMIN?json=CHAMP, sans mot de passe.",
                address=address if not parts.username else "http://…@…",
            )
        )
    path = (parts.path or "/") + (f"?{wanted.rest}" if wanted.rest else "")
    return _Target(allow_host(host, port), port, host, path, json_path)


def _failed(target: _Target, failure: Exception | None) -> EdgeSlmError:
    if isinstance(failure, ValueError):
        return UsageError(
            t(
                "The instrument at {host} gives no figure “{path}”: {reason}.",
                "L’instrument à {host} ne donne pas de chiffre « {path} » : {reason}.",
                host=target.host,
                path=target.json_path,
                reason=failure,
            )
        )
    return MissingError(
        t(
            "The instrument at {host} does not answer: check that it is on and that the address is "
            "right.",
            "L’instrument à {host} ne répond pas : vérifiez qu’il est allumé et que l’adresse est "
            "juste.",
            host=target.host,
        )
    )
