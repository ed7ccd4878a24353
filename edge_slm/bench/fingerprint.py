"""The machine and the versions that a figure must be read with.

Files are read below a system root, so that a recorded tree can stand for a machine; what they do
not tell is asked of psutil when the root is the machine's own. It does not know what the machine
was doing (conditions.py).
"""

import hashlib
import platform
import re
import shutil
import subprocess
from functools import cache
from importlib import metadata
from pathlib import Path

import msgspec
import psutil

from edge_slm import __version__
from edge_slm.bench.record import Machine

ROOT = Path("/")
_PACKAGES = ("llama-cpp-python", "faster-whisper", "ctranslate2", "onnxruntime", "numpy")
_GPU_TIMEOUT_S = 5.0  # a driver that hangs must not hang a benchmark
_KIB = 1024


def machine(root: Path = ROOT) -> Machine:
    """Return what this machine is; `id` leaves out what changes on it, such as the power supply.

    Args:
        root: the system root: proc/cpuinfo, proc/meminfo, proc/device-tree/model and
            sys/class/power_supply are read below it.
    """
    processors = _processors(root)
    threads = len(processors) or _own(root, psutil.cpu_count()) or 1
    facts = {
        "cpu": _cpu_name(root, processors),
        "architecture": platform.machine(),
        "cores": _cores(processors) or _own(root, psutil.cpu_count(logical=False)) or threads,
        "threads": threads,
        "ram": _ram(root),
        "gpu": _gpu() if root == ROOT else None,
        "system": platform.system(),
        "virtual": _virtual(processors),
    }
    return msgspec.convert({**facts, "id": _id(facts), "power": power(root)}, Machine)


def _id(facts: dict[str, object]) -> str:
    # A kernel keeps some megabytes more or less for itself from one version to the next.
    gib = round(int(str(facts["ram"])) / 2**30)
    stable = msgspec.json.encode(sorted({**facts, "ram": gib}.items()))
    return hashlib.sha256(stable).hexdigest()[:12]


def versions() -> dict[str, str]:
    """Return the versions of this program and of the installed packages that compute for it."""
    found = {
        "edge_slm": __version__,
        "python": platform.python_version(),
        "system": platform.platform(),
    }
    for name in _PACKAGES:
        try:
            found[name.replace("-", "_")] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def power(root: Path = ROOT) -> str | None:
    """Return “battery” while one is being emptied, “mains”, or None where nothing tells.

    Source: Documentation/ABI/testing/sysfs-class-power of the Linux kernel. Batteries of mice and
    headsets (scope “Device”) say nothing of the machine.
    """
    supplies = sorted((root / "sys/class/power_supply").glob("*"))
    own = [folder for folder in supplies if read_text(folder / "scope") != "Device"]
    states = {read_text(f / "status") for f in own if read_text(f / "type") == "Battery"}
    fed = {read_text(f / "online") for f in own if read_text(f / "type") in ("Mains", "USB")}
    if "Discharging" in states:
        return "battery"
    if "1" in fed or states & {"Charging", "Full", "Not charging"}:
        return "mains"
    if root == ROOT and not supplies and hasattr(psutil, "sensors_battery"):
        battery = psutil.sensors_battery()  # Windows and macOS
        return None if battery is None else "mains" if battery.power_plugged else "battery"
    return None


def read_text(path: Path) -> str:
    """Return the stripped text of a small system file; empty where it cannot be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip("\0 \n\t")
    except (OSError, ValueError):
        return ""


def _processors(root: Path) -> list[dict[str, str]]:
    """Return the fields of each block of proc/cpuinfo that describes a processor."""
    blocks = re.split(r"\n\s*\n", read_text(root / "proc/cpuinfo"))
    rows = [
        {key.strip(): value.strip() for key, _, value in (s.partition(":") for s in b.splitlines())}
        for b in blocks
    ]
    return [row for row in rows if "processor" in row]


def _cpu_name(root: Path, processors: list[dict[str, str]]) -> str:
    # ARM boards name no processor in cpuinfo; the device tree names the board.
    named = processors[0].get("model name", "") if processors else ""
    return named or read_text(root / "proc/device-tree/model") or _unnamed()


def _unnamed() -> str:
    return platform.processor() or platform.machine() or "?"


def _cores(processors: list[dict[str, str]]) -> int:
    pairs = {(p.get("physical id"), p["core id"]) for p in processors if "core id" in p}
    return len(pairs)


def _virtual(processors: list[dict[str, str]]) -> bool | None:
    """Return whether a hypervisor says so to the processor's CPUID; None where there is none."""
    flags = processors[0].get("flags") if processors else None
    return None if flags is None else "hypervisor" in flags.split()


def _ram(root: Path) -> int:
    found = re.search(r"^MemTotal:\s+(\d{1,15}) kB", read_text(root / "proc/meminfo"), re.MULTILINE)
    if found:
        return int(found[1]) * _KIB
    return _own(root, int(psutil.virtual_memory().total)) or 0


def _own(root: Path, value: int | None) -> int | None:
    return value if root == ROOT else None


@cache
def _gpu() -> str | None:
    """Return the names of NVIDIA cards, by their driver's own tool; None without it."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return None
    command = [tool, "--query-gpu=name", "--format=csv,noheader"]
    try:
        done = subprocess.run(command, capture_output=True, timeout=_GPU_TIMEOUT_S, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    names = [line.strip() for line in done.stdout.decode(errors="replace").splitlines()]
    return ", ".join(name for name in names if name) or None
