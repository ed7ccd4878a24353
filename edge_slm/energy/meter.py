"""What a meter is: channels that are read, in joules or watts, and nothing of what becomes of them.

Back ends (edge_slm/energy/meters) implement `Meter`; each finds its files below a system root, so
that a recorded tree can stand for a machine.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from edge_slm.answer import Method

# What a meter's figure covers, smallest first. Figures of different scopes are not comparable.
Scope = Literal["gpu", "package", "package+dram", "board", "platform", "device", "wall"]


@dataclass(frozen=True)
class Channel:
    """One quantity that a meter reads.

    Attributes:
        name: as the system names it, such as “package-0”.
        kind: “energy” is a counter of joules that only grows, until it wraps; “power” is watts now.
        range_j: joules after which a counter starts anew at 0; None where it does not, or where
            that is not known.
        step_j: joules of one step of a counter, or that the lag of a slow gauge may hide; 0 where
            it is finer than any answer.
        error: share of the figure that the sensor may be off by (0.01 is one per cent).
        most_w: watts that this channel cannot exceed: a reading beyond is a fault.
    """

    name: str
    kind: Literal["energy", "power"]
    range_j: float | None = None
    step_j: float = 0.0
    error: float = 0.0
    most_w: float = 2000.0


class Meter(Protocol):
    """A source of readings."""

    @property
    def method(self) -> Method:
        """How it measures, as an answer says it."""
        ...

    @property
    def scope(self) -> Scope:
        """What its sum covers."""
        ...

    @property
    def name(self) -> str:
        """The back end and the sensor, for people."""
        ...

    @property
    def channels(self) -> Sequence[Channel]:
        """What `read` gives, in order; their sum is the meter's figure."""
        ...

    @property
    def interval_s(self) -> float:
        """A reading is due at least this often while something is measured."""
        ...

    def read(self) -> Sequence[float | None]:
        """Return a value a channel, in joules or watts; None for one that cannot be read now.

        It must not raise for what a machine may do: a file gone, unreadable or not a number.
        """
        ...

    def close(self) -> None:
        """Let files, connections and threads go."""
        ...


@dataclass(frozen=True)
class Absent:
    """Why a back end cannot measure here.

    Attributes:
        method: the back end's.
        reason: one sentence for people, which says what to do where something can be done.
        mendable: the sensor is there; a permission or a package is missing.
    """

    method: Method
    reason: str
    mendable: bool = False
