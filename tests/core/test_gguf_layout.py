"""The layout of GGUF files, against the `gguf` package, and of files that are none."""

from pathlib import Path

import numpy as np
import pytest
from gguf import GGUFReader, GGUFWriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge_slm.errors import IntegrityError
from edge_slm.gguf_layout import read_layout


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_model(tmp_path / "small.gguf")


def write_model(path: Path, untied: bool = True) -> Path:
    """Write a GGUF file with the fields and tensors of a small model of two layers."""
    writer = GGUFWriter(path, "llama")
    writer.add_block_count(2)
    writer.add_embedding_length(8)
    writer.add_head_count(4)
    writer.add_head_count_kv(2)
    writer.add_float32("llama.attention.layer_norm_rms_epsilon", 1e-6)
    writer.add_bool("tokenizer.ggml.add_bos_token", True)
    writer.add_array("tokenizer.ggml.tokens", ["un", "", "mot"] * 50)
    writer.add_array("tokenizer.ggml.scores", [0.5] * 5000)
    writer.add_array("rope.dimension_sections", [1, 2, 3])
    writer.add_tensor("token_embd.weight", np.ones((50, 8), np.float32))
    writer.add_tensor("blk.0.attn_q.weight", np.ones((8, 8), np.float16))
    if untied:
        writer.add_tensor("output.weight", np.ones((50, 8), np.float16))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def test_it_agrees_with_the_reference_reader(model: Path) -> None:
    layout = read_layout(model)
    reader = GGUFReader(model)
    assert list(layout.tensors) == [tensor.name for tensor in reader.tensors]
    for tensor in reader.tensors:
        ours = layout.tensors[tensor.name]
        assert ours.shape == tuple(int(x) for x in tensor.shape)
        assert 0 <= ours.size - int(tensor.n_bytes) < 32  # padding to the next one


def test_fields_by_their_kind(model: Path) -> None:
    layout = read_layout(model)
    assert layout.fields["general.architecture"] == "llama"
    assert layout.fields["tokenizer.ggml.add_bos_token"] is True
    assert layout.fields["llama.attention.layer_norm_rms_epsilon"] == pytest.approx(1e-6)
    assert layout.fields["rope.dimension_sections"] == (1, 2, 3)
    assert layout.number("block_count") == 2
    assert layout.number("nothing", 7) == 7
    assert layout.numbers("attention.head_count_kv", 2) == (2, 2)


def test_the_vocabulary_is_stepped_over(model: Path) -> None:
    fields = read_layout(model).fields
    assert "tokenizer.ggml.tokens" not in fields
    assert "tokenizer.ggml.scores" not in fields


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"GGUF",
        b"%PDF-1.7",
        b"\0" * 100,
        b"GGUF" + (1).to_bytes(4, "little") + b"\0" * 16,  # a version of long ago
        b"GGUF" + (3).to_bytes(4, "little") + b"\xff" * 16,  # more tensors than atoms
        b"GGUF" + (3).to_bytes(4, "little") + b"\1" + b"\0" * 7 + b"\0" * 8 + b"\xff" * 99,
    ],
)
def test_what_is_no_model_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(content)
    with pytest.raises(IntegrityError, match=r"model\.gguf is not a whole GGUF file"):
        read_layout(path)


def test_a_list_of_lists_is_refused(model: Path) -> None:
    content = bytearray(model.read_bytes())
    at = content.index(b"rope.dimension_sections") + len("rope.dimension_sections") + 4
    content[at : at + 4] = (9).to_bytes(4, "little")
    model.write_bytes(content)
    with pytest.raises(IntegrityError):
        read_layout(model)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(cut=st.floats(0, 1))
def test_a_header_that_is_cut_is_refused(model: Path, tmp_path: Path, cut: float) -> None:
    whole = model.read_bytes()
    header = whole.index(b"output.weight")
    path = tmp_path / "cut.gguf"
    path.write_bytes(whole[: int(header * cut)])
    with pytest.raises(IntegrityError):
        read_layout(path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(at=st.integers(0, 3000), byte=st.integers(0, 255))
def test_a_damaged_byte_gives_a_layout_or_a_refusal(
    model: Path, tmp_path: Path, at: int, byte: int
) -> None:
    content = bytearray(model.read_bytes())
    content[at % len(content)] = byte
    path = tmp_path / "damaged.gguf"
    path.write_bytes(content)
    try:
        layout = read_layout(path)
    except IntegrityError:
        return
    assert all(tensor.size > 0 for tensor in layout.tensors.values())
