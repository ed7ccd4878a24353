"""External meters by address: what all share, logs that grow, serial lines, and other packages."""

import math
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_slm.energy.meters import external
from edge_slm.energy.meters.external import connect, schemes
from edge_slm.energy.meters.external_address import taken_apart, told_unit
from edge_slm.energy.meters.external_csv import connect as csv_meter
from edge_slm.energy.meters.external_meter import Heard
from edge_slm.energy.meters.external_value import MOST_BYTES, decimals, field, number
from edge_slm.errors import MissingError, UsageError
from tests.energy.listening import Clock, figure, noting, reads


@pytest.mark.parametrize(
    "address",
    [
        "",
        "csv",
        "csv:",
        "ftp://host/x",
        "https://192.168.1.2/x?json=a",
        "csv:/x\n",
        "rapl",
        ":",
        "é:x",
    ],
)
def test_what_is_no_address_is_told_which_there_are(address: str) -> None:
    with pytest.raises(UsageError, match="csv:, http:, mqtt:, serial:"):
        connect(address)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ("unit=kg", "kg"),
        ("scope=house", "package"),
        ("interval=0", "interval"),
        ("interval=nan", "interval"),
        ("error=2", "error"),
        ("error=x", "error"),
        ("colour=red", "colour"),
        ("&".join("a=1" for _ in range(60)), "too many"),
    ],
)
def test_an_option_that_makes_no_sense_is_named(tmp_path: Path, options: str, says: str) -> None:
    log = tmp_path / "log.csv"
    log.write_text("power_w\n1\n")
    with pytest.raises(UsageError, match=says):
        connect(f"csv:{log}?{options}")


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_address_is_taken_apart_or_refused(what: str, query: str) -> None:
    try:
        wanted = taken_apart(f"csv:{what}?{query}", ("column",))
    except UsageError:
        return
    assert 0 <= wanted.error <= 1
    assert wanted.interval_s > 0


@pytest.mark.parametrize(
    ("name", "kind", "factor"),
    [
        ("apower", "power", 1),
        ("power_w", "power", 1),
        ("Power (mW)", "power", 0.001),
        ("ENERGY.Power", "power", 1),
        ("aenergy.total", "energy", 3600),
        ("energy_J", "energy", 1),
        ("Total [kWh]", "energy", 3.6e6),
    ],
)
def test_a_name_may_tell_its_unit(name: str, kind: str, factor: float) -> None:
    unit = told_unit(name)
    assert unit
    assert (unit.kind, unit.factor) == (kind, factor)


@pytest.mark.parametrize("name", ["", "time", "voltage", "total", "w_time", "123", "é"])
def test_or_not(name: str) -> None:
    assert told_unit(name) is None


@pytest.mark.parametrize(
    ("text", "value"),
    [("12.5", "12.5"), (" 12.5 W\r", "12.5"), ("0", "0"), ("1e3", "1000"), ("7.mW", "7")],
)
def test_a_line_is_a_number_and_perhaps_its_unit(text: str, value: str) -> None:
    assert number(text) == Decimal(value)


@pytest.mark.parametrize(
    "text",
    ["", "W", "-1", "nan", "inf", "1e999", "12,5", "1 2", "P=3", "0x10", "1" * 30, "٣", "3 watts"],
)
def test_anything_else_is_none(text: str) -> None:
    with pytest.raises(ValueError):
        number(text)


def test_a_field_is_found_by_its_path() -> None:
    document = (
        b'{"switch:0": {"apower": 8.9, "aenergy": {"total": 11.679}}, "meters": [{"power": "3"}]}'
    )
    assert field(document, "switch:0.apower") == Decimal("8.9")
    assert decimals(field(document, "switch:0.aenergy.total")) == 3
    assert field(document, "meters.0.power") == 3


@pytest.mark.parametrize(
    "document",
    [
        *(b"", b"[", b"null", b"{}", b'{"p": null}', b'{"p": true}', b'{"p": NaN}', b'{"p": -3}'),
        *(
            b'{"p": Infinity}',
            b'{"p": 1e999}',
            b'{"p": 1e99999999999999999999}',
            b'{"p": {"q": 1}}',
        ),
        *(b"[" * 60000, b'{"p": ' + b"9" * 5000 + b"}", b'{"p": 1}' + b" " * MOST_BYTES),
        *(b"\xff\xfe{", b'{"p": "x"}', b'{"p": []}'),
    ],
    ids=lambda raw: repr(raw[:24]),
)
def test_a_document_without_the_figure_has_none(document: bytes) -> None:
    with pytest.raises(ValueError):
        field(document, "p")


