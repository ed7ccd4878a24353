"""A simulated meter is right only as long as the machine has time for its process."""

import pytest

# In an account of a second that is a tenth of its joules, less than what the tests let pass.
LATE_S = 0.1


def needs(late_s: float) -> None:
    """Skip what follows when the simulated meter stood still for longer than is let pass."""
    if late_s > LATE_S:
        pytest.skip(f"the machine left the simulated meter waiting for {1000 * late_s:.0f} ms")
