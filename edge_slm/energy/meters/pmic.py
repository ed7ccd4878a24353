"""The power chip (PMIC) of a Raspberry Pi 5: volts and amperes of its rails, through vcgencmd.

    vcgencmd pmic_read_adc  ->   VDD_CORE_A current(7)=1.54489000A
                                 VDD_CORE_V volt(15)=0.88725180V

Twelve rails have both, and their products are added; EXT5V and BATT have volts only. There is no
counter and no file of the kernel's (zeus, issue 273), so that the program is run for each reading.

What the sum lacks: what hangs on 5 V (USB devices, HATs, an NVMe drive) and the loss of the
converters. A line fitted against a meter at the plug is passed around for that, watts x 1.1451 +
0.5879 W (jfikar/RPi5-power; touchkio, issue 35). It is not applied: it comes from one board, its
author's own script has other figures (1.1327 and 0.6444), and a fit is no measurement of another
board. Its slope is taken into the error instead; its constant falls away above the idle machine.
"""

import math
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from edge_slm.answer import Method
from edge_slm.energy.meter import Absent, Channel, Scope
from edge_slm.energy.meters.sysfs import text
from edge_slm.i18n import t

_MODEL = re.compile(r"Raspberry Pi 5\b")
_LINE = re.compile(
    r"[ \t]*([0-9A-Za-z_]{1,32})_([AV])[ \t]+(?:current|volt)\([0-9]{1,3}\)="
    r"([0-9]{1,3}(?:\.[0-9]{1,12})?)([AV])[ \t\r]*"
)
_LONGEST = 65_536  # characters; the output has about 900
# The slope of the line above: the supply gives up to 15 % more than the rails do.
_ERROR = 0.15
# The official supply gives 27 W.
_MOST_W = 27.0
# Each reading starts a program. One that only prints a recording took 1.3 ms of CPU time on a Xeon,
# so that four a second cost 0.5 % of one core; not measured on a Raspberry Pi.
_INTERVAL_S = 0.25
_TIMEOUT_S = 2.0


class PmicMeter:
    """The rails of a Raspberry Pi 5, as one channel."""

    method: Method = "hwmon"
    scope: Scope = "board"
    name = "Raspberry Pi 5 PMIC"
    interval_s: float = _INTERVAL_S

    def __init__(self, program: str, rails: frozenset[str]) -> None:
        """Take the program, and the rails that it told of: a sum of fewer is no figure."""
        self._program = program
        self._rails = rails
        self.channels: Sequence[Channel] = [
            Channel(f"{len(rails)} rails", "power", error=_ERROR, most_w=_MOST_W)
        ]

    def read(self) -> Sequence[float | None]:
        """Return the watts of all rails; None when the program fails or does not tell of all."""
        watts = rail_watts(_output(self._program) or "")
        return [math.fsum(watts.values()) if watts.keys() == self._rails else None]

    def close(self) -> None:
        """Nothing is held open."""


def rail_watts(output: str) -> dict[str, float]:
    """Return the watts of each rail that has both volts and amperes, by the rail's name.

    Args:
        output: of `vcgencmd pmic_read_adc`; lines that are not of its form are passed over, and of
            two that speak of the same rail the later counts.
    """
    held: dict[tuple[str, str], float] = {}
    for line in output[:_LONGEST].split("\n"):
        match = _LINE.fullmatch(line)
        if match and match[2] == match[4]:
            held[match[1], match[2]] = float(match[3])
    return {
        rail: amperes * held[rail, "V"]
        for (rail, unit), amperes in held.items()
        if unit == "A" and (rail, "V") in held
    }


def find(root: Path = Path("/")) -> PmicMeter | Absent:
    """Return a meter of this Raspberry Pi 5, or why there is none.

    Args:
        root: where `proc` is; the program is looked for on PATH.
    """
    if not _MODEL.match(text(root / "proc/device-tree/model")):
        return _absent(
            t(
                "This is no Raspberry Pi 5, the only one that measures its rails.",
                "Ce n'est pas un Raspberry Pi 5, le seul qui mesure ses rails.",
            )
        )
    program = shutil.which("vcgencmd")
    if program is None:
        return _absent(
            t(
                "The program vcgencmd is missing: install the package raspi-utils.",
                "Le programme vcgencmd manque : installez le paquet raspi-utils.",
            ),
            mendable=True,
        )
    output = _output(program)
    if output is None:
        return _absent(
            t(
                "vcgencmd cannot be run or does not answer.",
                "vcgencmd ne peut être lancé ou ne répond pas.",
            )
        )
    watts = rail_watts(output)
    return PmicMeter(program, frozenset(watts)) if watts else _no_figures(output)


def _no_figures(output: str) -> Absent:
    """Say why there are none: vcgencmd names /dev/vcio (formerly VCHI) when it may not open it."""
    if "vcio" in output or "VCHI" in output:
        return _absent(
            t(
                "This user may not ask the power chip: run `sudo usermod -aG video $USER`, "
                "then log in again.",
                "Cet utilisateur n'a pas le droit d'interroger la puce d'alimentation : lancez "
                "`sudo usermod -aG video $USER`, puis reconnectez-vous.",
            ),
            mendable=True,
        )
    return _absent(
        t(
            "vcgencmd gives no figures of the power chip: update the firmware.",
            "vcgencmd ne donne pas les chiffres de la puce d'alimentation : mettez à jour le "
            "microgiciel.",
        ),
        mendable=True,
    )


def _absent(reason: str, *, mendable: bool = False) -> Absent:
    return Absent("hwmon", reason, mendable)


def _output(program: str) -> str | None:
    """Return all that the program says; None when it cannot be run or does not end in time."""
    try:
        done = subprocess.run(
            [program, "pmic_read_adc"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    return done.stdout[:_LONGEST].decode("ascii", "replace")
