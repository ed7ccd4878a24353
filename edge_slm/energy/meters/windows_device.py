"""Energy meters of Windows as devices: found by the configuration manager, asked by IOCTL.

Only what the system calls need; the bytes are read in windows.py. Never run on a real Windows: the
calls follow the reference of cfgmgr32.h, fileapi.h and ioapiset.h.
"""

import sys
import uuid

ENERGY_METER = uuid.UUID("45bd8344-7ed6-49cf-a440-c276c933b053")  # GUID_DEVICE_ENERGY_METER, emi.h

if sys.platform == "win32":
    import ctypes
    from ctypes import wintypes

    _PRESENT = 0  # CM_GET_DEVICE_INTERFACE_LIST_PRESENT
    _GENERIC_READ = 0x80000000
    _SHARE_READ_WRITE = 0x3
    _OPEN_EXISTING = 3
    _INVALID = ctypes.c_void_p(-1).value
    _manager = ctypes.WinDLL("cfgmgr32")
    _kernel = ctypes.WinDLL("kernel32", use_last_error=True)
    _kernel.CreateFileW.restype = wintypes.HANDLE
    _kernel.CreateFileW.argtypes = [
        *(wintypes.LPCWSTR, wintypes.DWORD, wintypes.DWORD, wintypes.LPVOID),
        *(wintypes.DWORD, wintypes.DWORD, wintypes.HANDLE),
    ]
    _kernel.DeviceIoControl.restype = wintypes.BOOL
    _kernel.DeviceIoControl.argtypes = [
        *(wintypes.HANDLE, wintypes.DWORD, wintypes.LPVOID, wintypes.DWORD, wintypes.LPVOID),
        *(wintypes.DWORD, wintypes.LPDWORD, wintypes.LPVOID),
    ]
    _kernel.CloseHandle.argtypes = [wintypes.HANDLE]

    class _Opened:
        """A handle of CreateFileW."""

        def __init__(self, handle: int) -> None:
            self._handle: int | None = handle

        def ask(self, code: int, size: int) -> bytes:
            """Return what an IOCTL gives, at most `size` bytes; raises OSError."""
            buffer = ctypes.create_string_buffer(size)
            got = wintypes.DWORD(0)
            if self._handle is None or not _kernel.DeviceIoControl(
                self._handle, code, None, 0, buffer, size, ctypes.byref(got), None
            ):
                raise ctypes.WinError(ctypes.get_last_error())
            return buffer.raw[: got.value]

        def close(self) -> None:
            """Let the handle go, once."""
            if self._handle is not None:
                _kernel.CloseHandle(self._handle)
                self._handle = None

    def paths() -> list[str]:
        """Return the interfaces of the energy meters that are there now."""
        guid = ctypes.create_string_buffer(ENERGY_METER.bytes_le, len(ENERGY_METER.bytes_le))
        size = wintypes.ULONG(0)
        if _manager.CM_Get_Device_Interface_List_SizeW(ctypes.byref(size), guid, None, _PRESENT):
            return []  # anything but CR_SUCCESS, which is 0
        names = ctypes.create_unicode_buffer(size.value)
        if _manager.CM_Get_Device_Interface_ListW(guid, None, names, size, _PRESENT):
            return []
        return [name for name in "".join(names[: size.value]).split("\0") if name]

    def open_device(path: str) -> _Opened:
        """Open one of `paths`; raises OSError."""
        handle = _kernel.CreateFileW(
            path, _GENERIC_READ, _SHARE_READ_WRITE, None, _OPEN_EXISTING, 0, None
        )
        if handle is None or handle == _INVALID:
            raise ctypes.WinError(ctypes.get_last_error())
        return _Opened(handle)
