"""The importance matrix: its numbers against a forward pass in numpy, its file, and bad input."""

import contextlib
import ctypes
from collections import Counter
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge_slm.engines.llama.model import library
from edge_slm.errors import EdgeSlmError, IntegrityError, UsageError
from edge_slm.gguf_layout import read_layout
from edge_slm_quantize.gguf import tensor_mirror
from edge_slm_quantize.gguf.collector import Needs, collect
from edge_slm_quantize.gguf.imatrix import matrix_of, matrix_path, uncovered
from edge_slm_quantize.gguf.imatrix_file import Matrix, check, load, save
from edge_slm_quantize.gguf.make import make
from tests.quantize.gguf.orders import PROSE, empty_folder, order_for
from tests.quantize.tiny import tiny_gguf

FIELDS: list[tuple[str, Any]] = [(one[0], one[1]) for one in tensor_mirror.Tensor._fields_]
FEW = Needs(chunk=32, least=4, most=4)


def gathered(path: Path, *texts: str, needs: Needs = FEW) -> Matrix:
    """Return the matrix of a model and texts."""
    return collect(path, texts or (PROSE,), needs, 1, lambda _: None)


def tokens_of(path: Path, text: str, count: int) -> list[int]:
    """Return a text's first tokens as the model's own wrapper gives them."""
    import llama_cpp

    model = llama_cpp.Llama(str(path), vocab_only=True, verbose=False)
    tokens = model.tokenize(f"{text}\n".encode(), add_bos=False)[:count]
    model.close()
    return list(tokens)


def weights_of(path: Path) -> dict[str, Any]:
    """Return a float file's tensors."""
    return {one.name: np.asarray(one.data, np.float32) for one in gguf.GGUFReader(path).tensors}


def normed(values: Any) -> Any:
    """Divide rows by their root mean square, as llama does before each half of a block."""
    return values / np.sqrt((values**2).mean(axis=1, keepdims=True) + 1e-5)


def turned(values: Any, heads: int) -> Any:
    """Rotate pairs of neighbours by their position, as llama.cpp's llama does."""
    rows = values.reshape(len(values), heads, -1)
    half = rows.shape[2] // 2
    angle = np.arange(len(rows))[:, None, None] * 10000.0 ** (-np.arange(half) / half)
    even, odd = rows[..., ::2], rows[..., 1::2]
    cosine, sine = np.cos(angle), np.sin(angle)
    pairs = even * cosine - odd * sine, even * sine + odd * cosine
    return np.stack(pairs, axis=-1).reshape(rows.shape)


def block(w: dict[str, Any], at: str, x: Any, seen: dict[str, Any]) -> Any:
    """Compute a block of 4 heads over 2 of keys, and note the inputs of its matrices."""
    entry = normed(x)
    query = turned(entry @ w[f"{at}attn_q.weight"].T, 4)
    key = np.repeat(turned(entry @ w[f"{at}attn_k.weight"].T, 2), 2, axis=1)
    value = (entry @ w[f"{at}attn_v.weight"].T).reshape(len(x), 2, -1).repeat(2, axis=1)
    scores = np.einsum("ihd,jhd->hij", query, key) / np.sqrt(query.shape[2])
    scores += np.triu(np.full((len(x), len(x)), -np.inf), 1)
    scores = np.exp(scores - scores.max(axis=2, keepdims=True))
    mixed = np.einsum("hij,jhd->ihd", scores / scores.sum(axis=2, keepdims=True), value)
    mixed = mixed.reshape(len(x), -1)
    x = x + mixed @ w[f"{at}attn_output.weight"].T
    middle = normed(x)
    gate = middle @ w[f"{at}ffn_gate.weight"].T
    inner = gate / (1 + np.exp(-gate)) * (middle @ w[f"{at}ffn_up.weight"].T)
    seen |= {f"{at}attn_{part}.weight": entry for part in "qkv"}
    seen |= {f"{at}attn_output.weight": mixed, f"{at}ffn_down.weight": inner}
    seen |= {f"{at}ffn_{part}.weight": middle for part in ("gate", "up")}
    return x + inner @ w[f"{at}ffn_down.weight"].T


