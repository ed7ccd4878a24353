"""What llama.cpp says while it works: kept in memory, never printed."""

import ctypes
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_LINES = 200  # pieces kept; a failure is told by the last ones


@contextmanager
def captured(c: Any) -> Iterator[deque[str]]:
    """Yield what llama.cpp says meanwhile, the last pieces of it; then give its log back.

    Args:
        c: the module llama_cpp. Its log is one for the whole process.
    """
    said: deque[str] = deque(maxlen=_LINES)

    @c.llama_log_callback  # type: ignore[untyped-decorator]
    def keep(_level: int, text: bytes, _data: int) -> None:
        said.append(text.decode("utf-8", "replace"))

    before, data = c.llama_log_callback(), ctypes.c_void_p()
    c.llama_log_get(ctypes.byref(before), ctypes.byref(data))
    c.llama_log_set(keep, ctypes.c_void_p(0))
    try:
        yield said
    finally:
        c.llama_log_set(before, data)
