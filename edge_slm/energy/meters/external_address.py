"""Addresses of external meters, and the units that their figures come in.

An address is `scheme:what?options`: `csv:/tmp/log.csv?column=power_w`. Options that all understand
are `unit`, `scope`, `interval` (seconds between two figures) and `error` (the share that the
instrument may be off by, from its data sheet: 0 unless it is given).
"""

import math
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal, get_args
from urllib.parse import parse_qsl, urlencode

from edge_slm.energy.meter import Channel, Scope
from edge_slm.errors import UsageError
from edge_slm.i18n import t

# A figure is too old to use after this many intervals without another.
STALE_INTERVALS = 3
_LONGEST_INTERVAL_S = 3600.0
# After the point of a counter: as many have Shelly's aenergy.total and ESPHome's daily totals.
USUAL_DECIMALS = 3
# unit, in small letters -> kind, and how many joules or watts one is
_UNITS: dict[str, tuple[Literal["energy", "power"], float]] = {
    "w": ("power", 1.0),
    "mw": ("power", 1e-3),
    "kw": ("power", 1e3),
    "j": ("energy", 1.0),
    "mj": ("energy", 1e-3),
    "kj": ("energy", 1e3),
    "wh": ("energy", 3600.0),
    "mwh": ("energy", 3.6),
    "kwh": ("energy", 3.6e6),
}
# Names that tell a unit: Shelly's (documentation of Switch and EM, Gen2), and what people write.
_NAMES = {
    **{"apower": "w", "act_power": "w", "aenergy.total": "wh"},
    **{"power": "w", "watt": "w", "watts": "w", "joule": "j", "joules": "j"},
}
_COMMON = {"unit", "scope", "interval", "error"}


@dataclass(frozen=True)
class Unit:
    """What a figure of the source is: joules or watts, and how many of them."""

    kind: Literal["energy", "power"]
    factor: float


@dataclass(frozen=True)
class Wanted:
    """An address taken apart.

    Attributes:
        what: between the scheme and the options.
        unit: None where the address does not say it.
        scope: what the figure covers.
        interval_s: seconds between two figures.
        error: share that the instrument may be off by.
        own: options of this kind of meter.
        rest: other options, as a query, for whoever passes them on.
    """

    scheme: str
    what: str
    unit: Unit | None
    scope: Scope
    interval_s: float
    error: float
    own: dict[str, str]
    rest: str

    @property
    def stale_s(self) -> float:
        """Return after how many seconds a figure is too old."""
        return STALE_INTERVALS * self.interval_s

    def channel(self, name: str, unit: Unit, decimals: int = USUAL_DECIMALS) -> Channel:
        """Return the channel of the figure.

        Args:
            name: of the field, column or topic.
            unit: of the figure.
            decimals: after the point of a counter's figure: its last digit is its step.
        """
        step_j = unit.factor * 10.0**-decimals if unit.kind == "energy" else 0.0
        return Channel(name, unit.kind, step_j=step_j, error=self.error)


def taken_apart(address: str, own: Collection[str], *, passes_on: bool = False) -> Wanted:
    """Take an address apart.

    Args:
        address: as the user typed it.
        own: names of options of this kind of meter.
        passes_on: other options belong to the source; else they are refused.

    Raises:
        UsageError: an unknown option, or a value that makes no sense.
    """
    scheme, _, body = address.partition(":")
    what, _, query = body.partition("?")
    try:
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=50)
    except ValueError as error:
        raise UsageError(
            t("The address has too many options.", "L’adresse a trop d’options.")
        ) from error
    mine = {name: value for name, value in pairs if name in _COMMON or name in own}
    others = [(name, value) for name, value in pairs if name not in mine]
    if others and not passes_on:
        raise UsageError(
            t(
                "A meter “{scheme}:” has no option “{name}”; it has {known}.",
                "Un compteur « {scheme}: » n’a pas d’option « {name} » ; il a {known}.",
                scheme=scheme,
                name=others[0][0],
                known=", ".join(sorted({*_COMMON, *own})),
            )
        )
    return Wanted(
        scheme=scheme,
        what=what,
        unit=_unit(mine["unit"]) if "unit" in mine else None,
        scope=_scope(mine.get("scope", "wall")),
        interval_s=_number("interval", mine.get("interval", "1"), 0.01, _LONGEST_INTERVAL_S),
        error=_number("error", mine.get("error", "0"), 0.0, 1.0),
        own={name: value for name, value in mine.items() if name in own},
        rest=urlencode(others),
    )


def told_unit(name: str) -> Unit | None:
    """Return the unit that a name tells: “power_w”, “Energy (Wh)”, “apower”; None if none."""
    if name.lower() in _NAMES:
        return _unit(_NAMES[name.lower()])
    words = [word for word in re.split(r"[^a-z]+", name.lower()) if word]
    last = _NAMES.get(words[-1], words[-1]) if words else ""
    return _unit(last) if last in _UNITS else None


def unit_of(wanted: Wanted, name: str) -> Unit:
    """Return the unit that the address says, else the one that the name of the figure tells.

    Raises:
        UsageError: neither says it.
    """
    unit = wanted.unit or told_unit(name)
    if unit is None:
        raise UsageError(
            t(
                "The unit of “{name}” is not known: add unit=W, unit=J or unit=Wh to the address.",
                "L’unité de « {name} » n’est pas connue : ajoutez unit=W, unit=J ou unit=Wh à "
                "l’adresse.",
                name=name,
            )
        )
    return unit


def number_option(wanted: Wanted, name: str, default: int, least: int, most: int) -> int:
    """Return a whole number of the options; raises UsageError."""
    return int(_number(name, wanted.own.get(name, str(default)), least, most))


def _unit(text: str) -> Unit:
    if text.lower() not in _UNITS:
        raise UsageError(
            t(
                "“{text}” is no unit of power or energy: use W, mW, kW, J, mJ, kJ, Wh, mWh or kWh.",
                "« {text} » n’est pas une unité de puissance ou d’énergie : utilisez W, mW, kW, J, "
                "mJ, kJ, Wh, mWh ou kWh.",
                text=text,
            )
        )
    return Unit(*_UNITS[text.lower()])


def _scope(text: str) -> Scope:
    for known in get_args(Scope):
        if text == known:
            scope: Scope = known
            return scope
    raise UsageError(
        t(
            "“{text}” is nothing that a meter covers: use {known}.",
            "« {text} » n’est rien qu’un compteur couvre : utilisez {known}.",
            text=text,
            known=", ".join(get_args(Scope)),
        )
    )


def _number(name: str, text: str, least: float, most: float) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not least <= value <= most:
        raise UsageError(
            t(
                "The option {name} of a meter is a number from {least} to {most}, not “{text}”.",
                "L’option {name} d’un compteur est un nombre de {least} à {most}, pas « {text} ».",
                name=name,
                least=f"{least:g}",
                most=f"{most:g}",
                text=text,
            )
        )
    return value
