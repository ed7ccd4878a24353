"""States on the disk: whole or absent, never foreign, within the cap, for their owner only."""

import hashlib
import os
import shutil
import signal
import stat
import struct
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_slm.engines.llama import prefix_store
from edge_slm.engines.llama.prefix_store import MAGIC, SHORTEST, Maker, PrefixStore
from edge_slm.errors import UsageError

MAKER = Maker(
    model="ab" * 32,
    template="{{ messages }}",
    kv_type="bf16",
    flash_attention=True,
    repack=False,
    engine="llama-cpp-python 0",
)
TOKENS = list(range(SHORTEST))
STATE = b"keys and values " * 4
OTHERS = {
    "model": "cd" * 32,
    "template": "",
    "kv_type": "f16",
    "flash_attention": False,
    "repack": True,
    "engine": "llama-cpp-python 1",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "prefixes"


@pytest.fixture
def store(root: Path) -> PrefixStore:
    return PrefixStore(MAKER, root)


def _file(store: PrefixStore, tokens: Sequence[int] = TOKENS, state: bytes = STATE) -> Path:
    assert store.save(tokens, state)
    (path,) = store.root.glob("*/*.kv")
    return path


def _tokens(first: int) -> list[int]:
    return [first, *TOKENS]


@given(
    st.lists(st.integers(0, (1 << 31) - 1), min_size=SHORTEST, max_size=SHORTEST * 2),
    st.binary(max_size=200),
)
def test_what_is_kept_comes_back(
    tmp_path_factory: pytest.TempPathFactory, tokens: list[int], state: bytes
) -> None:
    root = tmp_path_factory.mktemp("prefixes")
    store = PrefixStore(MAKER, root)
    assert not store.holds(tokens)
    assert store.load(tokens) is None
    assert store.save(tokens, state)
    assert store.holds(tokens)
    assert PrefixStore(MAKER, root).load(tokens) == state
    assert store.load(tokens[:-1]) is None
    assert store.load([*tokens, 0]) is None
    shutil.rmtree(root)


def test_nothing_is_made_before_a_state_is_kept(store: PrefixStore) -> None:
    assert store.load(TOKENS) is None
    assert not store.holds(TOKENS)
    assert not store.root.exists()


def test_a_state_kept_again_takes_the_place_of_the_first(store: PrefixStore) -> None:
    _file(store)
    _file(store, state=b"other")
    assert store.load(TOKENS) == b"other"


@pytest.mark.parametrize("count", [0, 1, SHORTEST - 1])
def test_a_short_prefix_is_not_worth_a_file(store: PrefixStore, count: int) -> None:
    assert not store.save(TOKENS[:count], STATE)
    assert not store.root.exists()


def test_a_file_cut_anywhere_is_removed(store: PrefixStore) -> None:
    path = _file(store)
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        assert store.load(TOKENS) is None
        assert not path.exists()
    path.write_bytes(whole)
    assert store.load(TOKENS) == STATE


def test_one_wrong_byte_anywhere_is_found(store: PrefixStore) -> None:
    path = _file(store)
    whole = path.read_bytes()
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x20]) + whole[place + 1 :])
        # A blank for a blank of the header is the only change that may go unseen.
        assert store.load(TOKENS) in (None, STATE)
        if place >= len(whole) - len(STATE):
            assert not path.exists()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        MAGIC,
        MAGIC + struct.pack("<I", 0xFFFFFFFF) + STATE,
        MAGIC + struct.pack("<I", 4) + b"null" + STATE,
        MAGIC + struct.pack("<I", 2) + b"{}" + STATE,
        MAGIC + struct.pack("<I", 3) + b"\xff\xfe\xfd" + STATE,
        b"\x00" * 4096,
        b"#!/bin/sh\n",
    ],
    ids=["empty", "magic", "huge", "null", "no-field", "no-text", "zeros", "script"],
)
def test_a_file_of_another_kind_is_removed_and_made_again(
    store: PrefixStore, content: bytes
) -> None:
    path = _file(store)
    path.write_bytes(content)
    assert store.load(TOKENS) is None
    assert not path.exists()
    assert store.save(TOKENS, STATE)
    assert store.load(TOKENS) == STATE


@given(st.binary(max_size=400), st.booleans())
def test_random_bytes_are_no_state(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, begins_well: bool
) -> None:
    store = PrefixStore(MAKER, tmp_path_factory.mktemp("prefixes"))
    path = _file(store)
    path.write_bytes(MAGIC + content if begins_well else content)
    assert store.load(TOKENS) is None
    shutil.rmtree(store.root)