@given(st.binary(max_size=200), st.text(max_size=10))
def test_any_bytes_are_a_figure_or_refused(raw: bytes, path: str) -> None:
    for text in (None, raw.decode("utf-8", "replace")):
        try:
            value = field(raw, path) if text is None else number(text)
        except ValueError:
            continue
        assert 0 <= float(value) < math.inf


@given(st.integers(0, 10**12), st.integers(0, 6))
def test_a_figure_comes_back_as_it_was_written(whole: int, digits: int) -> None:
    value = Decimal(whole).scaleb(-digits)
    assert number(f"{value:f} kWh") == value
    assert field(f'{{"a": [{value:f}]}}'.encode(), "a.0") == value


def test_an_old_figure_is_none() -> None:
    clock = Clock()
    heard = Heard(3.0, clock)
    assert heard.value() is None
    heard.put(12.0)
    clock.now_s += 3.0
    assert heard.value() == 12.0
    clock.now_s += 0.1
    assert heard.value() is None
    heard.put(13.0, age_s=2.0)
    assert heard.value() == 13.0
    clock.now_s += 1.5
    assert heard.value() is None


def add(log: Path, text: str) -> None:
    """Append to a log, as the program that writes it does."""
    with log.open("a", encoding="utf-8") as file:
        file.write(text)


