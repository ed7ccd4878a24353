"""A text as hashed features: runs of letters and words, of which only hashes are kept.

Disguises that cost nothing to undo are undone: wide and small letters, invisible characters,
Base64.
"""

import base64
import binascii
import itertools
import re
import zlib
from typing import TYPE_CHECKING

from edge_slm.text import fold

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BUCKETS = 1 << 16
LONGEST = 1000  # characters read at either end of a text
RUNS = (2, 3, 4, 5)  # lengths of the runs of letters

# Kept apart from the hashes of words, which are below 2**32.
_MULTIPLIER = 0x9E3779B97F4A7C15
_INVISIBLE = dict.fromkeys(
    [0xAD, 0xFEFF, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070)]
)
# Small capitals, which no normal form brings back to letters.
_SMALL_CAPITALS = str.maketrans("ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢ", "abcdefghijklmnoprstuvwyz")
_DISGUISES = _INVISIBLE | _SMALL_CAPITALS | dict.fromkeys(map(ord, "0123456789"), "0")
_WORD = re.compile(r"[^\W_]+|[^\w\s]")
_BASE64 = re.compile(r"[A-Za-z0-9+/]{24,}={0,2}")


def plain(text: str) -> str:
    """Return a text as the features see it: folded, without disguises, digits as “0”.

    Args:
        text: any text; of a long one only both ends are read.
    """
    if len(text) > 2 * LONGEST:
        text = f"{text[:LONGEST]} {text[-LONGEST:]}"
    hidden = " ".join(_decoded(run) for run in _BASE64.findall(text))
    folded = fold(f"{text} {hidden}").translate(_DISGUISES)
    return " ".join(_WORD.findall(folded))


def features(text: str) -> "tuple[NDArray[np.int64], NDArray[np.float32]]":
    """Return the buckets that a text falls into, each once, and their weights.

    The weights of the runs of letters, and those of the words, each have the length 1.
    """
    import numpy as np

    seen = plain(text)
    words = seen.split(" ") if seen else []
    pairs = itertools.pairwise(words)
    spelt = {zlib.crc32(word.encode(errors="replace")) for word in words}
    spelt |= {zlib.crc32(f"{a} {b}".encode(errors="replace")) for a, b in pairs}
    groups = [np.array(sorted(spelt), np.uint64), _letter_runs(f" {seen} ")]
    buckets, weights = [], []
    for group in groups:
        held = np.unique((group * np.uint64(_MULTIPLIER)) >> np.uint64(48)).astype(np.int64)
        buckets.append(held)
        weights.append(np.full(len(held), 1 / max(1, len(held)) ** 0.5, np.float32))
    return np.concatenate(buckets), np.concatenate(weights)


def _letter_runs(text: str) -> "NDArray[np.uint64]":
    import numpy as np

    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.uint64)
    found = []
    for length in RUNS:
        count = len(codes) - length + 1
        if count < 1:
            break
        run = np.full(count, length, np.uint64)
        for place in range(length):
            run = (run ^ codes[place : place + count]) * np.uint64(_MULTIPLIER)
            run ^= run >> np.uint64(29)
        found.append(run)
    return np.unique(np.concatenate(found))


def _decoded(run: str) -> str:
    """Return the text that a run of Base64 hides; empty where it hides none."""
    try:
        text = base64.b64decode(run + "=" * (-len(run) % 4), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""
    return text if text.isprintable() else ""
