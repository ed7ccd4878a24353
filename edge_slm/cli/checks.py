"""One finding of edge-slm doctor."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    """What was looked at, whether it is well, what was seen, how to mend it."""

    name: str
    well: bool
    seen: str
    mend: str = ""
