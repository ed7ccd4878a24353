"""Folders that several recipes of a job share: made once, whole or absent."""

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path


def made_once(place: Path, fill: Callable[[Path], None]) -> Path:
    """Return `place`; where it is not there yet, `fill` makes what will stand under that name.

    Args:
        place: the folder.
        fill: writes into an empty folder beside it, which takes the name when all is in it.
    Raises:
        OSError: a folder cannot be made; and whatever `fill` raises.
    """
    if place.is_dir():
        return place
    place.parent.mkdir(parents=True, exist_ok=True)
    # The workspace removes what begins so and was left by a killed step.
    scratch = Path(tempfile.mkdtemp(prefix=f".part-{place.name}-", dir=place.parent))
    try:
        fill(scratch)
        scratch.chmod(0o755)  # mkdtemp's are their owner's alone
        try:
            scratch.rename(place)
        except OSError:
            # Another recipe of the job was quicker: what it made is the same.
            if not place.is_dir():
                raise
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return place
