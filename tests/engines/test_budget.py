"""How much memory there is to share, and how much a model needs."""

import struct
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge_slm import machine, sizes
from edge_slm.engines.settings import Settings
from edge_slm.engines.workers import budget, ledger, wire
from edge_slm.engines.workers.gguf_shape import Shape, read_shape
from edge_slm.engines.workers.spec import Spec
from edge_slm.errors import UsageError
from edge_slm.store import Store

SHAPE = Shape(layers=24, embedding=896, kv_heads=2, key_size=64, value_size=64, vocabulary=151936)


@pytest.mark.parametrize(
    ("text", "bytes_"),
    [
        ("3GiB", 3 << 30),
        ("3000MB", 3_000_000_000),
        ("3000 Mo", 3_000_000_000),
        ("1.5GB", 1_500_000_000),
        ("1,5 Go", 1_500_000_000),
        ("2g", 2 << 30),
        ("512Mio", 512 << 20),
        ("1048576", 1 << 20),
        (" 7 o ", 7),
    ],
)
def test_an_amount_of_memory_is_read(text: str, bytes_: int) -> None:
    assert sizes.parse_size(text) == bytes_


@pytest.mark.parametrize(
    "text", ["", "0", "-1GB", "GB", "3TB3", "1e9", "3 G B", "٣GB", "nan", "9" * 40, "0.1", "0.0GB"]
)
def test_what_is_no_amount_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(UsageError, match="is no amount of memory"):
        sizes.parse_size(text)


@given(st.text(max_size=20))
def test_any_text_is_an_amount_or_refused(text: str) -> None:
    with suppress(UsageError):
        assert sizes.parse_size(text) > 0


def test_the_budget_is_what_the_user_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGE_SLM_BUDGET", "2GiB")
    assert budget.default_budget() == 2 << 30
    monkeypatch.setenv("EDGE_SLM_BUDGET", "lots")
    with pytest.raises(UsageError):
        budget.default_budget()


@pytest.mark.parametrize(
    ("total", "expected"),
    [(16_000_000_000, 9_600_000_000), (2_000_000_000, 1_500_000_000), (10**9, 10**9)],
)
def test_the_budget_is_a_share_of_the_machine(
    monkeypatch: pytest.MonkeyPatch, total: int, expected: int
) -> None:
    monkeypatch.delenv("EDGE_SLM_BUDGET", raising=False)
    monkeypatch.setattr(machine, "total_ram", lambda: total)
    assert budget.default_budget() == expected


def test_the_cache_of_a_context_is_computed() -> None:
    # 24 layers x 2 heads x (64 + 64) numbers x 4096 tokens x 2 bytes
    assert budget.kv_cache(SHAPE, Settings()) == 50_331_648
    assert budget.kv_cache(SHAPE, Settings(kv_type="q8_0", context=2048)) == 13_369_344


def gguf(*fields: tuple[str, int, bytes], count: int | None = None) -> bytes:
    """Return the header of a GGUF file."""
    number = len(fields) if count is None else count
    return struct.pack("<4sIQQ", b"GGUF", 3, 0, number) + b"".join(
        struct.pack("<Q", len(key)) + key.encode() + struct.pack("<I", kind) + value
        for key, kind, value in fields
    )


def text(value: str) -> bytes:
    """Return a GGUF text."""
    return struct.pack("<Q", len(value)) + value.encode()


def number(value: int) -> bytes:
    """Return a 32-bit number."""
    return struct.pack("<I", value)


FIELDS = (
    ("general.architecture", 8, text("qwen2")),
    ("general.tags", 9, struct.pack("<IQ", 8, 2) + text("a") + text("b")),
    ("some.numbers", 9, struct.pack("<IQ", 10, 3) + bytes(24)),
    ("some.flag", 7, b"\x01"),
    ("qwen2.block_count", 4, number(24)),
    ("qwen2.embedding_length", 4, number(896)),
    ("qwen2.attention.head_count", 4, number(14)),
    ("qwen2.attention.head_count_kv", 4, number(2)),
    ("tokenizer.ggml.model", 8, text("gpt2")),
    ("tokenizer.ggml.tokens", 9, struct.pack("<IQ", 8, 151936)),
)