def test_every_mean_square_is_that_of_a_forward_pass_in_numpy(tmp_path: Path) -> None:
    path = tiny_gguf(tmp_path / "tiny.gguf", half=False)
    matrix, weights = gathered(path), weights_of(path)
    tokens = tokens_of(path, PROSE, 4 * 32)
    wanted: Counter[str] = Counter()
    for at in range(0, len(tokens), 32):
        seen: dict[str, Any] = {}
        x = weights["token_embd.weight"][[1, *tokens[at + 1 : at + 32]]]  # 1 begins a text
        for layer in ("blk.0.", "blk.1."):
            x = block(weights, layer, x, seen)
        for name, inputs in seen.items():
            wanted[name] = wanted[name] + (inputs.astype(np.float64) ** 2).sum(axis=0)
    assert set(matrix.sums) == set(wanted)
    assert set(matrix.counts.values()) == {128}
    for name, sums in wanted.items():
        # Keys and values are kept as float16 (2^-11), and squares double what is lost.
        np.testing.assert_allclose(matrix.sums[name], sums, rtol=0.01, err_msg=name)


@pytest.mark.parametrize("chunk", [32, 256])
def test_chunks_longer_than_a_step_are_counted_whole(tmp_path: Path, chunk: int) -> None:
    path = tiny_gguf(tmp_path / "tiny.gguf")
    matrix = gathered(path, needs=Needs(chunk, 2, 3))
    assert set(matrix.counts.values()) == {3 * chunk}
    assert (matrix.chunks, matrix.chunk, len(matrix.sums)) == (3, chunk, 14)


def test_the_steps_of_a_chunk_remember_those_before(tmp_path: Path) -> None:
    path = tiny_gguf(tmp_path / "tiny.gguf", half=False)
    weights = weights_of(path)
    (tokens,) = [tokens_of(path, PROSE, 200)]
    seen: dict[str, Any] = {}
    x = weights["token_embd.weight"][[1, *tokens[1:]]]
    for layer in ("blk.0.", "blk.1."):
        x = block(weights, layer, x, seen)
    matrix = gathered(path, needs=Needs(200, 1, 1))
    for name, inputs in seen.items():
        sums = (inputs.astype(np.float64) ** 2).sum(axis=0)
        np.testing.assert_allclose(matrix.sums[name], sums, rtol=0.01, err_msg=name)


def test_a_model_of_short_context_reads_shorter_chunks(tmp_path: Path) -> None:
    path = tiny_gguf(tmp_path / "tiny.gguf", context=64)
    assert gathered(path, needs=Needs(512, 2, 2)).chunk == 64


def test_a_quantised_source_is_read_as_it_is(tmp_path: Path) -> None:
    whole = tiny_gguf(tmp_path / "tiny.gguf", hidden=256)
    made = make(order_for(whole, tmp_path, "Q8_0"), empty_folder(tmp_path))
    exact, near = gathered(whole), gathered(tmp_path / "made" / made.path)
    assert set(exact.sums) == set(near.sums)
    for name, sums in exact.sums.items():
        assert np.corrcoef(sums, near.sums[name])[0, 1] > 0.99, name


def test_a_matrix_comes_back_from_its_file_as_it_was(tmp_path: Path) -> None:
    matrix = gathered(tiny_gguf(tmp_path / "tiny.gguf"))
    save(tmp_path / "m.gguf", matrix, "a test")
    again = load(tmp_path / "m.gguf")
    assert (again.counts, again.chunks, again.chunk) == (matrix.counts, 4, 32)
    for name, mean in matrix.means().items():
        np.testing.assert_allclose(again.means()[name], mean, rtol=1e-6)


