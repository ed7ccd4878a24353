"""A simulated meter is right only as long as the machine has time for its process."""

import pytest

LATE_S = 0.05  # five of its steps


def needs(late_s: float) -> None:
    """Skip what follows when the simulated meter stood still for longer than is let pass."""
    if late_s > LATE_S:
        pytest.skip(f"the machine left the simulated meter waiting for {1000 * late_s:.0f} ms")