def test_bytes_after_the_state_make_it_foreign(store: PrefixStore) -> None:
    path = _file(store)
    path.write_bytes(path.read_bytes() + b"\0")
    assert store.load(TOKENS) is None


@pytest.mark.parametrize("field", OTHERS)
def test_a_state_of_another_maker_is_foreign(store: PrefixStore, field: str) -> None:
    other = PrefixStore(msgspec.structs.replace(MAKER, **{field: OTHERS[field]}), store.root)
    path = _file(store)
    assert other.load(TOKENS) is None
    assert store.load(TOKENS) == STATE
    # Not even when its file is put where the other one looks.
    assert other.save(TOKENS, b"theirs")
    (theirs,) = set(store.root.glob("*/*.kv")) - {path}
    theirs.write_bytes(path.read_bytes())
    assert other.load(TOKENS) is None
    assert not theirs.exists()


def test_a_state_of_other_tokens_is_foreign(store: PrefixStore) -> None:
    path = _file(store)
    assert store.save(_tokens(7), b"other")
    (other,) = set(store.root.glob("*/*.kv")) - {path}
    shutil.copy(other, path)
    assert store.load(TOKENS) is None
    assert store.load(_tokens(7)) == b"other"


def test_a_header_that_lies_about_its_checksum_is_found(store: PrefixStore) -> None:
    path = _file(store)
    data = path.read_bytes()
    wrong = hashlib.sha256(b"other").hexdigest().encode()
    path.write_bytes(data.replace(hashlib.sha256(STATE).hexdigest().encode(), wrong))
    assert store.load(TOKENS) is None


def test_a_folder_in_the_place_of_a_file_is_no_state(store: PrefixStore) -> None:
    path = _file(store)
    path.unlink()
    path.mkdir()
    assert store.load(TOKENS) is None
    assert not store.save(TOKENS, STATE)
    assert [*path.parent.iterdir()] == [path]


def test_a_file_in_the_place_of_the_folder_only_costs_time(root: Path) -> None:
    root.write_bytes(b"")
    store = PrefixStore(MAKER, root)
    assert not store.save(TOKENS, STATE)
    assert store.load(TOKENS) is None
    assert not store.holds(TOKENS)
    assert root.read_bytes() == b""


def test_a_disk_that_refuses_to_write_only_costs_time(
    store: PrefixStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = _file(store)

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "utime", refuse)
    assert store.load(TOKENS) == STATE
    monkeypatch.setattr(Path, "unlink", refuse)
    path.write_bytes(b"damaged")
    assert store.load(TOKENS) is None
    monkeypatch.setattr(Path, "mkdir", refuse)
    assert not store.save(_tokens(1), STATE)


def test_a_disk_that_is_full_keeps_what_it_had(
    store: PrefixStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = _file(store)

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    assert not store.save(TOKENS, b"other")
    monkeypatch.undo()
    assert store.load(TOKENS) == STATE
    assert [*path.parent.iterdir()] == [path]


@pytest.mark.skipif(sys.platform == "win32", reason="modes of POSIX")
def test_only_the_owner_may_read_states(root: Path) -> None:
    before = os.umask(0)
    try:
        path = _file(PrefixStore(MAKER, root))
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(root.stat().st_mode) == 0o700


def _size(root: Path) -> int:
    return sum(path.stat().st_size for path in root.rglob("*") if path.is_file())


@settings(max_examples=50)
@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3000)), max_size=12),
    st.integers(0, 8000),
)
def test_all_states_together_never_pass_the_cap(
    tmp_path_factory: pytest.TempPathFactory, saves: list[tuple[int, int]], cap: int
) -> None:
    root = tmp_path_factory.mktemp("prefixes")
    for maker, size in saves:
        store = PrefixStore(msgspec.structs.replace(MAKER, engine=str(maker)), root, cap)
        kept = store.save(TOKENS, bytes(size))
        assert store.holds(TOKENS) or not kept
        assert _size(root) <= cap
    count, size = prefix_store.usage(root)
    assert size == _size(root)
    assert prefix_store.clear(root) == size
    assert prefix_store.usage(root) == (0, 0)
    assert count <= len({maker for maker, _ in saves})
    shutil.rmtree(root)


