"""Whisper models of CTranslate2 become Hugging Face folders without a number lost."""

import json
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_slm.errors import EdgeSlmError, IntegrityError, UsageError
from edge_slm_quantize.ct2 import make
from edge_slm_quantize.sources import ct2_whisper
from tests.quantize.ct2 import tiny_models

pytest.importorskip("ctranslate2", reason="the extra quantize is not installed")


@pytest.fixture(scope="module")
def converted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny Whisper in a CTranslate2 folder of 16-bit floats; its source beside it."""
    folder = tmp_path_factory.mktemp("ct2")
    tiny_models.whisper(folder / "source", half=True)
    make.convert(folder / "source", folder / "float16", "float16")
    return folder / "float16"


def _copy(converted: Path, to: Path, **changed: bytes) -> Path:
    for one in converted.iterdir():
        (to / one.name).write_bytes(changed.get(one.stem, one.read_bytes()))
    return to


def test_all_tensors_come_back(converted: Path, tmp_path: Path) -> None:
    ct2_whisper.write(converted, tmp_path)
    ours = tiny_models.tensors(tmp_path / "model.safetensors")
    theirs = tiny_models.tensors(converted.parent / "source" / "model.safetensors")
    theirs.pop("proj_out.weight", None)
    assert set(ours) == set(theirs)
    assert all(np.array_equal(ours[name], theirs[name]) for name in ours)


def test_converted_again_it_is_the_same_file(converted: Path, tmp_path: Path) -> None:
    (tmp_path / "hf").mkdir()
    ct2_whisper.write(converted, tmp_path / "hf")
    make.convert(tmp_path / "hf", tmp_path / "again", "float16")
    for name in ("model.bin", "vocabulary.json", "config.json"):
        assert (tmp_path / "again" / name).read_bytes() == (converted / name).read_bytes()


def test_integer_weights_are_refused(converted: Path, tmp_path: Path) -> None:
    make.convert(converted.parent / "source", tmp_path / "int8", "int8")
    with pytest.raises(UsageError, match="give the float model"):
        ct2_whisper.write(tmp_path / "int8", tmp_path)


def test_a_translation_model_is_refused(tmp_path: Path) -> None:
    make.convert(tiny_models.marian(tmp_path / "marian"), tmp_path / "ct2", None)
    with pytest.raises(UsageError, match="TransformerSpec"):
        ct2_whisper.write(tmp_path / "ct2", tmp_path)


def test_a_missing_tokenizer_is_named(converted: Path, tmp_path: Path) -> None:
    (_copy(converted, tmp_path) / "tokenizer.json").unlink()
    with pytest.raises(UsageError, match=r"tokenizer\.json"):
        ct2_whisper.write(tmp_path, tmp_path)


@pytest.mark.parametrize("text", [b"", b"{}", b"[1]", b'["a"]', b"[" * 10**5, b"\xff\x00"])
def test_a_damaged_vocabulary_is_one_sentence(converted: Path, tmp_path: Path, text: bytes) -> None:
    _copy(converted, tmp_path, vocabulary=text)
    with pytest.raises(IntegrityError, match="vocabulary"):
        ct2_whisper.write(tmp_path, tmp_path)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x06",
        struct.pack("<I", 5) + b"rest",
        struct.pack("<IH", 6, 65535) + b"Whisper",
        struct.pack("<IH", 6, 12) + b"WhisperSpec\0" + struct.pack("<II", 3, 2**32 - 1),
        b"\x7fELF" + bytes(range(256)),
        b"PK\x03\x04" * 64,
    ],
)
def test_hostile_weights_are_one_sentence(converted: Path, tmp_path: Path, data: bytes) -> None:
    _copy(converted, tmp_path, model=data)
    with pytest.raises(EdgeSlmError):
        ct2_whisper.write(tmp_path, tmp_path)
    assert not (tmp_path / "model.safetensors").exists()


@settings(max_examples=20)
@given(cut=st.floats(0, 0.999))
def test_cut_weights_are_one_sentence(
    converted: Path, tmp_path_factory: pytest.TempPathFactory, cut: float
) -> None:
    whole = (converted / "model.bin").read_bytes()
    # The last bytes are a list of aliases, which say nothing that is needed.
    end = whole.rindex(b"encoder/position_encodings/encodings")
    folder = tmp_path_factory.mktemp("cut")
    _copy(converted, folder, model=whole[: int(cut * end)])
    with pytest.raises(EdgeSlmError):
        ct2_whisper.write(folder, folder)


def test_a_tensor_that_is_absent_or_misshapen_is_named(converted: Path, tmp_path: Path) -> None:
    whole = (converted / "model.bin").read_bytes()
    name = b"encoder/layer_1/ffn/linear_0/bias"
    _copy(converted, tmp_path, model=whole.replace(name, name[:-1] + b"z"))
    with pytest.raises(IntegrityError, match="linear_0/bias"):
        ct2_whisper.write(tmp_path, tmp_path)


def test_what_generation_needs_is_kept(converted: Path, tmp_path: Path) -> None:
    ct2_whisper.write(converted, tmp_path)
    said = json.loads((tmp_path / "generation_config.json").read_text())
    assert said["suppress_tokens"] == [1, 2]
    assert said["lang_to_id"] == {"<|en|>": 258, "<|fr|>": 259}
    assert said["alignment_heads"] == [[1, 0]]
