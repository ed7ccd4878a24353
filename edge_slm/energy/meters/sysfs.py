"""Small files of /sys and /proc: at any moment one may be gone, refused, empty or nonsense."""

import re
from pathlib import Path

_LONGEST = 4096  # bytes: sysfs gives a page at most
_NUMBER = re.compile(r"[+-]?[0-9]{1,20}")  # as many digits as 64 bits have


def text(path: Path) -> str:
    """Return what a file holds, without blanks and NULs at its ends; “” where it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(_LONGEST).decode("utf-8", "replace").strip(" \t\r\n\0")
    except (OSError, ValueError):
        return ""


def number(path: Path) -> int | None:
    """Return the whole number that a file holds; None where it cannot be read or holds another."""
    held = text(path)
    return int(held) if _NUMBER.fullmatch(held) else None


def real(path: Path) -> Path:
    """Return where a path leads, links followed; the path itself where they lead in a circle."""
    try:
        return path.resolve()
    except (OSError, RuntimeError):
        return path


def refused(path: Path) -> bool:
    """Say whether a file is there that this user may not read."""
    try:
        with path.open("rb"):
            return False
    except PermissionError:
        return True
    except (OSError, ValueError):
        return False
