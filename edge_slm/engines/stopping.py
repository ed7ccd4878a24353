"""A flag that stops native code at once, set from any thread."""

import ctypes
import ctypes.util
import sys


class Stopped(Exception):
    """The work was stopped because somebody asked for it."""


class StopFlag:
    """Off until `set`; native code reads it without entering Python.

    llama.cpp asks an abort callback `bool (*)(void *)` before each node of its graph, some
    thousand times a token. The C library's `strlen` over a text of no byte or of one byte answers
    that question, so that nothing waits for the interpreter.
    """

    def __init__(self) -> None:
        """Make a flag that is off."""
        self._text = ctypes.create_string_buffer(2)

    def set(self) -> None:
        """Ask for a stop."""
        self._text[0] = b"\x01"

    def clear(self) -> None:
        """Take the request back, before other work begins."""
        self._text[0] = b"\x00"

    def __bool__(self) -> bool:
        """Return whether a stop was asked for."""
        return self._text[0] != b"\x00"

    def check(self) -> None:
        """Raise `Stopped` if a stop was asked for."""
        if self:
            raise Stopped

    @property
    def address(self) -> int:
        """Where the flag lies; the flag must outlive the native code that watches it."""
        return ctypes.addressof(self._text)

    @staticmethod
    def reader() -> int:
        """Return the address of a C function that takes `address` and returns 1 if it is set."""
        library = ctypes.CDLL("ucrtbase" if sys.platform == "win32" else None)
        return ctypes.cast(library.strlen, ctypes.c_void_p).value or 0
