"""An MQTT topic: `mqtt://broker:1883/tele/plug/SENSOR?json=ENERGY.Power`, by paho-mqtt (optional).

MQTT 3.1.1 over TCP without TLS, to the address that the broker had when it was named, and nowhere
else. A topic that speaks more rarely than once a second needs `interval`, or its figures count as
old. A message that the broker had kept from before counts as none, its age being unknown, and so
does one of more than 64 KB; that a broker sends one at all is not prevented.
"""

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, unquote, urlsplit

from edge_slm.energy.meters.external_address import Unit, taken_apart, unit_of
from edge_slm.energy.meters.external_meter import ExternalMeter, Heard
from edge_slm.energy.meters.external_value import MOST_BYTES, field, number
from edge_slm.errors import MissingError, UsageError
from edge_slm.i18n import t
from edge_slm.offline import allow_host

if TYPE_CHECKING:
    from paho.mqtt.client import Client

_PORT = 1883  # IANA: mqtt
_PATIENCE_S = 5.0  # for a broker on the local network to accept


def connect(address: str, clock: Callable[[], float] = time.monotonic) -> ExternalMeter:
    """Return a meter over a topic. It may have no figure until the topic next speaks.

    Args:
        address: options: `json`, the dotted path of the figure in a message; without it a message
            is a number, in watts unless `unit` says otherwise. `user:password@` may precede the
            host.
        clock: monotonic seconds.

    Raises:
        UsageError: the address makes no sense, or the host is not local.
        MissingError: the broker does not answer or refuses; paho-mqtt is missing.
    """
    wanted = taken_apart(address, ("json",))
    parts = _parts(wanted.what)
    topic = unquote(parts.path.removeprefix("/"))
    json_path = wanted.own.get("json")
    unit = unit_of(wanted, json_path) if json_path else wanted.unit or Unit("power", 1.0)
    heard = Heard(wanted.stale_s, clock)

    def understand(payload: bytes) -> None:
        if len(payload) > MOST_BYTES:
            return
        try:
            text = payload.decode()
            value = field(payload, json_path) if json_path else number(text)
        except ValueError:
            return  # one garbled message; the next counts
        heard.put(float(value) * unit.factor)

    client = _subscribed(parts, topic, understand)
    return ExternalMeter(
        name=f"{parts.hostname} ({topic})",
        scope=wanted.scope,
        channel=wanted.channel(json_path or topic, unit),
        interval_s=wanted.interval_s,
        take=heard.value,
        shut=lambda: _leave(client),
    )


def _parts(what: str) -> SplitResult:
    try:
        parts = urlsplit(f"mqtt:{what}")
        valid = bool(parts.hostname) and (parts.port or _PORT) > 0
    except ValueError:
        valid = False
    topic = unquote(parts.path.removeprefix("/")) if valid else ""
    if not topic or len(topic.encode()) > 65535 or set(topic) & {"#", "+", "\0"}:
        raise UsageError(
            t(
                "This is no address of one MQTT topic: write mqtt://HOST/TOPIC, without # and +.",
                "Ce n’est pas l’adresse d’un sujet MQTT : écrivez mqtt://HÔTE/SUJET, sans # ni +.",
            )
        )
    return parts


def _subscribed(parts: SplitResult, topic: str, understand: Callable[[bytes], None]) -> "Client":
    try:
        from paho.mqtt import client as mqtt
        from paho.mqtt.enums import CallbackAPIVersion
    except ImportError as error:
        raise MissingError(
            t(
                "The package paho-mqtt is missing: install edge-slm[meters].",
                "Le paquet paho-mqtt manque : installez edge-slm[meters].",
            )
        ) from error
    host, port = parts.hostname or "", parts.port or _PORT
    answered = threading.Event()
    refusals: list[str] = []

    def accepted(client: mqtt.Client, _data: Any, _flags: Any, code: Any, _more: Any) -> None:
        if code.is_failure:
            refusals.append(str(code))
        else:
            client.subscribe(topic)  # anew after each time that the connection was lost
        answered.set()

    client = mqtt.Client(CallbackAPIVersion.VERSION2)
    client.connect_timeout = _PATIENCE_S
    client.on_connect = accepted
    client.on_message = lambda _client, _data, message: (
        None if message.retain else understand(bytes(message.payload))
    )
    if parts.username:
        client.username_pw_set(unquote(parts.username), unquote(parts.password or ""))
    address = allow_host(host, port)
    try:
        client.connect(address, port)
    except (OSError, ValueError) as error:
        raise _silent(host, getattr(error, "strerror", None) or str(error)) from error
    client.loop_start()
    if not answered.wait(_PATIENCE_S) or refusals:
        _leave(client)
        raise _silent(host, refusals[0] if refusals else t("no answer", "pas de réponse"))
    return client


def _leave(client: "Client") -> None:
    client.disconnect()
    client.loop_stop()


def _silent(host: str, reason: str) -> MissingError:
    return MissingError(
        t(
            "The MQTT broker {host} does not accept the connection: {reason}.",
            "Le serveur MQTT {host} n’accepte pas la connexion : {reason}.",
            host=host,
            reason=reason,
        )
    )
