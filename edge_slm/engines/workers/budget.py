"""How much memory engines may take together, and how much a model will take, in bytes.

The processor's memory only. Knows nothing of processes: `ledger.py` keeps what was measured.
"""

import os
from pathlib import Path

from edge_slm import machine
from edge_slm.engines.settings import Settings
from edge_slm.engines.workers import wire
from edge_slm.engines.workers.gguf_shape import Shape, read_shape
from edge_slm.engines.workers.spec import Spec
from edge_slm.sizes import parse_size

SHARE = 0.6  # of the machine's memory; a desktop and a browser need the rest
LEAST = 1_500_000_000  # the smallest profile and its embedder
VARIABLE = "EDGE_SLM_BUDGET"

# Fitted to the resident memory of workers, x86-64 Linux, llama-cpp-python 0.3.36 and faster-whisper
# 1.2.1; tests/engines/test_real_memory.py compares.
_CHAT_PROGRAM, _CHAT_READING, _CHAT_READING_SHARE = 120_000_000, 60_000_000, 0.05
_EMBED_PROGRAM, _EMBED_READING = 190_000_000, 30_000_000
_EMBED_TOKENS = 512  # llama.cpp keeps a number for each token of a passage and each of its pieces
_SPEECH_PROGRAM, _SPEECH_LISTENING = 60_000_000, 400_000_000
KV_BYTES = {"f16": 2.0, "bf16": 2.0, "q8_0": 34 / 32}  # q8_0: a scale of 2 bytes for 32 numbers


def default_budget() -> int:
    """Return the bytes of EDGE_SLM_BUDGET, else 60 % of the memory, and at least 1.5 GB of it.

    Raises:
        UsageError: EDGE_SLM_BUDGET is no size.
    """
    if text := os.environ.get(VARIABLE):
        return parse_size(text)
    total = machine.total_ram()
    return max(int(total * SHARE), min(total, LEAST))


def loaded(spec: Spec) -> int:
    """Return the bytes that the process of a model takes once it is loaded, at most."""
    weights = _size(spec.path)
    match spec.kind:
        case "chat":
            return _CHAT_PROGRAM + weights + _cache_of(spec)
        case "embed":
            return _EMBED_PROGRAM + weights
        case "speech":
            return _SPEECH_PROGRAM + weights


def growth(spec: Spec, order: wire.Work | None = None) -> int:
    """Return the bytes that a request adds to what a loaded model takes, at most.

    Args:
        spec: the model.
        order: the request; None for the largest.
    """
    match spec.kind:
        case "chat":
            reading = _CHAT_READING + int(_CHAT_READING_SHARE * _size(spec.path))
            # The state of a conversation is copied twice on its way to those set aside.
            return reading + 2 * _cache_of(spec) + spec.load.settings.conversations
        case "embed":
            return _EMBED_READING + _longest(order) * 4 * _vocabulary(spec)
        case "speech":
            return _SPEECH_LISTENING


def _longest(order: wire.Work | None) -> int:
    """Return the tokens of the longest text to embed, at most."""
    if order is None:
        return _EMBED_TOKENS
    if not isinstance(order, wire.Embed):
        return 0
    # A token is a byte at least; the prefix and both ends come on top.
    return min(_EMBED_TOKENS, max(len(text.encode()) for text in order.texts) + 16)


def _vocabulary(spec: Spec) -> int:
    shape = read_shape(spec.path)
    return shape.vocabulary if shape else 0


def _cache_of(spec: Spec) -> int:
    shape = read_shape(spec.path)
    return kv_cache(shape, spec.load.settings) if shape else 0


def kv_cache(shape: Shape, settings: Settings) -> int:
    """Return the bytes of the keys and values of a whole context."""
    numbers = shape.layers * shape.kv_heads * (shape.key_size + shape.value_size)
    return int(numbers * settings.context * KV_BYTES[settings.kv_type])


def _size(path: Path) -> int:
    """Return the bytes of a file, or of the files of a folder; 0 when it is not there."""
    try:
        if path.is_dir():
            return sum(file.stat().st_size for file in path.iterdir() if file.is_file())
        return path.stat().st_size
    except OSError:
        return 0
