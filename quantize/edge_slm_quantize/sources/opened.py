"""What each format's opening gives back: what the model is, and a way to check its weights."""

from collections.abc import Callable
from typing import NamedTuple

from edge_slm_quantize.records import Source


class Opened(NamedTuple):
    """A model whose headers were checked.

    source: without its name and hash. check_weights: reads every weight, and calls what it is
    given with the bytes done; raises IntegrityError where one is no number.
    """

    source: Source
    check_weights: Callable[[Callable[[int], None]], None]