def test_the_least_recently_used_go_first(root: Path) -> None:
    store = PrefixStore(MAKER, root)
    for first in range(3):
        path = {*root.glob("*/*.kv")}
        store.save(_tokens(first), STATE)
        (new,) = {*root.glob("*/*.kv")} - path
        os.utime(new, (first, first))
    assert store.load(_tokens(0)) == STATE  # used again: the second is now the oldest
    _, size = prefix_store.usage(root)
    store.cap = size
    store.save(_tokens(9), STATE)
    assert [store.holds(_tokens(first)) for first in (0, 1, 2, 9)] == [True, False, True, True]


def test_a_state_larger_than_the_cap_drives_nothing_out(root: Path) -> None:
    store = PrefixStore(MAKER, root, cap=2000)
    store.save(TOKENS, STATE)
    assert not store.save(_tokens(1), bytes(2000))
    assert store.load(TOKENS) == STATE


@pytest.mark.parametrize("state", [b"", STATE])
def test_a_cap_of_nothing_keeps_nothing(root: Path, state: bytes) -> None:
    store = PrefixStore(MAKER, root, cap=0)
    assert not store.save(TOKENS, state)
    assert not root.exists()


def test_what_a_killed_process_left_is_counted_and_cleared(store: PrefixStore) -> None:
    path = _file(store)
    left = path.with_name(f".{path.name}.abc.part")
    left.write_bytes(bytes(5000))
    os.utime(left, (0, 0))
    store.cap = 5000
    assert store.save(_tokens(1), STATE)
    assert not left.exists()
    assert store.load(TOKENS) == STATE


_FREQUENT_WRITER = """
import sys
from pathlib import Path
from tests.engines.llama.test_llama_prefix_store import MAKER, _tokens
from edge_slm.engines.llama.prefix_store import PrefixStore
store = PrefixStore(MAKER, Path(sys.argv[1]), cap=4000)
for turn in range(60):
    store.save(_tokens((int(sys.argv[2]) + turn) % 4), bytes([turn]) * 700)
    state = store.load(_tokens(turn % 4))
    assert state is None or len(set(state)) == 1
"""


def test_two_processes_may_write_at_once(root: Path) -> None:
    command = [sys.executable, "-c", _FREQUENT_WRITER, str(root)]
    writers = [subprocess.Popen([*command, str(first)]) for first in range(2)]
    assert [writer.wait() for writer in writers] == [0, 0]
    assert not [*root.rglob("*.part")]
    assert _size(root) <= 4000


_ENDLESS_WRITER = """
import sys
from pathlib import Path
from tests.engines.llama.test_llama_prefix_store import MAKER, TOKENS
from edge_slm.engines.llama.prefix_store import PrefixStore
store = PrefixStore(MAKER, Path(sys.argv[1]))
turn = 0
while True:
    turn += 1
    store.save(TOKENS, bytes([turn % 256]) * 3_000_000)
    print(turn, flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL of POSIX")
@pytest.mark.parametrize("after", [1, 2, 5])
def test_a_kill_while_writing_leaves_a_whole_file_or_none(root: Path, after: int) -> None:
    command = [sys.executable, "-c", _ENDLESS_WRITER, str(root)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout
        for _ in range(after):
            assert writer.stdout.readline()
        with suppress(ProcessLookupError):
            writer.send_signal(signal.SIGKILL)
    state = PrefixStore(MAKER, root).load(TOKENS)
    assert state is not None
    assert len(state) == 3_000_000
    assert len(set(state)) == 1


@pytest.mark.parametrize(("value", "cap"), [("0", 0), (" 0 ", 0), ("3MB", 3_000_000), ("12", 12)])
def test_the_cap_is_a_size(monkeypatch: pytest.MonkeyPatch, value: str, cap: int) -> None:
    monkeypatch.setenv("EDGE_SLM_PREFIX_CACHE", value)
    assert PrefixStore(MAKER).cap == cap


@pytest.mark.parametrize("value", ["much", "-1", "1e9", "3 apples", "0x10", "∞", "1" * 400, "--"])
def test_a_cap_that_is_no_size_is_told(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("EDGE_SLM_PREFIX_CACHE", value)
    with pytest.raises(UsageError, match="amount of memory"):
        PrefixStore(MAKER)


def test_without_a_word_the_states_lie_in_the_cache_up_to_two_gigabytes(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("EDGE_SLM_PREFIX_CACHE", raising=False)
    store = PrefixStore(MAKER)
    assert store.root == home / "cache" / "prefixes"
    assert store.cap == 2_000_000_000
