"""A folder of its own for the states that a measure keeps, so that nothing is found from before."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

VARIABLE = "EDGE_SLM_PREFIX_DIR"  # read by edge_slm.engines.llama.prefix_store, in workers too


@contextmanager
def own_states() -> Iterator[Path]:
    """Let workers started in the block keep their states in an empty folder; yield the folder."""
    before = os.environ.get(VARIABLE)
    with tempfile.TemporaryDirectory(prefix="edge-slm-bench-") as name:
        os.environ[VARIABLE] = name
        try:
            yield Path(name)
        finally:
            if before is None:
                del os.environ[VARIABLE]
            else:
                os.environ[VARIABLE] = before
