"""Models that are cut, hostile, odd or unsafe: one sentence each, and nothing is run."""

import json
import pickle
import shutil
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from edge_slm.errors import EdgeSlmError, IntegrityError, MissingError, UsageError
from edge_slm.gguf_layout import read_layout
from edge_slm_quantize.sources.checks import odd_sizes
from edge_slm_quantize.sources.finite import check_gguf
from edge_slm_quantize.sources.opening import open_source
from edge_slm_quantize.sources.shards import read_header, slices
from tests.quantize.sources import tiny


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a small chat model; not to be changed."""
    folder = tmp_path_factory.mktemp("original") / "model"
    tiny.write_decoder(folder)
    tiny.write_bytes_tokenizer(folder)
    return folder


@pytest.fixture
def folder(original: Path, tmp_path: Path) -> Path:
    """Return a copy that a test may damage."""
    return Path(shutil.copytree(original, tmp_path / "model"))


def refused(given: Path, kind: type[EdgeSlmError], words: str) -> None:
    with pytest.raises(kind, match=words) as error:
        open_source(str(given))
    assert "\n" not in str(error.value)


class Trap:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, tuple[str, str]]:
        return open, (str(self.path), "w")


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "model.pth", "last.ckpt"])
def test_a_pickle_is_refused_and_never_opened(folder: Path, tmp_path: Path, name: str) -> None:
    sprung = tmp_path / "sprung"
    (folder / "model.safetensors").unlink()
    (folder / name).write_bytes(pickle.dumps(Trap(sprung)))
    refused(folder, UsageError, "safetensors")
    refused(folder / name, UsageError, "safetensors")
    assert not sprung.exists()


def test_a_pickle_beside_safetensors_is_left_alone(folder: Path, tmp_path: Path) -> None:
    sprung = tmp_path / "sprung"
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Trap(sprung)))
    assert open_source(str(folder)).format == "safetensors"
    assert not sprung.exists()


@pytest.mark.parametrize("file", ["config.json", "tokenizer_config.json"])
def test_a_model_that_needs_code_of_its_own_is_refused(folder: Path, file: str) -> None:
    tiny.edit(folder / file, auto_map={"AutoModelForCausalLM": "modeling.Mine"})
    refused(folder, UsageError, "auto_map")


@pytest.mark.parametrize("named", [None, [], ["MambaForCausalLM"], [3], "LlamaForCausalLM", {}])
def test_an_unknown_architecture_is_refused(folder: Path, named: object) -> None:
    tiny.edit(folder / "config.json", architectures=named)
    refused(folder, UsageError, "architecture")


@pytest.mark.parametrize(
    "change",
    [
        {"hidden_size": 0},
        {"hidden_size": "64"},
        {"hidden_size": 10**30},
        {"num_hidden_layers": 10**9},
        {"num_hidden_layers": True},
        {"vocab_size": None},
        {"rms_norm_eps": "tiny"},
        {"max_position_embeddings": -1},
    ],
)
def test_a_configuration_with_an_absurd_size_is_refused(
    folder: Path, change: dict[str, Any]
) -> None:
    tiny.edit(folder / "config.json", **change)
    refused(folder, IntegrityError, "config.json is not a whole configuration")


@pytest.mark.parametrize(
    "change",
    [
        {"hidden_act": "relu"},
        {"quantization_config": {"quant_method": "gptq"}},
        {"sliding_window": 128},
        {"num_key_value_heads": 3},
    ],
)
def test_what_would_be_computed_otherwise_is_refused(folder: Path, change: dict[str, Any]) -> None:
    tiny.edit(folder / "config.json", **change)
    refused(folder, UsageError, next(iter(change)))


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "model.safetensors"])
def test_a_file_that_is_missing_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    refused(folder, MissingError, name)


@pytest.mark.parametrize(
    "content", [b"", b"[1]", b"\xff\xfe\x00", b"[" * 100_000, b'{"a":' * 100_000, b"NaN", b"{} {}"]
)
def test_a_configuration_that_is_no_json_object_is_refused(folder: Path, content: bytes) -> None:
    (folder / "config.json").write_bytes(content)
    refused(folder, IntegrityError, "config.json")


def test_a_huge_configuration_is_refused_unread(folder: Path) -> None:
    with (folder / "config.json").open("r+b") as file:
        file.truncate(1 << 40)
    refused(folder, IntegrityError, "config.json")


def test_an_empty_folder_and_an_empty_file_are_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    refused(tmp_path / "empty", MissingError, "config.json")
    (tmp_path / "empty.gguf").write_bytes(b"")
    refused(tmp_path / "empty.gguf", UsageError, "no model")


def test_sizes_that_the_configuration_does_not_say_are_refused(folder: Path) -> None:
    tiny.edit(folder / "config.json", intermediate_size=128)
    refused(folder, IntegrityError, "mlp")


def test_a_tensor_that_is_missing_or_unknown_is_named(folder: Path) -> None:
    from safetensors.numpy import load_file, save_file

    path = folder / "model.safetensors"
    tensors = load_file(path)
    norm = tensors.pop("model.norm.weight")
    save_file(tensors, path)
    refused(folder, MissingError, "model.norm.weight")
    save_file(tensors | {"model.norm.weight": norm, "model.norm.lora_A": norm}, path)
    refused(folder, UsageError, "lora_A")
    save_file(tensors | {"model.norm.weight": norm.astype(np.int8)}, path)
    refused(folder, IntegrityError, "I8")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("kind", ["F32", "F16", "BF16", "F64"])
def test_a_weight_that_is_no_number_is_found(folder: Path, value: float, kind: str) -> None:
    import torch
    from safetensors.torch import load_file, save_file

    kinds = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}
    tensors = {
        name: tensor.to(kinds.get(kind, torch.float64))
        for name, tensor in load_file(folder / "model.safetensors").items()
    }
    save_file(tensors, folder / "model.safetensors")
    open_source(str(folder))
    tensors["model.layers.1.mlp.up_proj.weight"][95, 63] = value
    save_file(tensors, folder / "model.safetensors")
    refused(folder, IntegrityError, "model.layers.1.mlp.up_proj.weight")


KINDS = (
    *("F32", "F16", "BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q2_K", "Q3_K", "Q4_K", "Q5_K"),
    *("Q6_K", "IQ4_NL", "IQ4_XS", "IQ2_XXS", "IQ2_XS", "IQ2_S", "IQ3_XXS", "IQ3_S", "IQ1_S"),
    *("TQ1_0", "TQ2_0"),
)


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("bits", [0x7C00, 0xFE01])
def test_a_scale_that_is_no_number_is_found_in_a_gguf_file(
    tmp_path: Path, name: str, bits: int
) -> None:
    import gguf

    kind = gguf.GGMLQuantizationType[name]
    weights, size = gguf.GGML_QUANT_SIZES[kind]
    blocks = 768 // weights
    path = tmp_path / "one.gguf"

    def write(data: "np.ndarray[Any, Any]") -> None:
        writer = gguf.GGUFWriter(path, "llama")
        writer.add_tensor("w", data, raw_dtype=kind)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()

    data = np.full((1, blocks * size), 1, dtype=np.uint8)
    write(data)
    check_gguf(path, read_layout(path))
    # Wherever the library finds a number that is none, so must the check.
    step = 1 if weights > 1 else 2
    found = 0
    for at in range(0, size if weights > 1 else 2, step):
        hurt = data.copy()
        last = (blocks - 1) * size + at
        hurt[0, last : last + 2] = np.frombuffer(struct.pack("<H", bits), np.uint8)[
            : blocks * size - last
        ]
        with np.errstate(all="ignore"):  # the ternary types multiply by NaN with a warning
            odd = not np.isfinite(gguf.dequantize(hurt, kind)).all()
        write(hurt)
        if odd:
            found += 1
            with pytest.raises(IntegrityError, match="no numbers"):
                check_gguf(path, read_layout(path))
    assert found or weights == 1


def test_a_cut_gguf_file_is_refused_wherever_it_is_cut(folder: Path, tmp_path: Path) -> None:
    from edge_slm_quantize.sources.to_gguf import to_gguf

    path = tmp_path / "m.gguf"
    to_gguf(open_source(str(folder)), path)
    good = path.read_bytes()
    for length in [*range(4, 3000, 131), len(good) // 2, len(good) - 40]:
        path.write_bytes(good[:length])
        with pytest.raises(IntegrityError):
            open_source(str(path))


def test_a_gguf_file_without_a_network_or_a_tokenizer_is_refused(tmp_path: Path) -> None:
    import gguf

    path = tmp_path / "m.gguf"
    for architecture, fields, words in (
        ("no-such-net", {}, "architecture"),
        ("clip", {}, "architecture"),
        ("llama", {}, "no network"),
        ("llama", {"llama.block_count": 1}, "tokenizer is missing"),
    ):
        writer = gguf.GGUFWriter(path, architecture)
        for name, value in fields.items():
            writer.add_uint32(name, value)
        writer.add_tensor("token_embd.weight", np.zeros((2, 32), np.float32))
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        refused(path, UsageError, words)


@pytest.mark.parametrize(
    ("weights", "kind"),
    [
        ({"a": "../secret.safetensors"}, IntegrityError),
        ({"a": "/etc/passwd"}, IntegrityError),
        ({"a": "sub/x.safetensors"}, IntegrityError),
        ({"a": "pytorch_model.bin"}, IntegrityError),
        ({"a": 3}, IntegrityError),
        ({}, IntegrityError),
        ([], IntegrityError),
        ({"a": "model-00001-of-00002.safetensors"}, MissingError),
    ],
)
def test_an_index_that_names_what_it_should_not_is_refused(
    folder: Path, weights: object, kind: type[EdgeSlmError]
) -> None:
    index = folder / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": weights}))
    refused(folder, kind, "safetensors")


@pytest.mark.parametrize(
    ("hidden", "said"), [(48, ["multiple of 32"]), (64, ["multiple of 256"]), (256, [])]
)
def test_rows_that_no_block_divides_are_warned_of(
    tmp_path: Path, hidden: int, said: list[str]
) -> None:
    tiny.write_decoder(tmp_path / "m", hidden_size=hidden, intermediate_size=256)
    tiny.write_bytes_tokenizer(tmp_path / "m")
    found = odd_sizes(open_source(str(tmp_path / "m")))
    assert len(found) == len(said)
    assert all(words in sentence for words, sentence in zip(said, found, strict=True))


def header(entries: Any, data: bytes = b"") -> bytes:
    text = json.dumps(entries).encode()
    return len(text).to_bytes(8, "little") + text + data


ONE = {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}


def test_tensors_are_read_as_they_were_written(tmp_path: Path) -> None:
    import torch
    from safetensors.torch import save_file

    wanted = {
        kind: torch.randn(5, 3).to(kind)
        for kind in (torch.float64, torch.float32, torch.float16, torch.bfloat16)
    }
    path = tmp_path / "m.safetensors"
    save_file({str(kind): tensor for kind, tensor in wanted.items()}, path)
    found = read_header(path)
    for kind, tensor in wanted.items():
        rows = np.concatenate(list(slices(found[str(kind)])))
        assert np.array_equal(rows, tensor.float().numpy())


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0" * 7,
        b"\xff" * 8 + b"{}",
        (1 << 62).to_bytes(8, "little") + b"{}",
        (2).to_bytes(8, "little") + b"{}",
        (100).to_bytes(8, "little") + b"{}",
        header([], b""),
        header({"a": ONE}, b"\0" * 23),
        header({"a": ONE}, b"\0" * 25),
        header({"a": ONE | {"data_offsets": [4, 28]}}, b"\0" * 28),
        header({"a": ONE, "b": ONE}, b"\0" * 24),
        header({"a": ONE | {"dtype": "F7"}}, b"\0" * 24),
        header({"a": ONE | {"shape": [-2, -3]}}, b"\0" * 24),
        header({"a": ONE | {"shape": [2.0, 3]}}, b"\0" * 24),
        header({"a": ONE | {"shape": [1 << 62, 1 << 62]}}, b"\0" * 24),
        header({"a": ONE | {"shape": [1] * 9999}}, b"\0" * 24),
        header({"a": ONE | {"data_offsets": [24, 0]}}, b"\0" * 24),
        header({"a": ONE | {"data_offsets": [0]}}, b"\0" * 24),
        header({"a": {}}, b""),
        header({"a": 3}, b""),
        header({"a": None}, b""),
        (200_000).to_bytes(8, "little") + b"[" * 200_000,
    ],
)
def test_a_damaged_or_hostile_header_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "m.safetensors"
    path.write_bytes(content)
    with pytest.raises(IntegrityError, match="cut or damaged"):
        read_header(path)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)
_entry = st.fixed_dictionaries(
    {
        "dtype": st.sampled_from(["F32", "BF16", "I8", "?"]) | _json,
        "shape": st.lists(st.integers(-2, 1 << 66), max_size=3) | _json,
        "data_offsets": st.lists(st.integers(-2, 64), min_size=2, max_size=2) | _json,
    }
)


@given(st.dictionaries(st.text(max_size=3), _entry | _json, max_size=3), st.binary(max_size=64))
@example({"a": ONE, "__metadata__": {"x": "y"}}, b"\0" * 24)
def test_a_header_gives_tensors_that_lie_in_the_file_or_a_sentence(
    tmp_path_factory: pytest.TempPathFactory, entries: dict[str, Any], data: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.safetensors"
    content = header(entries, data)
    path.write_bytes(content)
    try:
        found = read_header(path)
    except IntegrityError:
        return
    for tensor in found.values():
        assert 0 < tensor.start <= len(content) and tensor.numbers >= 0


@given(st.binary(max_size=200))
def test_any_bytes_are_a_sentence(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "bytes.safetensors"
    path.write_bytes(data)
    with pytest.raises(IntegrityError):
        read_header(path)