def test_the_file_is_written_as_llama_cpp_s_tools_read_it(tmp_path: Path) -> None:
    save(tmp_path / "m.gguf", gathered(tiny_gguf(tmp_path / "tiny.gguf")), "a test")
    reader = gguf.GGUFReader(tmp_path / "m.gguf")
    fields = {name: field.contents() for name, field in reader.fields.items()}
    assert fields["general.type"] == "imatrix"
    assert fields["imatrix.datasets"] == ["a test"]
    assert (fields["imatrix.chunk_count"], fields["imatrix.chunk_size"]) == (4, 32)
    shapes = {one.name: one.shape.tolist() for one in reader.tensors}
    assert shapes["blk.0.ffn_down.weight.in_sum2"] == [128, 1]
    assert shapes["blk.0.ffn_down.weight.counts"] == [1, 1]


def test_two_recipes_share_one_matrix(tmp_path: Path) -> None:
    path = tiny_gguf(tmp_path / "tiny.gguf")
    order = order_for(path, tmp_path, "Q4_0+imatrix")
    first = make(order, empty_folder(tmp_path, "one"))
    assert first.details["imatrix"] == {"tensors": 14, "chunks": 6, "chunk_tokens": 512}
    kept = matrix_path(order).stat().st_mtime_ns
    make(order_for(path, tmp_path, "Q4_K_M+imatrix"), empty_folder(tmp_path, "two"))
    assert matrix_path(order).stat().st_mtime_ns == kept
    assert len(list((tmp_path / "shared").iterdir())) == 1


def test_other_texts_are_another_matrix(tmp_path: Path) -> None:
    path = tiny_gguf(tmp_path / "tiny.gguf")
    orders = [order_for(path, tmp_path, "Q4_0+imatrix", (text,)) for text in ("one", "two")]
    assert matrix_path(orders[0]) != matrix_path(orders[1])


def test_a_damaged_matrix_of_the_job_is_made_anew(tmp_path: Path) -> None:
    path = tiny_gguf(tmp_path / "tiny.gguf")
    order = order_for(path, tmp_path, "Q4_0+imatrix")
    whole = matrix_of(order, path)
    matrix_path(order).write_bytes(b"GGUF but no more")
    again = matrix_of(order, path)
    assert {name: sums.tolist() for name, sums in again.sums.items()} == {
        name: sums.tolist() for name, sums in whole.sums.items()
    }


def test_a_matrix_of_another_model_is_refused(tmp_path: Path) -> None:
    matrix = gathered(tiny_gguf(tmp_path / "tiny.gguf"))
    wider = read_layout(tiny_gguf(tmp_path / "wider.gguf", hidden=128))
    with pytest.raises(IntegrityError, match="of another model: blk"):
        check(matrix, wider, tmp_path / "m.gguf")


def test_matrices_without_importance_are_told(tmp_path: Path) -> None:
    path = tiny_gguf(tmp_path / "tiny.gguf")
    order = order_for(path, tmp_path, "Q4_0+imatrix")
    made = make(order, empty_folder(tmp_path))
    layout = read_layout(tmp_path / "made" / made.path)
    matrix = matrix_of(order, path)
    assert uncovered(matrix, layout) == ()
    less = {name: sums for name, sums in matrix.sums.items() if "ffn_up" not in name}
    (told,) = uncovered(Matrix(less, matrix.counts, 1, 1), layout)
    assert "2, such as blk.0.ffn_up.weight" in told


@pytest.mark.parametrize("text", ["", "the", "\x00", "the word " * 20])
def test_a_text_too_short_says_how_much_is_needed(tmp_path: Path, text: str) -> None:
    path = tiny_gguf(tmp_path / "tiny.gguf")
    folder = empty_folder(tmp_path)
    with pytest.raises(UsageError, match="needs 2048"):
        make(order_for(path, tmp_path, "Q4_0+imatrix", (text,)), folder)
    assert list(folder.iterdir()) == []
    assert not (tmp_path / "shared").exists()


def test_a_binary_text_is_read_like_any_other(tmp_path: Path) -> None:
    text = bytes(range(256)).decode("latin-1") * 20 + "\ud800\x00\uffff"
    matrix = gathered(tiny_gguf(tmp_path / "tiny.gguf"), text)
    assert matrix.chunks == 4
    assert all(np.isfinite(sums).all() for sums in matrix.sums.values())


