"""This machine as a target: its instructions, memory and disk, with the recipes of its kind.

Files are read below a system root, so that a recorded tree can stand for a machine. An NPU is never
found: none can be asked here.
"""

import ctypes
import platform
import re
import subprocess
import sys
from pathlib import Path

import msgspec

from edge_slm import machine, paths
from edge_slm.engines.workers.budget import default_budget
from edge_slm.i18n import t
from edge_slm_quantize.records import Target
from edge_slm_quantize.search import targets
from edge_slm_quantize.search.kernels import KNOWN, fast

ROOT = Path("/")
_TIMEOUT_S = 5.0
# sysctl(3) names of macOS, and numbers of winnt.h's PF_… for IsProcessorFeaturePresent.
_MACOS = {
    "hw.optional.avx2_0": "avx2",
    "hw.optional.avx512f": "avx512f",
    "hw.optional.neon": "asimd",
    "hw.optional.arm.FEAT_DotProd": "asimddp",
    "hw.optional.arm.FEAT_I8MM": "i8mm",
}
_WINDOWS = {40: "avx2", 41: "avx512f", 19: "asimd", 43: "asimddp"}
_X86_NAMES = frozenset({"x86_64", "amd64"})
_ARM_NAMES = frozenset({"aarch64", "arm64"})


def this_machine(root: Path = ROOT) -> Target:
    """Return this machine as a target.

    Memory is what the engines of the assistant may take, disk what is free where models are kept;
    recipes and gates are those of the shipped target that it is most like.
    """
    have = features(root)
    like = targets.load(_like(have))
    name = machine.cpu_name()
    return msgspec.structs.replace(
        like,
        id=targets.THIS_MACHINE,
        title=f"This machine: {name}",
        titre=f"Cette machine : {name}",
        architecture=architecture(),
        features=have,
        fast=fast(have),
        ram=default_budget(),
        disk=max(1, machine.free_disk(paths.data_dir())),
        sources=(f"probed; recipes and gates of {like.id}",),
    )


def features(root: Path = ROOT) -> tuple[str, ...]:
    """Return the instructions of this machine that tell processors apart, as Linux names them."""
    try:
        text = (root / "proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        found = _macos() if sys.platform == "darwin" else _windows()
    else:
        # What every core has: boards with two kinds of core list them apart.
        lines = re.findall(r"^(?:flags|Features)\s*:(.*)$", text, re.MULTILINE)
        found = set.intersection(*(set(line.split()) for line in lines)) if lines else set()
    return tuple(name for name in KNOWN if name in found)


def architecture() -> str | None:
    """Return “x86_64” or “aarch64”; None for another processor."""
    name = platform.machine().lower()
    return "x86_64" if name in _X86_NAMES else "aarch64" if name in _ARM_NAMES else None


def runs_here(target: Target) -> bool:
    """Return whether speeds measured here may stand for those of a target.

    That is this machine itself, or a processor of the same kind, with the same instructions that
    choose kernels; its clock and memory may still differ.
    """
    if target.id == targets.THIS_MACHINE:
        return True
    if target.npu is not None or target.architecture not in (None, architecture()):
        return False
    here = features()
    return set(target.features) <= set(here) and fast(here) == fast(target.features)


def speed_note(target: Target) -> str | None:
    """Return a sentence on what the speeds of a report are not; None for this machine itself."""
    if target.id == targets.THIS_MACHINE:
        return None
    if runs_here(target):
        return t(
            "Speed and energy were measured on this machine, whose processor has the "
            "instructions of {id}; another of that kind may be faster or slower.",
            "Vitesse et énergie sont mesurées sur cette machine, dont le processeur a les "
            "instructions de {id} ; une autre de ce genre peut être plus rapide ou plus lente.",
            id=target.id,
        )
    return t(
        "Speed and energy are those of this machine, not of {id}: its processor has other "
        "kernels. Size and quality hold for both.",
        "Vitesse et énergie sont celles de cette machine, non de {id}, dont les noyaux de calcul "
        "sont autres. Taille et qualité valent pour les deux.",
        id=target.id,
    )


def _like(have: tuple[str, ...]) -> str:
    if architecture() != "aarch64":
        return "laptop-x86-avx512" if "avx512_vnni" in have else "laptop-x86"
    if sys.platform == "darwin":
        return "apple-silicon"
    return "arm-cpu"


def _macos() -> set[str]:
    found = set()
    for name, feature in _MACOS.items():
        command = ["/usr/sbin/sysctl", "-n", name]
        try:
            told = subprocess.run(
                command, capture_output=True, text=True, check=False, timeout=_TIMEOUT_S
            )
        except (OSError, subprocess.SubprocessError):
            continue
        if told.stdout.strip() == "1":
            found.add(feature)
    return found


def _windows() -> set[str]:
    library = getattr(ctypes, "windll", None)
    if library is None:
        return set()
    present = library.kernel32.IsProcessorFeaturePresent
    return {feature for number, feature in _WINDOWS.items() if present(number)}
