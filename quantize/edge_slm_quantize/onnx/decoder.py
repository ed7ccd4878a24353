"""A decoder with past, run by onnxruntime: what it expects of a text, and how fast it writes.

Keys and values stay in onnxruntime's own memory between two steps. It does not sample: the
likeliest token is taken, which is what a speed needs.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edge_slm.answer import Energy
from edge_slm.energy.accounts import metered
from edge_slm.errors import EdgeSlmError
from edge_slm.i18n import t
from edge_slm_quantize.extra import need
from edge_slm_quantize.measure.reference import log_softmax, scored
from edge_slm_quantize.onnx.sessions import session

_FLOATS = {"tensor(float)": np.float32, "tensor(float16)": np.float16}


@dataclass(frozen=True)
class Speed:
    """One run: tokens read and written after them, the seconds of each, and the writing's cost."""

    read: int
    written: int
    reading_s: float
    writing_s: float
    writing: Energy


class Decoder:
    """A decoder that was exported with past keys and values."""

    def __init__(self, path: Path, threads: int = 0) -> None:
        """Load it; `threads` 0 for this machine's physical cores.

        Raises:
            EdgeSlmError: it does not load, or is no decoder with past.
        """
        self._session = session(path, threads)
        self._inputs = {one.name: one for one in self._session.get_inputs()}
        self._outputs = [one.name for one in self._session.get_outputs()]
        self._past = [name for name in self._inputs if name.startswith("past_key_values")]
        if "logits" not in self._outputs or not self._past:
            raise EdgeSlmError(
                t(
                    "{name} is no decoder with past keys and values: export it with its past.",
                    "{name} n'est pas un décodeur avec clés et valeurs passées : exportez-le "
                    "avec son passé.",
                    name=path.name,
                )
            )

    def logits(self, tokens: Sequence[int]) -> np.ndarray:
        """Return the scores of all successors after each token, (len(tokens), vocabulary)."""
        values = self._session.run(["logits"], self._first(tokens))[0][0]
        return np.asarray(values, np.float32)

    def write(self, tokens: Sequence[int], count: int) -> Speed:
        """Read tokens and write `count` of them greedily, whatever they say."""
        start = time.perf_counter()
        last, past = self._step(self._first(tokens))
        reading_s = time.perf_counter() - start
        length = len(tokens)
        with metered() as bill:
            start = time.perf_counter()
            for _ in range(count):
                last, past = self._step({**self._tokens([last], length), **past})
                length += 1
            writing_s = time.perf_counter() - start
        return Speed(len(tokens), count, reading_s, writing_s, bill.energy)

    def _step(self, feed: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        wrap = need("onnxruntime").OrtValue.ortvalue_from_numpy
        given = {
            name: wrap(value) if isinstance(value, np.ndarray) else value
            for name, value in feed.items()
        }
        found = dict(
            zip(
                self._outputs,
                self._session.run_with_ort_values(self._outputs, given),
                strict=True,
            )
        )
        likeliest = int(found["logits"].numpy()[0, -1].argmax())
        return likeliest, {
            name: found[name.replace("past_key_values", "present")] for name in self._past
        }

    def _first(self, tokens: Sequence[int]) -> dict[str, np.ndarray]:
        return {**self._tokens(tokens, 0), **no_past(self._session)}

    def _tokens(self, tokens: Sequence[int], before: int) -> dict[str, np.ndarray]:
        end = before + len(tokens)
        known = {
            "input_ids": np.array([tokens], np.int64),
            "attention_mask": np.ones((1, end), np.int64),
            "position_ids": np.arange(before, end, dtype=np.int64)[None],
        }
        return {name: value for name, value in known.items() if name in self._inputs}


def no_past(opened: Any) -> dict[str, np.ndarray]:
    """Return the keys and values of a text that begins: (1, heads, 0, width) for each layer."""
    return {
        one.name: np.zeros(
            [1] + [side if isinstance(side, int) else 0 for side in one.shape[1:]],
            _FLOATS[one.type],
        )
        for one in opened.get_inputs()
        if one.name.startswith("past_key_values")
    }


def log_probabilities(
    path: Path, chunks: Sequence[Sequence[int]], threads: int = 0
) -> Iterator[np.ndarray]:
    """Yield, for each chunk of n tokens, what is expected after each token of its second half.

    The last token has no successor to compare with: row i is what is expected of token n/2 + i.

    Args:
        path: the ONNX file of a decoder with past.
        chunks: token ids, an even number in each.
        threads: 0 for this machine's physical cores.
    Yields:
        natural logarithms of probabilities, (n/2, vocabulary) float32.
    """
    decoder = Decoder(path, threads)
    for chunk in chunks:
        # The distribution of a token comes out where the one before it went in.
        first = len(chunk) - scored(chunk) - 1
        yield log_softmax(decoder.logits(chunk)[first:-1].copy())
