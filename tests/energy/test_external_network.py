"""External meters over the network: a real HTTP server and a real broker, both on loopback."""

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from edge_slm.energy.meter import Meter
from edge_slm.energy.meters import external_http, external_mqtt
from edge_slm.energy.meters.external import connect
from edge_slm.energy.meters.external_http import connect as http_meter
from edge_slm.energy.meters.external_mqtt import connect as mqtt_meter
from edge_slm.errors import EdgeSlmError, MissingError, UsageError
from tests.energy.listening import Clock, figure, noting, reads
from tests.energy.mqtt_broker import Broker

# The status of a plug, by the documentation of Shelly's Switch component (Gen2).
SHELLY = b"""{"id": 0, "source": "http", "output": true, "apower": 8.9, "voltage": 237.5,
"current": 0.071, "freq": 50.0, "aenergy": {"total": 11.679, "by_minute": [0.0, 40.2, 21.1],
"minute_ts": 1700000000}, "temperature": {"tC": 41.3, "tF": 106.3}}"""


class Plug(ThreadingHTTPServer):
    """Answers every GET with what it was told to."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answering)
        self.body = SHELLY
        self.status = 200
        self.headers: dict[str, str] = {}
        self.asked: list[tuple[str, str]] = []
        self.holds = threading.Event()  # while it is cleared, no answer ends
        self.holds.set()

    @property
    def base(self) -> str:
        """Return where it is."""
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Answering(BaseHTTPRequestHandler):
    server: Plug

    def do_GET(self) -> None:
        """Answer."""
        self.server.asked.append((self.path, self.headers["Host"]))
        self.send_response(self.server.status)
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(self.server.body[:5])
        self.wfile.flush()
        self.server.holds.wait()
        self.wfile.write(self.server.body[5:])

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def plug() -> Iterator[Plug]:
    """A plug that runs."""
    server = Plug()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.holds.set()
    server.shutdown()
    server.server_close()


def test_a_plug_tells_its_power(plug: Plug) -> None:
    meter: Meter = connect(f"{plug.base}/rpc/Switch.GetStatus?id=0&json=apower&error=0.01")
    assert (meter.method, meter.scope, meter.name) == ("meter", "wall", "127.0.0.1 (apower)")
    (channel,) = meter.channels
    assert (channel.name, channel.kind, channel.error) == ("apower", "power", 0.01)
    assert meter.read() == (8.9,)
    plug.body = SHELLY.replace(b"8.9", b"21")
    assert reads(meter, 21.0)
    port = plug.server_address[1]
    assert set(plug.asked) == {("/rpc/Switch.GetStatus?id=0", f"127.0.0.1:{port}")}
    meter.close()


def test_or_its_energy_in_joules(plug: Plug) -> None:
    meter = connect(f"{plug.base}/rpc/Switch.GetStatus?id=0&json=aenergy.total")
    (channel,) = meter.channels
    assert channel.kind == "energy"
    assert channel.step_j == pytest.approx(3.6)
    assert figure(meter) == pytest.approx(11.679 * 3600)
    meter.close()


def test_nothing_is_asked_between_readings(plug: Plug) -> None:
    meter = connect(f"{plug.base}/?json=apower")
    meter.read()
    for _ in range(20):
        before = len(plug.asked)
        time.sleep(0.05)
        if len(plug.asked) == before:
            break
    else:
        raise AssertionError(f"asked without a reading: {len(plug.asked)}")
    meter.close()


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        (b"", 200, "gives no figure"),
        (b"<html>", 200, "gives no figure"),
        (b'{"voltage": 230}', 200, "“apower” is not there"),
        (b'{"apower": "off"}', 200, "gives no figure"),
        (b'{"apower": -1}', 200, "gives no figure"),
        (b'{"apower": 1, "x": "' + b"x" * 200_000 + b'"}', 200, "too large"),
        (b"[" * 60_000, 200, "gives no figure"),
        (SHELLY, 401, "HTTP 401"),
        (SHELLY, 500, "HTTP 500"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_a_source_that_gives_no_figure_is_refused(
    plug: Plug, body: bytes, status: int, says: str
) -> None:
    plug.body, plug.status = body, status
    with pytest.raises(UsageError, match=says):
        connect(f"{plug.base}/?json=apower")


def test_a_redirection_is_not_followed(plug: Plug) -> None:
    plug.status, plug.headers = 302, {"Location": f"{plug.base}/elsewhere?json=apower"}
    with pytest.raises(UsageError, match="HTTP 302"):
        connect(f"{plug.base}/here?json=apower")
    assert [path for path, _ in plug.asked] == ["/here"]


def test_a_proxy_of_the_environment_is_not_used(
    plug: Plug, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    meter = connect(f"{plug.base}/?json=apower")
    assert meter.read() == (8.9,)
    meter.close()


def test_a_source_that_stops_gives_none_and_comes_back(plug: Plug) -> None:
    clock = Clock()
    meter = http_meter(f"{plug.base}/?json=apower", clock)
    assert meter.read() == (8.9,)
    plug.status = 500
    clock.now_s += 3.1
    assert reads(meter, None)
    plug.status = 200
    assert reads(meter, 8.9)
    plug.body = b'{"apower": 9'
    clock.now_s += 3.1
    assert reads(meter, None)
    meter.close()


def test_one_that_answers_slowly_holds_nobody_up(
    plug: Plug, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(external_http, "_PATIENCE_S", 600.0)
    clock = Clock()
    meter = http_meter(f"{plug.base}/?json=apower", clock)
    plug.holds.clear()
    for _ in range(3):
        meter.read()  # returns, although the answer does not come
    clock.now_s += 4
    assert meter.read() == (None,)
    asked = len(plug.asked)
    clock.now_s += 600  # beyond all patience: the connection is cut, and another is tried
    for _ in range(3000):
        assert meter.read() == (None,)
        time.sleep(0.01)
        if len(plug.asked) > asked:
            break
    else:
        raise AssertionError("the thread waits still")
    plug.holds.set()
    assert reads(meter, 8.9)
    meter.close()


def test_one_that_never_answers_is_missing(plug: Plug, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(external_http, "_PATIENCE_S", 0.05)
    plug.holds.clear()
    with pytest.raises(MissingError, match="does not answer"):
        connect(f"{plug.base}/?json=apower")


def test_so_is_one_that_refuses(plug: Plug) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(MissingError, match="does not answer"):
        connect(f"http://127.0.0.1:{port}/?json=apower")


@pytest.mark.parametrize(
    "address",
    [
        *("http://127.0.0.1/", "http:///x?json=apower", "http:x?json=apower"),
        *("http://127.0.0.1:99999/?json=apower", "http://[::1/?json=apower", "http://é/é?json=W"),
        "http://user:secret@127.0.0.1/?json=apower",
    ],
)
def test_an_address_without_host_or_field_is_refused(address: str) -> None:
    with pytest.raises(UsageError) as refused:
        connect(address)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("scheme", ["http", "mqtt"])
@pytest.mark.parametrize("host", ["192.0.2.1", "8.8.8.8", "[2001:db8::1]"])
def test_a_host_of_the_internet_is_refused(scheme: str, host: str) -> None:
    pytest.importorskip("paho.mqtt.client")
    with pytest.raises(UsageError, match="local network"):
        connect(f"{scheme}://{host}/a?json=power")


def test_with_the_guard_on_only_the_named_instrument_is_reached(plug: Plug) -> None:
    code = f"""
