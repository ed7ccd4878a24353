"""The hash of a model: of its file, or of the names and hashes of its folder's files."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from edge_slm.files import sha256_of


def sha256_at(place: Path) -> str:
    """Return the SHA-256 of a file; of a folder, that of `joined` over all its files."""
    if place.is_file():
        return sha256_of(place)
    files = [file for file in place.rglob("*") if file.is_file()]
    return joined((file.relative_to(place).as_posix(), sha256_of(file)) for file in files)


def joined(files: Iterable[tuple[str, str]]) -> str:
    """Return the SHA-256 of lines “hash, two blanks, name”, in order of name (as sha256sum's)."""
    lines = "".join(f"{sha256}  {name}\n" for name, sha256 in sorted(files))
    return hashlib.sha256(lines.encode()).hexdigest()
