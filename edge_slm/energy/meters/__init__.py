"""Which meter measures here: back ends, one file each, and the choice among them.

Best first: what covers more, and answers faster. A battery is a slow gauge, so that it comes last.
The GPU's is only taken by name, for the engines compute on the processor; and so is the platform's
of RAPL, which older machines get wrong.
"""

import importlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from edge_slm.energy.meter import Absent, Meter
from edge_slm.errors import UsageError
from edge_slm.i18n import t

# name -> module with `find(root)`, in the order in which they are tried.
BACKENDS = {
    "pmic": "pmic",
    "hwmon": "hwmon",
    "rapl": "rapl",
    "apple": "apple",
    "windows": "windows",
    "battery": "battery",
    "psys": "rapl",
    "nvml": "nvml",
}
BY_NAME_ONLY = frozenset({"psys", "nvml"})
NONE = "none"


def system_root() -> Path:
    """Return where `sys` and `proc` are: EDGE_SLM_SYSTEM_ROOT (a container's mount), else /."""
    return Path(os.environ.get("EDGE_SLM_SYSTEM_ROOT") or "/")


def find_all(root: Path) -> Iterator[tuple[str, Meter | Absent]]:
    """Yield each back end's name, and its meter or why there is none, best first."""
    for name in BACKENDS:
        yield name, find(name, root)


def find(name: str, root: Path) -> Meter | Absent:
    """Return the meter of one back end, or why there is none."""
    module = importlib.import_module(f"edge_slm.energy.meters.{BACKENDS[name]}")
    finder: Callable[..., Meter | Absent] = module.find
    return finder(root, domain="psys") if name == "psys" else finder(root)


def chosen(wanted: str | None = None) -> Meter | None:
    """Return the meter to use; None where there is none, so that costs are estimated.

    Args:
        wanted: “none”, a back end's name, or the address of an external meter (“csv:FILE”,
            “http://…”, “mqtt://…”, “serial:…”); None for EDGE_SLM_METER, else the best there is.
    Raises:
        UsageError: no such meter, or it is not here.
        MissingError: the package that it needs is not installed.
    """
    wanted = wanted or os.environ.get("EDGE_SLM_METER") or ""
    if wanted == NONE:
        return None
    if wanted in BACKENDS:
        return _named(wanted)
    if wanted and ":" not in wanted:
        raise UsageError(
            t(
                "There is no meter {name}: give none, {known}, or an address such as csv:FILE, "
                "http://…, mqtt://…, serial:….",
                "Il n'y a pas de compteur {name} : donnez none, {known}, ou une adresse comme "
                "csv:FICHIER, http://…, mqtt://…, serial:….",
                name=wanted,
                known=", ".join(BACKENDS),
            )
        )
    if wanted:
        from edge_slm.energy.meters.external import connect

        return connect(wanted)
    found = (find(name, system_root()) for name in BACKENDS if name not in BY_NAME_ONLY)
    return next((meter for meter in found if not isinstance(meter, Absent)), None)


def _named(name: str) -> Meter:
    found = find(name, system_root())
    if isinstance(found, Absent):
        raise UsageError(
            t(
                "The meter {name} cannot be used: {why}",
                "Le compteur {name} ne peut servir : {why}",
                name=name,
                why=found.reason,
            )
        )
    return found
