"""External meters by address: a log that grows, a wall plug, an MQTT topic, a serial line.

A package may bring others: an entry point of the group `edge_slm.meters` whose name is the scheme
of its addresses and whose value is a function like `connect`. It is imported only when an address
names it.
"""

import importlib
from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points

from edge_slm.energy.meter import Meter
from edge_slm.errors import MissingError, UsageError
from edge_slm.i18n import t

GROUP = "edge_slm.meters"
_BUILT_IN = ("csv", "http", "mqtt", "serial")


def connect(address: str) -> Meter:
    """Return the meter at an address.

    Args:
        address: such as `csv:/tmp/log.csv`, `http://192.168.1.20/rpc/Switch.GetStatus?id=0&json=
            apower`, `mqtt://broker/tele/plug/SENSOR?json=ENERGY.Power` or
            `serial:/dev/ttyUSB0?baud=115200`.

    Raises:
        UsageError: the address makes no sense, or the source gives no figure.
        MissingError: the source does not answer, or a package is missing.
    """
    scheme, colon, rest = address.partition(":")
    if not colon or not rest or any(ord(letter) < 32 for letter in address):
        raise _no_address(address)
    if scheme in _BUILT_IN:
        module = importlib.import_module(f"edge_slm.energy.meters.external_{scheme}")
        builtin: Callable[[str], Meter] = module.connect
        return builtin(address)
    for entry in entry_points(group=GROUP, name=scheme):
        return _loaded(entry)(address)
    raise _no_address(address)


def schemes() -> tuple[str, ...]:
    """Return the schemes that `connect` knows, those of other packages included."""
    return tuple(sorted({*_BUILT_IN, *(entry.name for entry in entry_points(group=GROUP))}))


def _loaded(entry: EntryPoint) -> Callable[[str], Meter]:
    try:
        found: Callable[[str], Meter] = entry.load()
    except (ImportError, AttributeError) as error:
        raise MissingError(
            t(
                "The meter “{name}” of the package {package} cannot be loaded: {reason}.",
                "Le compteur « {name} » du paquet {package} ne se charge pas : {reason}.",
                name=entry.name,
                package=entry.dist.name if entry.dist else entry.value,
                reason=error,
            )
        ) from error
    return found


def _no_address(address: str) -> UsageError:
    return UsageError(
        t(
            "“{address}” is no address of a meter: it begins with one of {known}.",
            "« {address} » n’est pas l’adresse d’un compteur : elle commence par {known}.",
            address=address[:80],
            known=", ".join(f"{scheme}:" for scheme in schemes()),
        )
    )
