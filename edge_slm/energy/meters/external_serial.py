"""An instrument on a serial line, a line a figure: `serial:/dev/ttyUSB0?baud=115200`, by pyserial.

A line is a number, perhaps with its unit behind it, or a cell of several (`column=2`), or JSON
(`json=power`). The first line is thrown away: it may have begun before the port was opened. An
instrument that is unplugged gives no figure any more, also when it comes back.
"""

import threading
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import TYPE_CHECKING

from edge_slm.energy.meters.external_address import (
    Unit,
    Wanted,
    number_option,
    taken_apart,
    unit_of,
)
from edge_slm.energy.meters.external_meter import ExternalMeter, Heard
from edge_slm.energy.meters.external_value import MOST_BYTES, cells, delimiter, field, number
from edge_slm.errors import MissingError
from edge_slm.i18n import t

if TYPE_CHECKING:
    from serial import Serial

_BAUD = 9600  # pyserial's own default
_MOST_BAUD = 4_000_000
_MOST_COLUMNS = 1000


def connect(address: str, clock: Callable[[], float] = time.monotonic) -> ExternalMeter:
    """Return a meter over a serial line. It may have no figure until the line next speaks.

    Args:
        address: options: `baud` (9600), `column` from 1 on, `json`; watts unless `unit` or the
            JSON field says otherwise.
        clock: monotonic seconds.

    Raises:
        UsageError: an option makes no sense.
        MissingError: the port cannot be opened; pyserial is missing.
    """
    wanted = taken_apart(address, ("baud", "column", "json"))
    json_path = wanted.own.get("json")
    unit = unit_of(wanted, json_path) if json_path else wanted.unit or Unit("power", 1.0)
    reads = _reader(wanted, json_path)
    port = _opened(wanted.what, number_option(wanted, "baud", _BAUD, 50, _MOST_BAUD), wanted)
    heard = Heard(wanted.stale_s, clock)
    ended = threading.Event()

    def listen() -> None:
        for line in _lines(port, ended):
            try:
                heard.put(float(reads(line)) * unit.factor)
            except ValueError:
                continue  # one garbled line; the next counts

    thread = threading.Thread(target=listen, name="meter-serial", daemon=True)
    thread.start()

    def shut() -> None:
        ended.set()
        port.cancel_read()
        thread.join()
        port.close()

    return ExternalMeter(
        name=f"{wanted.what} ({json_path or 'serial'})",
        scope=wanted.scope,
        channel=wanted.channel(json_path or "serial", unit),
        interval_s=wanted.interval_s,
        take=heard.value,
        shut=shut,
    )


def _reader(wanted: Wanted, json_path: str | None) -> Callable[[bytes], Decimal]:
    if json_path is not None:
        return lambda line: field(line, json_path)
    if "column" not in wanted.own:
        return lambda line: number(line.decode("utf-8", "replace"))
    index = number_option(wanted, "column", 1, 1, _MOST_COLUMNS) - 1

    def cell(line: bytes) -> Decimal:
        text = line.decode("utf-8", "replace").strip()
        found = cells(text, delimiter(text))
        if index >= len(found):
            raise ValueError("the line is short")
        return number(found[index])

    return cell


def _lines(port: "Serial", ended: threading.Event) -> Iterator[bytes]:
    """Yield the lines that come in whole, without the first, until the port or the meter ends."""
    held, whole = b"", False
    while not ended.is_set():
        try:
            piece = port.read_until(b"\n", MOST_BYTES)
        except (OSError, TypeError):  # unplugged; pyserial raises TypeError when closed meanwhile
            return
        held += piece
        if held.endswith(b"\n"):
            if whole:
                yield held.strip()
            held, whole = b"", True
        elif len(held) >= MOST_BYTES:
            held, whole = b"", False  # no line of an instrument: wait for the next beginning


def _opened(path: str, baud: int, wanted: Wanted) -> "Serial":
    try:
        from serial import Serial
    except ImportError as error:
        raise MissingError(
            t(
                "The package pyserial is missing: install edge-slm[meters].",
                "Le paquet pyserial manque : installez edge-slm[meters].",
            )
        ) from error
    try:
        return Serial(path, baud, timeout=wanted.interval_s, exclusive=True)
    except (OSError, ValueError) as error:  # SerialException is an OSError
        raise MissingError(
            t(
                "The serial port {path} cannot be opened: check that it is plugged in, and that "
                "you may read it (group dialout on Debian).",
                "Le port série {path} ne s’ouvre pas : vérifiez qu’il est branché, et que vous "
                "avez le droit de le lire (groupe dialout sous Debian).",
                path=path,
            )
        ) from error
