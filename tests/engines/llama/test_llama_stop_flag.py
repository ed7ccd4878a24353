"""The flag that native code reads."""

import ctypes
import threading

import pytest

from edge_slm.engines.stopping import StopFlag, Stopped


def _read(flag: StopFlag) -> int:
    """Ask as llama.cpp does, by `bool (*)(void *)`, but see the whole number."""
    asked = ctypes.CFUNCTYPE(ctypes.c_size_t, ctypes.c_void_p)(StopFlag.reader())
    answered = ctypes.CFUNCTYPE(ctypes.c_bool, ctypes.c_void_p)(StopFlag.reader())
    number = int(asked(flag.address))
    assert bool(answered(flag.address)) == bool(number)
    return number


def test_native_code_reads_zero_or_one() -> None:
    flag = StopFlag()
    for _ in range(3):
        assert _read(flag) == 0
        flag.set()
        assert _read(flag) == 1
        flag.set()
        assert _read(flag) == 1
        flag.clear()
    assert _read(flag) == 0


def test_python_reads_the_same() -> None:
    flag = StopFlag()
    assert not flag
    flag.check()
    flag.set()
    assert flag
    with pytest.raises(Stopped):
        flag.check()
    flag.clear()
    flag.check()


def test_each_flag_is_its_own() -> None:
    one, other = StopFlag(), StopFlag()
    one.set()
    assert (_read(one), _read(other)) == (1, 0)


def test_any_thread_may_set_it() -> None:
    flag = StopFlag()
    setter = threading.Thread(target=flag.set)
    setter.start()
    setter.join()
    assert _read(flag) == 1
