"""Compressed states: what went in comes out, and nothing else is taken for one."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_slm.engines.llama.prefix_store import Maker, PrefixStore
from edge_slm.engines.llama.state_codec import CodecError, compress, decompress

MAKER = Maker("m", "t", "bf16", True, False, "e")
TOKENS = list(range(100))


@given(st.binary(max_size=3000))
def test_what_went_in_comes_out(state: bytes) -> None:
    assert decompress(compress(state), len(state)) == state


@given(st.binary(max_size=300), st.integers(0, 10**12))
def test_other_bytes_and_other_sizes_are_refused(data: bytes, size: int) -> None:
    with pytest.raises(CodecError):
        decompress(b"not zstandard" + data, size)


def test_a_small_file_that_claims_to_be_huge_is_refused() -> None:
    data = compress(bytes(10_000_000))
    with pytest.raises(CodecError):
        decompress(data, 10_000_000)


def test_two_byte_numbers_shrink() -> None:
    numbers = np.random.default_rng(0).normal(size=50_000).astype(np.float16)
    assert len(compress(numbers.tobytes())) < 0.95 * numbers.nbytes


def test_a_store_reads_both_kinds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = np.random.default_rng(0).normal(size=50_000).astype(np.float16).tobytes()
    plain = PrefixStore(MAKER, tmp_path, 10**9)
    assert plain.save(TOKENS, state)
    (path,) = tmp_path.glob("*/*.kv")
    size = path.stat().st_size
    monkeypatch.setenv("EDGE_SLM_PREFIX_COMPRESS", "1")
    packed = PrefixStore(MAKER, tmp_path, 10**9)
    assert packed.load(TOKENS) == state
    assert packed.save(TOKENS, state)
    assert path.stat().st_size < size
    assert packed.load(TOKENS) == plain.load(TOKENS) == state


def test_a_compressed_state_that_is_damaged_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGE_SLM_PREFIX_COMPRESS", "1")
    store = PrefixStore(MAKER, tmp_path, 10**9)
    store.save(TOKENS, bytes(range(256)) * 40)
    (path,) = tmp_path.glob("*/*.kv")
    data = bytearray(path.read_bytes())
    data[-3] ^= 1
    path.write_bytes(data)
    assert store.load(TOKENS) is None
    assert not path.exists()