def test_of_a_huge_text_only_what_is_needed_is_read(tmp_path: Path) -> None:
    read: list[int] = []

    class Text(str):
        def __getitem__(self, part: Any) -> str:
            read.append(part.stop)
            return super().__getitem__(part)

    path = tiny_gguf(tmp_path / "tiny.gguf")
    assert gathered(path, Text("the word of all " * 1_000_000)).chunks == 4
    assert len(read) == 1


def test_numbers_that_are_not_finite_are_told(tmp_path: Path) -> None:
    broken = np.ones((128, 64), np.float32)
    broken[3, 5] = np.nan
    path = tiny_gguf(tmp_path / "tiny.gguf", replaced={"blk.0.ffn_up.weight": broken})
    with pytest.raises(IntegrityError, match=r"not finite in blk\.0\.ffn_down"):
        gathered(path)


def test_a_model_without_tokenizer_reads_no_text(tmp_path: Path) -> None:
    path = tiny_gguf(tmp_path / "tiny.gguf", vocabulary=False)
    with pytest.raises(UsageError, match="has no tokenizer"):
        gathered(path)


def test_an_unknown_architecture_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="gpt9"):
        gathered(tiny_gguf(tmp_path / "tiny.gguf", architecture="gpt9"))


def test_a_file_cut_short_is_refused(tmp_path: Path) -> None:
    path = tiny_gguf(tmp_path / "tiny.gguf")
    path.write_bytes(path.read_bytes()[:-20_000])
    with pytest.raises(IntegrityError):
        gathered(path)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    cut=st.integers(0, 6000), flips=st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 255)))
)
def test_a_damaged_file_is_refused_or_finite(
    tmp_path: Path, cut: int, flips: list[tuple[int, int]]
) -> None:
    sums = {f"blk.{at}.attn_q.weight": np.ones(64) for at in range(4)}
    path = tmp_path / "m.gguf"
    save(path, Matrix(sums, dict.fromkeys(sums, 8), 1, 8), "a test")
    raw = bytearray(path.read_bytes())
    for at, byte in flips:
        raw[at % len(raw)] = byte
    path.write_bytes(raw[: len(raw) - cut % len(raw)])
    with contextlib.suppress(IntegrityError):
        matrix = load(path)
        assert all(np.isfinite(mean).all() for mean in matrix.means().values())


@pytest.mark.parametrize("content", [b"", b"GGUF", b"\x00" * 999])
def test_a_file_that_is_no_matrix_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(content)
    with pytest.raises(IntegrityError):
        load(path)
    with pytest.raises(IntegrityError, match="no whole importance matrix"):
        load(tiny_gguf(tmp_path / "model.gguf"))


def refuses(monkeypatch: pytest.MonkeyPatch, fields: list[tuple[str, Any]]) -> None:
    """Check that a library whose tensors have other fields than these is refused."""

    class Other(ctypes.Structure):
        _fields_ = tuple(fields)

    tensor_mirror.ggml.cache_clear()
    monkeypatch.setattr(tensor_mirror, "Tensor", Other)
    with pytest.raises(EdgeSlmError, match=r"lays tensors out in another way.*without \+imatrix"):
        tensor_mirror.ggml(library())
    tensor_mirror.ggml.cache_clear()


def test_the_library_that_runs_here_is_understood() -> None:
    assert tensor_mirror.ggml(library()).product > 0


def test_tensors_of_another_size_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    refuses(monkeypatch, [*FIELDS, ("more", ctypes.c_int64)])


@pytest.mark.parametrize("first", ["ne", "op", "view_offs"])
def test_fields_in_another_order_are_refused(monkeypatch: pytest.MonkeyPatch, first: str) -> None:
    names = [name for name, _ in FIELDS]
    at = names.index(first)
    order = [*FIELDS[:at], FIELDS[at + 1], FIELDS[at], *FIELDS[at + 2 :]]
    refuses(monkeypatch, order)
