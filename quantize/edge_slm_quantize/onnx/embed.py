"""Vectors of texts by an encoder in ONNX: tokens, their vectors pooled (sources/pooling).

One text at a time and nothing padded, as the device will do it: in a graph whose activations are
quantised as it runs, padding and neighbours in a batch would change the vectors. A graph of fixed
shape is given its full length.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_slm.errors import EdgeSlmError, UsageError
from edge_slm.i18n import t
from edge_slm_quantize.onnx.sessions import session
from edge_slm_quantize.sources import tokenizers
from edge_slm_quantize.sources.pooling import Pooling, pooled, pooling_of

Vectors = NDArray[np.float32]
_TYPES = {"tensor(int64)": np.int64, "tensor(int32)": np.int32}


def embed_onnx(
    path: Path,
    texts: Sequence[str],
    prefix: str = "",
    threads: int = 0,
    *,
    longest: int = 512,
    pooling: Pooling | None = None,
) -> Vectors:
    """Return the unit vectors of texts.

    Args:
        path: an ONNX file, or a folder that holds one; tokenizer.json lies beside it.
        texts: what to embed; an empty one has a vector too.
        prefix: put before each text, such as “query: ”.
        threads: 0 for this machine's physical cores.
        longest: tokens of a text that are read, with those around it; the rest is cut. The length
            of a graph of fixed shape, when it is less.
        pooling: None for what the folder says (`pooling_of`).

    Returns:
        Rows of length 1 (texts, dimensions); of no text, (0, 0).

    Raises:
        MissingError: onnxruntime or tokenizers is not installed.
        IntegrityError: the tokenizer is absent or damaged.
        UsageError: the folder holds no model, or several, or its vectors are pooled in another way.
        EdgeSlmError: onnxruntime does not load the model, or it is no encoder.
    """
    file = model_file(path)
    how = pooling or pooling_of(file.parent)
    encoder = Encoder(file, threads, longest)
    vectors = [pooled(*encoder.tokens_of(prefix + text), how) for text in texts]
    if not bool(np.isfinite(vectors).all()):
        raise EdgeSlmError(
            t(
                "{name} gives vectors that are not numbers: this recipe does not suit the model.",
                "{name} donne des vecteurs qui ne sont pas des nombres : cette recette ne convient "
                "pas au modèle.",
                name=file.name,
            )
        )
    return np.asarray(vectors, np.float32).reshape(len(texts), -1 if texts else 0)


def model_file(path: Path) -> Path:
    """Return the one ONNX file that `path` is or holds.

    Raises:
        UsageError: there is none, or several.
    """
    if path.is_file():
        return path
    found = sorted(path.glob("*.onnx"))
    if len(found) != 1:
        raise UsageError(
            t(
                "{path} holds {count} ONNX files, where one encoder is wanted: name the file.",
                "{path} contient {count} fichiers ONNX, alors qu'il faut un encodeur : nommez le "
                "fichier.",
                path=path,
                count=len(found),
            )
        )
    return found[0]


class Encoder:
    """An ONNX graph that gives a vector for each token, with its tokenizer."""

    def __init__(self, file: Path, threads: int, longest: int) -> None:
        """Load both.

        Raises:
            MissingError, IntegrityError, EdgeSlmError: as `embed_onnx`.
        """
        self._tokenizer = tokenizers.load(file.parent / tokenizers.FILE)
        # A text that spells the name of a control token stays a text, as the engines read it.
        self._tokenizer.encode_special_tokens = True
        self._session = session(file, threads)
        self._inputs = {one.name: one for one in self._session.get_inputs()}
        if "input_ids" not in self._inputs:
            raise _no_encoder(file)
        self._file = file
        shape = self._inputs["input_ids"].shape
        self._fixed = shape[1] if len(shape) == 2 and isinstance(shape[1], int) else None
        self._batch = shape[0] if isinstance(shape[0], int) else 1
        self._tokenizer.enable_truncation(min(longest, self._fixed or longest))

    def tokens_of(self, text: str) -> tuple[Vectors, NDArray[np.int64]]:
        """Return the vectors of a text's tokens and its mask, padding included."""
        ids = self._tokenizer.encode(text).ids
        length = self._fixed or max(1, len(ids))
        padding = self._tokenizer.token_to_id("[PAD]") or self._tokenizer.token_to_id("<pad>") or 0
        rows = {
            "input_ids": [*ids, *[padding] * (length - len(ids))],
            "attention_mask": [*[1] * len(ids), *[0] * (length - len(ids))],
        }
        given = {
            name: np.tile(
                np.asarray(rows.get(name, [0] * length), _TYPES.get(one.type, np.int64)),
                (self._batch, 1),
            )
            for name, one in self._inputs.items()
        }
        hidden = self._session.run(None, given)[0]
        if hidden.ndim != 3 or hidden.shape[1] != length:
            raise _no_encoder(self._file)
        return hidden[0].astype(np.float32), np.asarray(rows["attention_mask"])


def _no_encoder(file: Path) -> EdgeSlmError:
    return EdgeSlmError(
        t(
            "{name} is no encoder: it must take input_ids and give a vector for each token.",
            "{name} n'est pas un encodeur : il doit prendre input_ids et donner un vecteur par "
            "jeton.",
            name=file.name,
        )
    )
