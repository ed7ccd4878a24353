"""How near decoding comes to what the memory can deliver (Williams et al., "Roofline", 2009).

Writing one token of a dense model reads every weight once and the keys and values of all tokens
before it; so bandwidth / bytes read bounds the tokens per second from above, whatever the code.
The bandwidth is that of a copy, bytes read and bytes written both counted: a processor whose reads
are faster than its writes can show a fraction above 1.
"""

import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_slm.bench.runtime.timing import timed
from edge_slm.engines import ChatEngine, Message
from edge_slm.gguf_layout import Layout, read_layout
from edge_slm.machine import compute_threads

COPY_BYTES = 256 << 20  # all threads together: far beyond any cache, and bearable on 4 GB
REPEATS = 9
WRITTEN = (Message("user", "Écris une longue histoire qui se passe dans une mairie."),)
WRITTEN_TOKENS = 96


@dataclass(frozen=True)
class Bandwidth:
    """Bytes per second, read and written together: the median of the repeats, and the best."""

    median: float
    best: float
    threads: int


def copy_bandwidth(
    threads: int | None = None, size: int = COPY_BYTES, repeats: int = REPEATS
) -> Bandwidth:
    """Copy an array as often as asked and return the bandwidth.

    Args:
        threads: how many copy at once, each its own share; by default as many as engines use.
        size: bytes of the array; as much again is needed to copy to.
        repeats: copies that are timed, after one that is not.
    """
    import numpy as np

    threads = threads or compute_threads()
    share = size // threads
    pairs = [(np.ones(share, np.uint8), np.zeros(share, np.uint8)) for _ in range(threads)]

    def copy(pair: tuple[np.ndarray, np.ndarray]) -> None:
        np.copyto(pair[1], pair[0])  # lets the other threads run

    times = []
    with ThreadPoolExecutor(threads) as pool:
        for _ in range(repeats + 1):
            begin = time.perf_counter()
            list(pool.map(copy, pairs))
            times.append(time.perf_counter() - begin)
    moved = 2 * share * threads
    return Bandwidth(moved / statistics.median(times[1:]), moved / min(times[1:]), threads)


def bytes_per_token(layout: Layout, context_tokens: int, number_bytes: float = 2.0) -> int:
    """Return the bytes that a dense model reads to write one token.

    All weights, but of an embedding table that is not the output table too one row; and the keys
    and values of `context_tokens` tokens at `number_bytes` a number (2 for f16, 34/32 for q8_0).
    """
    weights = sum(tensor.size for tensor in layout.tensors.values())
    table = layout.tensors.get("token_embd.weight")
    if table and "output.weight" in layout.tensors:
        rows = table.shape[-1] or 1
        weights -= table.size - table.size // rows
    return round(weights + context_tokens * kv_numbers_per_token(layout) * number_bytes)


def kv_numbers_per_token(layout: Layout) -> int:
    """Return how many numbers the keys and values of one token take, all layers together."""
    layers, heads = layout.number("block_count"), max(1, layout.number("attention.head_count"))
    size = layout.number("embedding_length") // heads
    key = layout.number("attention.key_length", size)
    value = layout.number("attention.value_length", size)
    kv_heads = layout.numbers("attention.head_count_kv", layers)
    return sum(kv_heads or (heads,) * layers) * (key + value)


def fraction(tokens_per_s: float, token_bytes: int, bandwidth: Bandwidth) -> float:
    """Return which share of the bandwidth decoding uses: 1 is the roof."""
    return tokens_per_s * token_bytes / bandwidth.median


def decoding(
    chat: ChatEngine, path: Path, number_bytes: float, repeats: int, threads: int
) -> dict[str, Any]:
    """Return how fast a model writes, and which share of the bandwidth that uses.

    Args:
        chat: the engine.
        path: its GGUF file.
        number_bytes: of a number of the keys and values.
        repeats: replies; between two of them the bandwidth is measured again.
        threads: how many the engine uses.
    """
    timed(chat.stream(WRITTEN, 1))
    layout = read_layout(path)
    replies, copies = [], []
    for _ in range(repeats):
        copies.append(copy_bandwidth(threads).median)
        replies.append(timed(chat.stream(WRITTEN, WRITTEN_TOKENS)))
    speed = statistics.median(reply.tokens_per_s for reply in replies)
    usage = replies[0].usage
    size = bytes_per_token(layout, usage.prompt_tokens + usage.completion_tokens // 2, number_bytes)
    bandwidth = Bandwidth(statistics.median(copies), max(copies), threads)
    return {
        "copy_bytes_per_s": round(bandwidth.median),
        "copy_best_bytes_per_s": round(bandwidth.best),
        "threads": threads,
        "tokens_per_s": round(speed, 2),
        "bytes_per_token": size,
        "fraction": round(fraction(speed, size, bandwidth), 3),
    }
