"""What this machine has: memory, cores, disk."""

import os
import shutil
from pathlib import Path

import psutil


def total_ram() -> int:
    """Return the memory of this machine, in bytes."""
    return int(psutil.virtual_memory().total)


def available_ram() -> int:
    """Return the memory that can be had without swapping, in bytes."""
    return int(psutil.virtual_memory().available)


def compute_threads() -> int:
    """Return the threads for an engine: physical cores that this process may use.

    Hyper-threads share the vector units that inference is bound by.
    """
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    physical = psutil.cpu_count(logical=False)
    return max(1, min(physical or 1, allowed or 1))


def free_disk(path: Path) -> int:
    """Return the free bytes of the disk that holds `path` or its nearest existing parent."""
    while not path.exists() and path != path.parent:
        path = path.parent
    return shutil.disk_usage(path).free


def summary() -> dict[str, object]:
    """Return what a figure must be read with: the command, the versions, the machine."""
    import platform
    import sys

    from edge_slm import __version__

    return {
        "command": " ".join(["edge-slm", *sys.argv[1:]]),
        "version": __version__,
        "python": platform.python_version(),
        "machine": f"{cpu_name()}, {compute_threads()} cores, {total_ram() / 1e9:.1f} GB",
        "load": round(psutil.getloadavg()[0], 2),
    }


def cpu_name() -> str:
    """Return the processor's name, or its architecture where the system does not tell."""
    import platform

    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    # “Model” is the board, which tells more of an ARM machine than its “model name”, if any.
    lines = [line for start in ("Model", "model name") for line in lines if line.startswith(start)]
    names = [line.partition(":")[2].strip() for line in lines]
    return names[0] if names else _sold_as() or platform.processor() or platform.machine()


def _sold_as() -> str:
    """Return the processor's name on macOS and Windows; empty elsewhere, and where none is told."""
    import subprocess
    import sys

    try:
        if sys.platform == "darwin":
            # sysctl(3): what the processor's maker calls it.
            command = ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"]
            told = subprocess.run(command, capture_output=True, text=True, check=False, timeout=5)
            return told.stdout.strip()
        if sys.platform == "win32":
            import winreg

            place = r"HARDWARE\DESCRIPTION\System\CentralProcessor\0"
            with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, place) as key:
                return str(winreg.QueryValueEx(key, "ProcessorNameString")[0]).strip()
    except (OSError, subprocess.SubprocessError):
        pass
    return ""


def resident_memory() -> int:
    """Return the memory that this process holds, in bytes."""
    return int(psutil.Process().memory_info().rss)


def peak_memory() -> int:
    """Return the most memory that this process has held, in bytes."""
    try:
        # getrusage(2) would count the process that started this one too, until exec.
        status = Path("/proc/self/status").read_text()
        (peak,) = (line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))
        return int(peak) * 1024
    except (OSError, ValueError):
        pass
    try:
        import resource
    except ImportError:  # Windows
        return int(getattr(psutil.Process().memory_info(), "peak_wset", 0))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # in bytes on macOS