def test_the_last_whole_line_of_a_log_counts(tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    log.write_text("time,voltage,power_w\n0,230,10.5\n1,230,11.5\n")
    meter = connect(f"csv:{log}")
    assert (meter.method, meter.scope, meter.name) == ("meter", "wall", "log.csv (power_w)")
    (channel,) = meter.channels
    assert (channel.name, channel.kind, channel.error) == ("power_w", "power", 0.0)
    assert meter.read() == (11.5,)
    add(log, "2,230,1")
    assert meter.read() == (11.5,), "a line was read before it was whole"
    add(log, "2.25\n3,230,13\n")
    assert meter.read() == (13.0,)
    meter.close()


@pytest.mark.parametrize(
    ("text", "options", "kind", "value"),
    [
        ("t;Leistung;Energie (Wh)\n1;3,5;2,25\n", "", "energy", 8100.0),
        ("t;Leistung;Energie (Wh)\n1;3,5;2,25\n", "?column=Leistung&unit=W", "power", 3.5),
        ("t\tkW\n1\t0,5\n", "", "power", 500.0),
        ("1,2,9\n", "?column=3&unit=mW", "power", 0.009),
        ("2,5,9\n", "?column=2&unit=W", "power", 5.0),
        ("7.5\n", "?unit=J", "energy", 7.5),
        ("time watts\n1   6.5\n", "", "power", 6.5),
        ('"time","power_w"\r\n"1","6.5"\r\n', "", "power", 6.5),
        ("\ufeffpower_w\n6.5 W\n", "", "power", 6.5),
    ],
)
def test_logs_of_many_shapes(
    tmp_path: Path, text: str, options: str, kind: str, value: float
) -> None:
    log = tmp_path / "log.csv"
    log.write_text(text, encoding="utf-8", newline="")
    meter = connect(f"csv:{log}{options}")
    (channel,) = meter.channels
    assert channel.kind == kind
    assert figure(meter) == pytest.approx(value)


def test_a_counter_steps_by_its_last_digit(tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    log.write_text("energy_wh\n11.67\n")
    (channel,) = connect(f"csv:{log}?error=0.01&scope=device").channels
    assert channel.step_j == pytest.approx(36)
    assert channel.error == 0.01
    log.write_text("energy_wh\n")
    (channel,) = connect(f"csv:{log}").channels
    assert channel.step_j == pytest.approx(3.6)


def test_a_log_that_stands_still_gives_no_figure(tmp_path: Path) -> None:
    clock = Clock()
    log = tmp_path / "log.csv"
    log.write_text("power_w\n5\n")
    meter = csv_meter(f"csv:{log}?interval=2", clock)
    assert meter.read() == (5.0,)
    clock.now_s += 6.1
    assert meter.read() == (None,)
    add(log, "5\n")
    assert meter.read() == (5.0,)


def test_what_was_written_long_ago_is_no_figure(tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    log.write_text("power_w\n5\n")
    os.utime(log, (time.time() - 60, time.time() - 60))
    meter = connect(f"csv:{log}")
    assert meter.read() == (None,)
    add(log, "6\n")
    assert meter.read() == (6.0,)


def test_a_log_that_is_cut_replaced_or_gone(tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    log.write_text("power_w\n5\n6\n")
    meter = connect(f"csv:{log}")
    assert meter.read() == (6.0,)
    log.write_text("power_w\n7\n")
    assert meter.read() == (7.0,)
    new = tmp_path / "new.csv"
    new.write_text("power_w\n8\n")
    new.replace(log)
    assert meter.read() == (8.0,)
    log.unlink()
    assert meter.read() == (None,)
    log.write_text("power_w\n9\n")
    assert meter.read() == (9.0,)
    log.write_text("power_w\n4\n")  # of the same size, in the same place
    assert meter.read() == (4.0,)


@pytest.mark.parametrize("line", ["power_w", "", "x", "-5", "nan", "\0\0", "9" * 100_000, "\ufffd"])
def test_a_garbled_line_is_passed_over(tmp_path: Path, line: str) -> None:
    log = tmp_path / "log.csv"
    log.write_text("power_w\n5\n")
    meter = connect(f"csv:{log}")
    assert meter.read() == (5.0,)
    add(log, line + "\n")
    assert meter.read() == (5.0,)
    add(log, "6\n")
    assert meter.read() == (6.0,)


def test_only_the_end_of_a_long_log_is_read(tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    log.write_text("power_w\n" + "1\n" * 500_000 + "2\n")
    assert connect(f"csv:{log}").read() == (2.0,)


@pytest.mark.parametrize(
    ("content", "options", "says"),
    [
        (b"", "", "empty"),
        (b"\n\n", "", "empty"),
        (b"\x7fELF\0\0\0", "", "no lines of text"),
        (b"a" * 70_000, "", "no lines of text"),
        (b"time,volts\n1,2\n", "", "column=NAME, one of time, volts"),
        (b"time,power_w\n1,2\n", "?column=amps", "one of time, power_w"),
        (b"time,power_w\n1,2\n", "?column=3", "one of time, power_w"),
        (b"time,power_w\n1,2\n", "?column=", "one of time, power_w"),
        (b"1,2\n", "", "one of 1, 2"),
        (b"time,load\n1,2\n", "?column=load", "unit"),
    ],
)
def test_a_log_that_cannot_be_used_is_refused(
    tmp_path: Path, content: bytes, options: str, says: str
) -> None:
    log = tmp_path / "log.csv"
    log.write_bytes(content)
    with pytest.raises(UsageError, match=says):
        connect(f"csv:{log}{options}")


def test_so_is_what_is_no_file(tmp_path: Path) -> None:
    for path in (tmp_path / "absent.csv", tmp_path, "~nobody-by-that-name/log.csv"):
        with pytest.raises(UsageError, match="cannot be read"):
            connect(f"csv:{path}")


@pytest.mark.skipif(sys.platform == "win32", reason="no named pipes in the file system")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(UsageError, match="regular file"):
        connect(f"csv:{pipe}")


@pytest.fixture
def line() -> Iterator[tuple[Callable[[bytes], object], str]]:
    """Give a pseudo-terminal: what writes to the instrument's end, and the path of the other."""
    pytest.importorskip("serial")
    openpty = getattr(os, "openpty", None)
    if openpty is None:
        pytest.skip("no pseudo-terminals here")
    master, slave = openpty()
    yield lambda raw: os.write(master, raw), os.ttyname(slave)
    os.close(master)
    os.close(slave)


@pytest.mark.parametrize(
    ("options", "spoken", "value"),
    [
        ("", b"12.25\r\n", 12.25),
        ("&unit=mW", b"500 mW\n", 0.5),
        ("&column=2", b"230.1, 8.5, 0.03\n", 8.5),
        ("&column=3", b"a b 7\n", 7.0),
        ("&json=power", b'{"power": 4.5}\n', 4.5),
        ("&json=total&unit=Wh", b'{"total": 2}\n', 7200.0),
    ],
)
def test_an_instrument_speaks_line_by_line(
    line: tuple[Callable[[bytes], object], str],
    monkeypatch: pytest.MonkeyPatch,
    options: str,
    spoken: bytes,
    value: float,
) -> None:
    speak, path = line
    noted = noting(monkeypatch)
    meter = connect(f"serial:{path}?baud=115200&interval=600{options}")
    assert meter.read() == (None,)
    speak(b"99999\n")  # perhaps half a line: thrown away
    speak(spoken)
    assert reads(meter, value)
    assert noted == [value]
    meter.close()
    assert "meter-serial" not in {thread.name for thread in threading.enumerate()}


def test_lines_that_are_garbled_or_endless_are_passed_over(
    line: tuple[Callable[[bytes], object], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    speak, path = line
    noted = noting(monkeypatch)
    meter = connect(f"serial:{path}?interval=600&column=1")
    speak(b"half\n5\n")
    assert reads(meter, 5.0)
    for garbled in (b"\n", b"\xff\x01\n", b",\n", b"-3\n", b"NaN\n"):
        speak(garbled)
    for _ in range(80):
        speak(b"8" * 1024)  # no end of a line in more than MOST_BYTES
    speak(b"8\n6\n")
    assert reads(meter, 6.0)
    assert noted == [5.0, 6.0]
    meter.close()


def test_an_instrument_that_is_unplugged_gives_no_figure() -> None:
    pytest.importorskip("serial")
    openpty = getattr(os, "openpty", None)
    if openpty is None:
        pytest.skip("no pseudo-terminals here")
    master, slave = openpty()
    meter = connect(f"serial:{os.ttyname(slave)}?interval=0.05")
    os.close(slave)
    os.write(master, b"x\n5\n")
    os.close(master)
    assert reads(meter, None)
    meter.close()


@pytest.mark.parametrize("what", ["/nowhere/ttyUSB0", "{folder}", "{file}", "?baud=9600"])
def test_a_port_that_does_not_open_is_a_sentence(tmp_path: Path, what: str) -> None:
    pytest.importorskip("serial")
    (tmp_path / "file").write_text("5\n")
    with pytest.raises(MissingError, match="cannot be opened"):
        connect("serial:" + what.format(folder=tmp_path, file=tmp_path / "file"))


@pytest.mark.parametrize("options", ["baud=fast", "baud=-1", "column=0", "json=load"])
def test_so_is_an_option_of_a_serial_line(options: str) -> None:
    with pytest.raises(UsageError):
        connect(f"serial:/dev/null?{options}")


@pytest.mark.parametrize(
    ("package", "address"),
    [("serial", "serial:/dev/null"), ("paho.mqtt", "mqtt://127.0.0.1/a")],
)
def test_a_package_that_is_missing_is_named(
    monkeypatch: pytest.MonkeyPatch, package: str, address: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingError, match=r"edge-slm\[meters\]"):
        connect(address)


def test_a_package_may_bring_meters(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "plug_in_meter.py").write_text("def connect(address): return {address}\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    theirs = [
        EntryPoint("knx", "plug_in_meter:connect", external.GROUP),
        EntryPoint("gone", "no_such_module:connect", external.GROUP),
        EntryPoint("empty", "plug_in_meter:nothing", external.GROUP),
        EntryPoint("csv", "no_such_module:connect", external.GROUP),
    ]

    def found(group: str, name: str | None = None) -> list[EntryPoint]:
        return [one for one in theirs if one.group == group and name in (None, one.name)]

    monkeypatch.setattr(external, "entry_points", found)
    assert schemes() == ("csv", "empty", "gone", "http", "knx", "mqtt", "serial")
    theirs_at: object = connect("knx:1/2/3")
    assert theirs_at == {"knx:1/2/3"}
    for name in ("gone", "empty"):
        with pytest.raises(MissingError, match=f"“{name}”"):
            connect(f"{name}:x")
    with pytest.raises(UsageError, match="cannot be read"):
        connect(f"csv:{tmp_path / 'none'}")  # the built-in one is not taken over


def test_without_other_packages_there_are_the_built_in_ones() -> None:
    assert {"csv", "http", "mqtt", "serial"} <= set(schemes())
