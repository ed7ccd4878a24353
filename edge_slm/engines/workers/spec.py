"""What a worker is to load: one model, where it lies and how it is set."""

import os
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from edge_slm.engines.workers import wire


class Spec(Struct, frozen=True):
    """One model as the pool knows it; two that are equal share a process.

    `model` is its id, `dimensions` the length of an embedder's vectors.
    """

    model: str
    load: wire.Load
    dimensions: int = 0

    @property
    def kind(self) -> wire.Kind:
        """What the model is for."""
        return self.load.kind

    @property
    def path(self) -> Path:
        """Its file, or its folder when it has several."""
        return Path(os.fsdecode(self.load.path))

    def order(self, *, self_test: bool) -> wire.Load:
        """Return the order to load it."""
        return replace(self.load, self_test=self_test)
