"""Steps that a test sends to a worker: the worker imports this module by its name."""

import os
from pathlib import Path

from edge_slm.errors import UsageError
from edge_slm_quantize.records import Order


def name_of(order: Order) -> str:
    """Return what a step might: something of its order."""
    return f"{order.recipe} in {Path(order.folder).name}"


def refuse(order: Order) -> str:
    """Fail as a step does."""
    raise UsageError(f"no {order.recipe}")


def die() -> None:
    """End the worker, as the system does for want of memory."""
    os._exit(9)
