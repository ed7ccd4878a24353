"""Prompt lookup: draft the next tokens from the text already read, and let the model verify them.

A reply that copies from its passages repeats runs of tokens that stand in the prompt. Several are
verified in one batch, which costs less than as many batches of one (the idea of prompt lookup
decoding: https://github.com/apoorvumang/prompt-lookup-decoding).

The reply stays the same token for token only where llama.cpp computes a batch as it computes its
tokens one by one, bit for bit. That holds for some kernels and not for others, so it is proved on
this machine, for this model and these settings, before any draft is trusted.
"""

from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np

from edge_slm import paths
from edge_slm.files import replacing

# Beyond 7 rows llama.cpp multiplies K-quants by tiles, whose sums are rounded otherwise
# (ggml_tiled_min_batch in ggml/src/ggml-cpu/tiled/tiled.cpp).
MOST_ROWS = 7
LONGEST_DRAFT = MOST_ROWS - 1
# Attention is computed over whole blocks of this many tokens (llama_kv_cache::get_n_kv in
# src/llama-kv-cache.cpp): within one, the length changes nothing.
_CELLS = 256
_RUNS = (5, 4, 3, 2)  # tokens that must agree; longer runs are tried first


def draft(tokens: Sequence[int], longest: int) -> list[int]:
    """Return what followed the last occurrence of the longest run that ends the tokens.

    Args:
        tokens: all that was read and written.
        longest: tokens to draft at most.
    Returns:
        the draft, empty where the end has no earlier occurrence. A run of two drafts only two.
    """
    text = np.asarray(tokens, np.int32)
    for run in _RUNS:
        if len(text) <= run:
            continue
        # The run itself ends the text: what precedes it may hold another one.
        places = len(text) - run
        same = np.ones(places, bool)
        for step in range(run):
            same &= text[step : step + places] == text[len(text) - run + step]
        found = np.flatnonzero(same)
        if len(found):
            begin = int(found[-1]) + run
            room = longest if run > 2 else min(longest, 2)
            return [int(token) for token in text[begin : begin + room]]
    return []


class Pace:
    """How long a draft may be: longer while drafts hold, shorter after one that does not."""

    def __init__(self) -> None:
        """Begin in the middle."""
        self.longest = LONGEST_DRAFT // 2

    def learn(self, drafted: int, accepted: int) -> None:
        """Take in how a draft fared."""
        if accepted == drafted:
            self.longest = min(LONGEST_DRAFT, self.longest * 2)
        else:
            self.longest = max(1, min(accepted + 1, LONGEST_DRAFT))


class Proofs:
    """Where batches are known to be computed as single tokens are, and where they are not."""

    def __init__(self, key: str, path: Path | None = None) -> None:
        """Read what is known.

        Args:
            key: model, settings, engine and processor.
            path: the file; in the user's cache by default.
        """
        self._key = key
        self._path = path or paths.cache_dir() / "exact.json"
        self._table = self._read()

    def known(self, length: int) -> bool | None:
        """Return whether batches are exact with `length` tokens read; None where it is unknown.

        Kernels change with the length: a proof serves for the block of lengths that it was made in,
        and for shorter ones.
        """
        proved = self._table.get(self._key)
        if proved is None:
            return None
        if proved == 0:
            return False
        return True if length <= proved else None

    def note(self, length: int, exact: bool) -> None:
        """Keep a finding made with `length` tokens read."""
        whole = -(-length // _CELLS) * _CELLS
        table = self._read()  # another process may have added to it
        found = [known[self._key] for known in (self._table, table) if self._key in known]
        # A failure stands: a later batch may have been lucky.
        table[self._key] = max([whole, *found]) if exact and all(found) else 0
        self._table = table
        try:
            with replacing(self._path) as temporary:
                temporary.write_bytes(msgspec.json.encode(self._table))
        except OSError:  # a full disk: it is proved again next time
            return

    def _read(self) -> dict[str, int]:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=dict[str, int])
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
            return {}