import socket
from edge_slm.offline import NetworkForbidden, forbid_network
from edge_slm.energy.meters.external import connect
forbid_network()
meter = connect("{plug.base}/?json=apower")
assert meter.read() == (8.9,)
meter.close()
try:
    socket.create_connection(("192.0.2.1", 80))
except NetworkForbidden:
    raise SystemExit(0)
raise SystemExit("not stopped")
"""
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.fixture
def broker() -> Iterator[Broker]:
    """A broker that accepts."""
    pytest.importorskip("paho.mqtt.client")
    with Broker() as running:
        yield running


@pytest.mark.parametrize(
    ("options", "payload", "value"),
    [
        ("?json=ENERGY.Power", b'{"ENERGY": {"Power": 12.5}}', 12.5),
        ("?json=ENERGY.Total&unit=kWh", b'{"ENERGY": {"Total": 0.5}}', 1.8e6),
        ("", b"42", 42.0),
        ("?unit=mW", b" 42 ", 0.042),
    ],
)
def test_a_topic_tells_figures(broker: Broker, options: str, payload: bytes, value: float) -> None:
    join = "&" if options else "?"
    meter = connect(f"mqtt://127.0.0.1:{broker.port}/tele/plug/SENSOR{options}{join}interval=600")
    assert meter.name == "127.0.0.1 (tele/plug/SENSOR)"
    assert meter.read() == (None,)
    assert broker.subscribed.wait()
    assert broker.topics == ["tele/plug/SENSOR"]
    broker.publish("tele/plug/SENSOR", payload)
    assert reads(meter, pytest.approx(value))
    meter.close()


def test_messages_that_are_garbled_huge_or_kept_are_passed_over(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted = noting(monkeypatch)
    meter = connect(f"mqtt://127.0.0.1:{broker.port}/p?interval=600")
    assert broker.subscribed.wait()
    broker.publish("p", b"5")
    assert reads(meter, 5.0)
    for payload in (b"", b"\xff", b"-1", b"nan", b"[" * 60_000, b"7" + b" " * 100_000):
        broker.publish("p", payload)
    broker.publish("p", b"8", retained=True)
    broker.publish("other", b"\0")
    broker.publish("p", b"6")
    assert reads(meter, 6.0)
    assert noted == [5.0, 6.0]
    meter.close()


def test_a_topic_that_falls_silent_gives_none(broker: Broker) -> None:
    clock = Clock()
    meter = mqtt_meter(f"mqtt://127.0.0.1:{broker.port}/p", clock)
    assert broker.subscribed.wait()
    broker.publish("p", b"5")
    assert reads(meter, 5.0)
    clock.now_s += 3.1
    assert meter.read() == (None,)
    broker.publish("p", b"5")
    assert reads(meter, 5.0)
    meter.close()


def test_a_connection_that_is_cut_is_made_anew(broker: Broker) -> None:
    meter = connect(f"mqtt://127.0.0.1:{broker.port}/p?interval=600")
    assert broker.subscribed.wait()
    broker.subscribed.clear()
    broker.drop()
    assert broker.subscribed.wait()
    broker.publish("p", b"5")
    assert reads(meter, 5.0)
    assert broker.topics == ["p", "p"]
    meter.close()


def test_a_user_and_a_password_go_to_the_broker_and_nowhere_else(broker: Broker) -> None:
    meter = connect(f"mqtt://me:s%40cret@127.0.0.1:{broker.port}/p")
    assert b"\x00\x02me\x00\x06s@cret" in broker.connects[0]
    assert "cret" not in meter.name
    meter.close()


@pytest.mark.parametrize("code", [4, 5])
def test_a_broker_that_refuses_is_a_sentence(code: int) -> None:
    pytest.importorskip("paho.mqtt.client")
    with Broker(return_code=code) as broker, pytest.raises(MissingError, match="does not accept"):
        connect(f"mqtt://me:secret@127.0.0.1:{broker.port}/p")


def test_so_is_one_that_is_not_there_or_no_broker(
    plug: Plug, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("paho.mqtt.client")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        nobody = taken.getsockname()[1]
    monkeypatch.setattr(external_mqtt, "_PATIENCE_S", 0.3)
    for port in (nobody, plug.server_address[1]):
        with pytest.raises(MissingError, match="does not accept"):
            connect(f"mqtt://127.0.0.1:{port}/p")


@pytest.mark.parametrize(
    "hostile",
    [
        *(b"\xff\xff\xff\xff\xff\xff", b"\x30\x02\xff\xff", b"\x30\x05\x00\x01\xffab"),
        *(b"\x00\x00", b"\x20\x01\x00", b"\x90\x00"),
    ],
    ids=bytes.hex,
)
def test_a_broker_that_breaks_the_protocol_gives_no_figure(broker: Broker, hostile: bytes) -> None:
    meter = connect(f"mqtt://127.0.0.1:{broker.port}/p?interval=600")
    assert broker.subscribed.wait()
    broker.send(hostile)
    assert meter.read() == (None,)
    meter.close()
    assert meter.read() == (None,)


@pytest.mark.parametrize(
    "address",
    [
        *("mqtt://127.0.0.1", "mqtt://127.0.0.1/", "mqtt:///p", "mqtt://127.0.0.1/#"),
        *("mqtt://127.0.0.1/a/+/b", "mqtt://127.0.0.1:x/p", "mqtt://127.0.0.1/a%00"),
        *("mqtt://127.0.0.1/a?json=load", "mqtt://127.0.0.1/a?column=1", "mqtt://127.0.0.1:0/a%23"),
    ],
)
def test_what_is_no_topic_is_refused(address: str) -> None:
    with pytest.raises(EdgeSlmError) as refused:
        connect(address)
    assert isinstance(refused.value, UsageError)