def test_the_shape_of_a_model_is_read_up_to_its_vocabulary(tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(gguf(*FIELDS, count=30))
    assert read_shape(path) == SHAPE


@pytest.mark.parametrize("missing", ["general.architecture", "qwen2.block_count"])
def test_a_header_without_what_counts_says_nothing(tmp_path: Path, missing: str) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(gguf(*(field for field in FIELDS if field[0] != missing)))
    assert read_shape(path) is None


@given(st.binary(max_size=300), st.integers(0, 1 << 16))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_damaged_header_says_nothing_or_a_shape(tmp_path: Path, noise: bytes, at: int) -> None:
    path = tmp_path / "m.gguf"
    whole = gguf(*FIELDS)
    at %= len(whole)
    for data in (noise, b"GGUF" + noise, whole[:at], whole[:at] + noise + whole[at:]):
        path.write_bytes(data)
        assert read_shape(path) is None or isinstance(read_shape(path), Shape)
        spec = Spec("m", wire.Load("chat", bytes(path)))
        assert ledger.expected(spec) > len(data)


def test_files_that_are_not_there_have_an_estimate_too(tmp_path: Path) -> None:
    for kind in ("chat", "embed", "speech"):
        assert ledger.expected(Spec("m", wire.Load(kind, bytes(tmp_path / "none")))) > 0


@pytest.mark.model
def test_real_models_have_the_shape_that_gguf_reads() -> None:
    from gguf import GGUFReader

    store = Store()
    paths = [store.path(model) for model in store.models()]
    # Of the large ones gguf takes seconds to read the vocabulary.
    small = [path for path in paths if path.is_file() and path.stat().st_size < 200_000_000]
    assert small
    for path in small:
        fields = GGUFReader(path).fields
        name = fields["general.architecture"].contents()
        shape = read_shape(path)
        assert shape
        assert shape.layers == fields[f"{name}.block_count"].contents()
        assert shape.embedding == fields[f"{name}.embedding_length"].contents()
        assert shape.vocabulary == len(fields["tokenizer.ggml.tokens"].data)


# The ledger


def estimate(spec: Spec) -> int:
    """Return what is set aside before anything was measured."""
    return budget.loaded(spec) + budget.growth(spec)


@pytest.fixture
def spec(tmp_path: Path) -> Spec:
    """A model of one megabyte."""
    (tmp_path / "m").write_bytes(bytes(1_000_000))
    return Spec("m", wire.Load("chat", bytes(tmp_path / "m"), "ab" * 32))


def test_what_was_measured_takes_the_place_of_the_estimate(spec: Spec) -> None:
    assert ledger.expected(spec) == estimate(spec)
    ledger.remember_memory(spec, ledger.Measured(10_000, 5_000_000_000))
    assert ledger.expected(spec) == 5_100_000_000
    ledger.remember_memory(spec, ledger.Measured(20_000, 4_000_000_000))
    assert ledger.expected(spec) == 5_100_000_000


def test_what_is_loaded_leaves_room_for_requests(spec: Spec) -> None:
    ledger.remember_memory(spec, ledger.Measured(10**9, 10**9))
    assert ledger.expected(spec) == int((10**9 + budget.growth(spec)) * 1.02)


def test_other_settings_are_measured_apart(spec: Spec) -> None:
    ledger.remember_memory(spec, ledger.Measured(10**9, 9 * 10**9))
    other = Spec("m", wire.Load("chat", spec.load.path, "ab" * 32, settings=Settings(context=64)))
    assert ledger.expected(other) == estimate(other)


def test_how_the_first_reading_ended_is_kept(spec: Spec) -> None:
    assert ledger.self_test_result(spec) is None
    ledger.remember_self_test(spec, "SIGILL")
    assert ledger.self_test_result(spec) == "SIGILL"
    ledger.remember_self_test(spec, ledger.OK)
    assert ledger.self_test_result(spec) == ledger.OK


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"{",
        b"[1]",
        b'{"x": 3}',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"x": {"loaded": 1, "peak": -1}}',
    ],
)
def test_a_damaged_ledger_is_passed_over_and_replaced(
    spec: Spec, home: Path, damage: bytes
) -> None:
    for name in ("memory.json", "self_test.json"):
        (home / "cache").mkdir(parents=True, exist_ok=True)
        (home / "cache" / name).write_bytes(damage)
    assert ledger.expected(spec) == estimate(spec)
    assert ledger.self_test_result(spec) is None
    ledger.remember_memory(spec, ledger.Measured(0, 5_000_000_000))
    ledger.remember_self_test(spec, ledger.OK)
    assert ledger.expected(spec) == 5_100_000_000
    assert ledger.self_test_result(spec) == ledger.OK


def test_a_cache_that_cannot_be_written_is_no_error(spec: Spec, home: Path) -> None:
    home.mkdir()
    (home / "cache").write_text("a file")
    ledger.remember_memory(spec, ledger.Measured(0, 1))
    ledger.remember_self_test(spec, ledger.OK)
    assert ledger.self_test_result(spec) is None
