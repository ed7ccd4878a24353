"""What may have slowed a run: load, others' work, governor, frequency, heat, throttling, battery.

Two readings, before and after, make the conditions; a note says in words what taints the figures.
Where the thresholds lie is a choice: they decide on a sentence, never on a figure.
"""

import re
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import psutil

from edge_slm import process_tree
from edge_slm.bench.fingerprint import ROOT, power, read_text
from edge_slm.bench.record import Conditions
from edge_slm.i18n import decimal, t

LOAD_A_CORE = 0.5
OTHERS_A_CORE = 0.1  # share of the processor that other programs, or other guests, took
FALL = 0.9  # frequency at the end over that at the beginning

# Names of hwmon drivers and types of thermal zones that stand for the processor.
_CPU_SENSORS = re.compile(
    r"coretemp|k10temp|zenpower|x86_pkg_temp|(cpu|soc)[-_]?\w*therm|^cpu", re.I
)
_TICKS_A_SECOND = 100  # USER_HZ, fixed in the interface of proc(5) on all of Linux's platforms


@dataclass(frozen=True)
class Reading:
    """The state of the machine at one moment; None where the system does not tell.

    Attributes:
        threads: logical processors.
        load: one-minute load average.
        governor: of the frequencies, all that are in use.
        mhz: mean of the processors.
        celsius: the hottest of the processor's sensors.
        throttles: counters of thermal slow-downs, by file.
        busy_s, stolen_s: since the start of the machine, processor time in use, and taken by the
            hypervisor for other guests.
        own_s: processor time of this program and its processes.
        power: “mains”, “battery” or None.
    """

    threads: int
    load: float
    governor: str | None
    mhz: float | None
    celsius: float | None
    throttles: dict[str, int]
    busy_s: float | None
    stolen_s: float | None
    own_s: float
    monotonic_s: float
    power: str | None


def reading(root: Path = ROOT) -> Reading:
    """Read the state of the machine, in a few milliseconds."""
    cpus = root / "sys/devices/system/cpu"
    busy, stolen, threads = _times(root)
    governors = {read_text(path) for path in cpus.glob("cpu[0-9]*/cpufreq/scaling_governor")}
    khz = _numbers(cpus.glob("cpu[0-9]*/cpufreq/scaling_cur_freq"))
    return Reading(
        threads=threads or psutil.cpu_count() or 1,
        load=_load(root),
        governor="/".join(sorted(governors - {""})) or None,
        mhz=sum(khz) / len(khz) / 1000 if khz else None,
        celsius=_celsius(root),
        throttles=_throttles(cpus),
        busy_s=busy,
        stolen_s=stolen,
        own_s=process_tree.cpu_seconds(),
        monotonic_s=time.monotonic(),
        power=power(root),
    )


def conditions(before: Reading, after: Reading) -> Conditions:
    """Return what was around a run, from a reading on either side of it."""
    return Conditions(
        load=before.load,
        governor=before.governor,
        mhz=(before.mhz, after.mhz),
        celsius=(before.celsius, after.celsius),
        throttled=_throttled(before, after),
        note="; ".join(_taints(before, after)),
    )


def _taints(before: Reading, after: Reading) -> list[str]:
    found = [*_company(before, after)]
    if "battery" in (before.power, after.power):
        found.append(t("on battery", "sur batterie"))
    if before.governor and "powersave" in before.governor.split("/"):
        found.append(t("governor powersave", "gouverneur powersave"))
    if throttled := _throttled(before, after):
        found.append(t("throttled {n} times", "bridé {n} fois", n=throttled))
    if before.mhz and after.mhz and after.mhz < FALL * before.mhz:
        found.append(
            t(
                "frequency fell from {a} to {b} MHz",
                "fréquence tombée de {a} à {b} MHz",
                a=round(before.mhz),
                b=round(after.mhz),
            )
        )
    return found


def _company(before: Reading, after: Reading) -> list[str]:
    """Return sentences on what else ran.

    A suite's own earlier cases are in the load average: where the system tells what others used
    during the run, that is said, and a load that others had no part in is not.
    """
    others, stolen = shares(before, after)
    found = []
    if before.load > LOAD_A_CORE * before.threads and (others is None or others > OTHERS_A_CORE):
        found.append(
            t(
                "load {x} on {n} processors before the start",
                "charge {x} sur {n} processeurs avant le départ",
                x=decimal(before.load, 2),
                n=before.threads,
            )
        )
    if others is not None and others > OTHERS_A_CORE:
        found.append(
            t(
                "other programs took {p} % of the processors",
                "d'autres programmes ont pris {p} % des processeurs",
                p=round(100 * others),
            )
        )
    if stolen is not None and stolen > OTHERS_A_CORE:
        found.append(
            t(
                "the hypervisor took {p} % of the processors away",
                "l'hyperviseur a retiré {p} % des processeurs",
                p=round(100 * stolen),
            )
        )
    return found


def shares(before: Reading, after: Reading) -> tuple[float | None, float | None]:
    """Return the shares (0 to 1) of all processors that other programs and other guests took."""
    passed = (after.monotonic_s - before.monotonic_s) * before.threads
    if passed <= 0 or before.busy_s is None or after.busy_s is None:
        return None, None
    others = after.busy_s - before.busy_s - (after.own_s - before.own_s)
    stolen = (after.stolen_s or 0.0) - (before.stolen_s or 0.0)
    return min(1.0, max(0.0, others / passed)), min(1.0, max(0.0, stolen / passed))


def _throttled(before: Reading, after: Reading) -> int | None:
    """Return the rise of the counter that rose most: processors of a core count the same event."""
    both = before.throttles.keys() & after.throttles.keys()
    rises = [after.throttles[name] - before.throttles[name] for name in both]
    return max(0, *rises) if rises else None


def _throttles(cpus: Path) -> dict[str, int]:
    files = sorted(cpus.glob("cpu[0-9]*/thermal_throttle/*_throttle_count"))
    return {str(path.relative_to(cpus)): int(n) for path in files for n in _numbers([path])}


def _load(root: Path) -> float:
    found = re.match(r"\d{1,9}\.\d+", read_text(root / "proc/loadavg"))
    return float(found[0] if found else psutil.getloadavg()[0])


def _times(root: Path) -> tuple[float | None, float | None, int]:
    """Return busy seconds, stolen seconds and the number of processors of proc/stat (proc(5))."""
    lines = read_text(root / "proc/stat").splitlines()
    threads = sum(1 for line in lines if re.match(r"cpu\d", line))
    try:
        user, nice, system, _, _, irq, softirq, steal = map(int, lines[0].split()[1:9])
    except (ValueError, IndexError):
        return None, None, threads
    return (
        (user + nice + system + irq + softirq) / _TICKS_A_SECOND,
        steal / _TICKS_A_SECOND,
        threads,
    )


def _celsius(root: Path) -> float | None:
    chips = (root / "sys/class/hwmon").glob("hwmon*")
    files = [f for c in chips if _is_cpu(c / "name") for f in c.glob("temp*_input")]
    if not files:
        zones = (root / "sys/class/thermal").glob("thermal_zone*")
        files = [zone / "temp" for zone in zones if _is_cpu(zone / "type")]
    plausible = [n / 1000 for n in _numbers(files) if -40_000 < n < 150_000]
    return max(plausible, default=None)


def _is_cpu(path: Path) -> bool:
    return _CPU_SENSORS.search(read_text(path)) is not None


def _numbers(paths: Iterable[Path]) -> list[float]:
    found = (re.fullmatch(r"-?\d{1,15}", read_text(path)) for path in paths)
    return [float(match[0]) for match in found if match]
