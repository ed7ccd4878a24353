"""A linear classifier of requests: hashed features times a table of 8-bit weights.

It knows words only; packaging/router/train.py makes the table, docs/decisions/0013-router.md says
from what.
"""

import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from edge_slm.errors import IntegrityError
from edge_slm.i18n import t
from edge_slm.routing.features import BUCKETS, features
from edge_slm.routing.request import LEARNT, Label

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# What NumPy raises on a file that is absent, cut, of another kind, or not its own.
_UNREADABLE: tuple[type[Exception], ...] = (
    *(OSError, ValueError, KeyError, TypeError, AttributeError, EOFError, MemoryError),
    *(zipfile.BadZipFile, zlib.error, NotImplementedError),
)
WEIGHTS = Path(__file__).with_name("weights.npz")


@dataclass(frozen=True)
class Classifier:
    """`table` [BUCKETS, labels] of int8, `scale` [labels] and `bias` [labels] of float32."""

    table: "NDArray[np.int8]"
    scale: "NDArray[np.float32]"
    bias: "NDArray[np.float32]"

    def probabilities(self, text: str) -> Mapping[Label, float]:
        """Return how likely each label is; they sum to 1."""
        import numpy as np

        buckets, weights = features(text)
        scores = weights @ self.table[buckets].astype(np.float32) * self.scale + self.bias
        shares = np.exp(scores - scores.max())
        shares /= shares.sum()
        return dict(zip(LEARNT, map(float, shares), strict=True))


def read(path: Path) -> Classifier:
    """Return the classifier that a file holds.

    Raises:
        IntegrityError: the file is absent, damaged, or of another shape.
    """
    import numpy as np

    try:
        with np.load(path, allow_pickle=False) as held:
            made = Classifier(held["table"], held["scale"], held["bias"])
    except _UNREADABLE as error:
        raise _damaged(path) from error
    count = len(LEARNT)
    shapes = {"table": (BUCKETS, count), "scale": (count,), "bias": (count,)}
    kinds = {"table": "int8", "scale": "float32", "bias": "float32"}
    for name, shape in shapes.items():
        part = getattr(made, name)
        if part.shape != shape or part.dtype != kinds[name] or not np.isfinite(part).all():
            raise _damaged(path)
    return made


def write(made: Classifier, path: Path) -> None:
    """Write a classifier; the same one gives the same bytes."""
    import numpy as np

    np.savez(path, table=made.table, scale=made.scale, bias=made.bias)


@cache
def shipped() -> Classifier | None:
    """Return the classifier that comes with the program, or None where its file is no good."""
    try:
        return read(WEIGHTS)
    except IntegrityError:
        return None


def _damaged(path: Path) -> IntegrityError:
    return IntegrityError(
        t(
            "The router's weights in {path} are absent or damaged: install edge-slm again.",
            "Les poids du routeur dans {path} sont absents ou abîmés : réinstallez edge-slm.",
            path=path,
        )
    )
