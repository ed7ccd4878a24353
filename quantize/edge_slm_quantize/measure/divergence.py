"""How far a shrunk model is from its reference, token by token on the same text.

Knows no format: a candidate is an iterable of log-probabilities, chunk by chunk. Intervals are
those of intervals.py, over chunks.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from edge_slm.errors import EdgeSlmError
from edge_slm.i18n import t
from edge_slm_quantize.measure import intervals
from edge_slm_quantize.measure.reference import (
    BLOCK,
    Reference,
    Rows,
    checked,
    losses_of,
    perplexity,
)

EXAMPLES = 5  # flips that are told, the worst first
_TAIL = 99  # percentile


class Flip(msgspec.Struct, frozen=True, kw_only=True):
    """A place where the likeliest token is another: row `place` of a chunk, and the two tokens.

    kld: divergence there, in nats.
    """

    chunk: int
    place: int
    reference: int
    candidate: int
    kld: float


class Divergence(msgspec.Struct, frozen=True, kw_only=True):
    """A candidate against the reference over `tokens` scored tokens; 95 % intervals.

    kld: mean of KL(reference || candidate), nats a token; kld_p99, kld_median: its quantiles.
    perplexity_ratio: to the reference's, its interval taken pair by pair: far narrower than that
        of a perplexity, which mostly tells how texts differ.
    top1_flips: tokens whose likeliest successor is another. flips: some, the worst first.
    by_chunk: mean KLD of each chunk, which `paired_difference` needs.
    key: hash of reference and text; only divergences of one key compare.
    """

    key: str
    tokens: int
    perplexity: float
    perplexity_low: float
    perplexity_high: float
    reference_perplexity: float
    perplexity_ratio: float
    perplexity_ratio_low: float
    perplexity_ratio_high: float
    kld: float
    kld_low: float
    kld_high: float
    kld_median: float
    kld_p99: float
    top1_agreement: float
    top1_agreement_low: float
    top1_agreement_high: float
    top1_flips: int
    flips: tuple[Flip, ...]
    by_chunk: tuple[float, ...]


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """Mean KLD of one candidate less that of another, taken chunk by chunk; its 95 % interval.

    indistinguishable: the interval holds 0: this text does not tell which of them is nearer.
    """

    kld: float
    low: float
    high: float
    indistinguishable: bool


def compare(reference: Reference, candidate: Iterable[Rows]) -> Divergence:
    """Compare a candidate with the reference.

    Args:
        reference: of reference.reference.
        candidate: log-probabilities (scored x vocabulary) of each of the reference's chunks.
    Raises:
        IntegrityError: it gives numbers that are none, or another vocabulary.
    """
    about = reference.about
    klds, losses, flips = [], [], []
    likeliest = np.asarray(about.likeliest).reshape(len(about.chunks), -1)
    for number, rows in enumerate(checked(candidate, about.chunks, about.vocabulary)):
        kld = divergences(reference.rows(number), rows)
        klds.append(kld)
        losses.append(losses_of(rows, about.chunks[number]))
        flips += _flips(number, likeliest[number], rows.argmax(axis=1), kld)
    return _divergence(reference, np.stack(klds), np.stack(losses), flips)


def divergences(reference: Rows, candidate: Rows) -> NDArray[np.float64]:
    """Return KL(reference || candidate) of each row, in nats, at least 0.

    Args:
        reference, candidate: log-probabilities (rows x vocabulary).
    """
    found = np.empty(len(reference))
    for start in range(0, len(reference), BLOCK):
        here = slice(start, start + BLOCK)
        weighted = np.exp(reference[here]) * (reference[here] - candidate[here])
        found[here] = weighted.sum(axis=1, dtype=np.float64)
    # Rounding may leave -1e-8, which no divergence is.
    return np.maximum(found, 0.0)


def paired_difference(one: Divergence, other: Divergence) -> Difference:
    """Compare two candidates that met the same text and reference.

    Raises:
        EdgeSlmError: they did not.
    """
    if one.key != other.key:
        raise EdgeSlmError(
            t(
                "These two were measured against another reference or text: measure both again.",
                "Ces deux mesures ont une autre référence ou un autre texte : refaites-les.",
            )
        )
    found = intervals.mean([a - b for a, b in zip(one.by_chunk, other.by_chunk, strict=True)])
    return Difference(
        kld=found.value,
        low=found.low,
        high=found.high,
        indistinguishable=found.low <= 0 <= found.high,
    )


def values(found: Divergence) -> dict[str, float]:
    """Return what metrics.METRICS names of a divergence."""
    return {
        "kld": found.kld,
        "kld_low": found.kld_low,
        "kld_high": found.kld_high,
        "kld_p99": found.kld_p99,
        "top1_agreement": found.top1_agreement,
        "perplexity": found.perplexity,
    }


def reference_values(reference: Reference) -> tuple[dict[str, float], dict[str, Any]]:
    """Return the values of the reference itself, and the interval of its perplexity."""
    losses = _by_chunk(reference)
    bounds = intervals.mean(losses.mean(axis=1).tolist())
    own = perplexity(reference.about.losses)
    details = {
        "tokens": losses.size,
        "perplexity_low": perplexity([bounds.low]),
        "perplexity_high": perplexity([bounds.high]),
    }
    exact = {"kld": 0.0, "kld_low": 0.0, "kld_high": 0.0, "kld_p99": 0.0, "top1_agreement": 1.0}
    return {**exact, "perplexity": own}, details


def _divergence(
    reference: Reference,
    klds: NDArray[np.float64],
    losses: NDArray[np.float64],
    flips: Sequence[Flip],
) -> Divergence:
    by_chunk = klds.mean(axis=1).tolist()
    kld = intervals.mean(by_chunk)
    own = intervals.mean(losses.mean(axis=1).tolist())
    ratio = intervals.mean((losses - _by_chunk(reference)).mean(axis=1).tolist())
    width = klds.shape[1]
    per_chunk = [width - sum(flip.chunk == number for flip in flips) for number in range(len(klds))]
    same = intervals.share(per_chunk, width)
    return Divergence(
        key=reference.about.key,
        tokens=klds.size,
        perplexity=perplexity(losses.ravel()),
        perplexity_low=perplexity([own.low]),
        perplexity_high=perplexity([own.high]),
        reference_perplexity=perplexity(reference.about.losses),
        perplexity_ratio=perplexity([ratio.value]),
        perplexity_ratio_low=perplexity([ratio.low]),
        perplexity_ratio_high=perplexity([ratio.high]),
        kld=kld.value,
        kld_low=max(0.0, kld.low),
        kld_high=kld.high,
        kld_median=float(np.median(klds)),
        kld_p99=float(np.percentile(klds, _TAIL)),
        top1_agreement=same.value,
        top1_agreement_low=same.low,
        top1_agreement_high=same.high,
        top1_flips=len(flips),
        flips=tuple(sorted(flips, key=lambda flip: -flip.kld)[:EXAMPLES]),
        by_chunk=tuple(by_chunk),
    )


def _by_chunk(reference: Reference) -> NDArray[np.float64]:
    return np.asarray(reference.about.losses).reshape(len(reference.about.chunks), -1)


def _flips(
    chunk: int,
    reference: NDArray[np.int64],
    candidate: NDArray[np.int64],
    kld: NDArray[np.float64],
) -> list[Flip]:
    return [
        Flip(
            chunk=chunk,
            place=int(place),
            reference=int(reference[place]),
            candidate=int(candidate[place]),
            kld=float(kld[place]),
        )
        for place in np.flatnonzero(reference != candidate)
    ]
