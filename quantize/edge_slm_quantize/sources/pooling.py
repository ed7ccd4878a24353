"""How the vectors of a text's tokens become one: what a model's folder says, and doing it.

The mean over the tokens of the text or the first of them, made of length 1, as
sentence-transformers does (Reimers and Gurevych 2019, arXiv:1908.10084). Knows no engine.
"""

from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from edge_slm.errors import UsageError
from edge_slm.i18n import t
from edge_slm_quantize.sources.json_files import read_json_if_there

Pooling = Literal["mean", "cls"]
# In sentence-transformers' own folders, and in a store without folders.
_FILES = ("1_Pooling/config.json", "pooling_config.json")


def pooling_of(folder: Path) -> Pooling:
    """Return how the model of a folder makes one vector of its tokens'; the mean unless it tells.

    Raises:
        UsageError: in a way that is not known here.
        IntegrityError: the file that tells is damaged.
    """
    for name in _FILES:
        told = read_json_if_there(folder / name)
        modes = {key for key, value in told.items() if key.startswith("pooling_mode") and value}
        if modes == {"pooling_mode_cls_token"}:
            return "cls"
        if modes - {"pooling_mode_mean_tokens"}:
            raise UsageError(
                t(
                    "{path} asks for {modes}: only the mean of the tokens or the first one can be "
                    "taken here.",
                    "{path} demande {modes} : seuls la moyenne des jetons ou le premier peuvent "
                    "être pris ici.",
                    path=folder / name,
                    modes=", ".join(sorted(map(str, modes))),
                )
            )
    return "mean"


def pooled(
    hidden: NDArray[np.float32], mask: NDArray[np.int64], how: Pooling = "mean"
) -> NDArray[np.float32]:
    """Return one unit vector (dimensions,) for the vectors of a text's tokens.

    Args:
        hidden: (tokens, dimensions).
        mask: (tokens,), 1 for a token of the text, 0 for padding.
        how: the mean over the text, or its first token.
    """
    weights = mask.astype(np.float32)
    vector = hidden[0] if how == "cls" else weights @ hidden / weights.sum()
    result: NDArray[np.float32] = vector / np.linalg.norm(vector)
    return result
