"""The vocabulary of a GGUF file: the lists that `edge_slm.gguf_layout` steps over.

Format: ggml's docs/gguf.md. Ids, lengths and types are checked here, so that tokenizers.py and
to_hf.py build on lists that hold together. Knows nothing of how a text is cut.
"""

import mmap
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edge_slm.errors import IntegrityError
from edge_slm.gguf_layout import Layout, Value
from edge_slm.i18n import t

# Token types of llama.cpp (`llama_token_type` in llama.h).
NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED = 1, 2, 3, 4, 5

_STRING, _ARRAY = 8, 9
_DTYPES = {0: "<u1", 1: "<i1", 2: "<u2", 3: "<i2", 4: "<u4", 5: "<i4", 6: "<f4", 7: "<u1"}
_DTYPES |= {10: "<u8", 11: "<i8", 12: "<f8"}
_WIDTHS = {kind: np.dtype(dtype).itemsize for kind, dtype in _DTYPES.items()}
_BEGIN = 24  # after the magic, the version and the two counts
_PREFIX = "tokenizer.ggml."
_LISTS = ("tokens", "merges", "scores", "token_type", "precompiled_charsmap")


@dataclass(frozen=True)
class Vocabulary:
    """What a GGUF file tells of its tokenizer.

    Attributes:
        model: “gpt2” (byte-level BPE), “t5” (unigram), “bert” (wordpiece)…
        pre: how a BPE cuts text into words, by llama.cpp's name; "" when the file tells none.
        tokens: in the order of their ids, each once.
        types: one a token (`llama_token_type`).
        scores: one a token, or none.
        merges: of a BPE, in order of rank, both parts separated by a space.
        mapped: whether the file carries a character map of its own.
        fields: the header's other values.
    """

    model: str
    pre: str
    tokens: list[str]
    types: list[int]
    scores: list[float]
    merges: list[str]
    mapped: bool
    fields: dict[str, Value]

    def special(self, name: str, default: int | None = None) -> int | None:
        """Return the id that the header gives as `name`_token_id, such as “bos”.

        Args:
            name: of the role.
            default: taken when the header gives none and there is such a token.

        Raises:
            IntegrityError: it is not that of a token.
        """
        found = self.fields.get(f"{_PREFIX}{name}_token_id")
        if found is None:
            return default if default is not None and default < len(self.tokens) else None
        if type(found) is not int or not 0 <= found < len(self.tokens):
            raise damaged(f"{name}_token_id")
        return found

    def flag(self, name: str, default: bool) -> bool:
        """Return a yes or no of the header's, such as “add_bos_token”."""
        return bool(self.fields.get(_PREFIX + name, default))


def read_vocabulary(path: Path, layout: Layout) -> Vocabulary:
    """Read the vocabulary of a GGUF file whose header `read_layout` has found whole.

    Raises:
        IntegrityError: the file has no vocabulary, or its lists do not fit one another.
        OSError: it cannot be read.
    """
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            lists = _lists(data)
    except (struct.error, ValueError, KeyError) as error:
        raise damaged("lists") from error
    tokens = _texts(lists, "tokens")
    if len(tokens) < 1 or len(set(tokens)) != len(tokens):
        raise damaged("tokens")
    return Vocabulary(
        model=str(layout.fields.get(_PREFIX + "model", "")),
        pre=str(layout.fields.get(_PREFIX + "pre", "")),
        tokens=tokens,
        types=[int(x) for x in _numbers(lists, "token_type", len(tokens), "iu")]
        or [NORMAL] * len(tokens),
        scores=[float(x) for x in _numbers(lists, "scores", len(tokens), "f")],
        merges=_texts(lists, "merges"),
        mapped="precompiled_charsmap" in lists,
        fields=dict(layout.fields),
    )


def damaged(what: str) -> IntegrityError:
    """Return the error of a vocabulary that does not hold together, naming where."""
    return IntegrityError(
        t(
            "The vocabulary of the GGUF file is damaged or missing ({what}): fetch the file again.",
            "Le vocabulaire du fichier GGUF est abîmé ou absent ({what}) : téléchargez à nouveau "
            "le fichier.",
            what=what,
        )
    )


def _texts(lists: dict[str, Any], name: str) -> list[str]:
    found = lists.get(name, [])
    if not isinstance(found, list):
        raise damaged(name)
    return found


def _numbers(lists: dict[str, Any], name: str, count: int, kinds: str) -> list[Any]:
    """Return a list of `count` numbers of some kinds (numpy's letters), or none."""
    found = lists.get(name)
    if found is None:
        return []
    if isinstance(found, list) or found.dtype.kind not in kinds or len(found) != count:
        raise damaged(name)
    if kinds == "f" and not bool(np.isfinite(found).all()):
        raise damaged(name)
    return list(found)


def _lists(data: mmap.mmap) -> dict[str, Any]:
    """Return the vocabulary's lists by name: of texts, or as an array of numbers."""
    (count,) = struct.unpack_from("<Q", data, 16)
    at = _BEGIN
    found: dict[str, Any] = {}
    for _ in range(count):
        name, at = _text(data, at)
        (kind,) = struct.unpack_from("<I", data, at)
        at += 4
        if kind == _ARRAY:
            wanted = name.removeprefix(_PREFIX) in _LISTS and name.startswith(_PREFIX)
            values, at = _list(data, at, wanted)
            if wanted:
                found[name.removeprefix(_PREFIX)] = values
        elif kind == _STRING:
            at += 8 + struct.unpack_from("<Q", data, at)[0]
        else:
            at += _WIDTHS[kind]
    return found


def _list(data: mmap.mmap, at: int, wanted: bool) -> tuple[Any, int]:
    kind, count = struct.unpack_from("<IQ", data, at)
    at += 12
    if kind != _STRING:
        end = at + count * _WIDTHS[kind]
        return np.frombuffer(data[at:end] if wanted else b"", _DTYPES[kind]), end
    texts = []
    for _ in range(count):
        if wanted:
            text, at = _text(data, at)
            texts.append(text)
        else:
            at += 8 + struct.unpack_from("<Q", data, at)[0]
    return texts, at


def _text(data: mmap.mmap, at: int) -> tuple[str, int]:
    (length,) = struct.unpack_from("<Q", data, at)
    end = at + 8 + length
    return str(data[at + 8 : end], "utf-8"), end
