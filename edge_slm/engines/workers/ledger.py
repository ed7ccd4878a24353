"""What was measured of models on this machine: memory, and whether their first words were read.

Two small files in the cache. A file that is damaged or cannot be written is passed over: everything
in it can be measured again.
"""

import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Annotated, TypeVar

import msgspec
from msgspec import Struct

from edge_slm import machine, paths
from edge_slm.engines.workers import budget, wire
from edge_slm.engines.workers.spec import Spec
from edge_slm.files import replacing

MARGIN = 1.02  # what one run takes more than another
OK = "ok"

Content = TypeVar("Content")
_Bytes = Annotated[int, msgspec.Meta(ge=0, le=1 << 50)]
_saving = threading.Lock()


class Measured(Struct, frozen=True):
    """Bytes of a worker: after loading, and at its highest."""

    loaded: _Bytes
    peak: _Bytes


def expected(spec: Spec, order: wire.Work | None = None) -> int:
    """Return the bytes to set aside for a request: from measures where there are some.

    Args:
        spec: the model.
        order: the request; None for the largest.
    """
    growth = budget.growth(spec, order)
    measured = _memory().get(_memory_key(spec))
    if measured is None:
        return budget.loaded(spec) + growth
    # Requests so far may have been smaller than this one; what an embedder took for long texts
    # says nothing of a question.
    peak = 0 if spec.kind == "embed" else measured.peak
    return int(max(peak, measured.loaded + growth) * MARGIN)


def remember_memory(spec: Spec, measured: Measured) -> None:
    """Keep what a worker took, if it is more than what is known."""
    key = _memory_key(spec)
    with _saving:
        known = _memory()
        before = known.get(key, Measured(0, 0))
        merged = Measured(
            max(before.loaded, measured.loaded),
            max(before.peak, measured.peak),
        )
        # A page more or less is no news.
        if merged.peak > before.peak * 1.005 or merged.loaded > before.loaded * 1.005:
            _save(_memory_file(), {**known, key: merged})


def self_test_result(spec: Spec) -> str | None:
    """Return "ok", the signal that ended the first reading, or None when there was none."""
    return _tests().get(_test_key(spec))


def remember_self_test(spec: Spec, result: str) -> None:
    """Keep how the first reading ended."""
    with _saving:
        known, key = _tests(), _test_key(spec)
        if known.get(key) != result:
            _save(_test_file(), {**known, key: result})


def _memory() -> dict[str, Measured]:
    return _load(_memory_file(), dict[str, Measured])


def _tests() -> dict[str, str]:
    return _load(_test_file(), dict[str, str])


def _memory_file() -> Path:
    return paths.cache_dir() / "memory.json"


def _test_file() -> Path:
    return paths.cache_dir() / "self_test.json"


def _memory_key(spec: Spec) -> str:
    settings = msgspec.json.encode(spec.load.settings).decode()
    return f"{spec.load.sha256 or spec.model} {_version(spec)} {settings}"


def _test_key(spec: Spec) -> str:
    return f"{spec.load.sha256 or spec.model} {_version(spec)} {machine.cpu_name()}"


def _version(spec: Spec) -> str:
    import importlib.metadata  # 30 ms, and only a model to load asks

    package = "faster-whisper" if spec.kind == "speech" else "llama-cpp-python"
    try:
        return f"{package} {importlib.metadata.version(package)}"
    except importlib.metadata.PackageNotFoundError:
        return package


def _load(path: Path, kind: type[Content]) -> Content:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        empty: Callable[[], Content] = kind
        return empty()


def _save(path: Path, content: object) -> None:
    with suppress(OSError), replacing(path) as temporary:
        temporary.write_bytes(msgspec.json.format(msgspec.json.encode(content)))
