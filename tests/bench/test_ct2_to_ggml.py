"""A Whisper model of CTranslate2 as the file of whisper.cpp: every number in its place."""

import importlib.util
import io
import json
import struct
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

FILE = Path(__file__).parents[2] / "packaging" / "peers" / "ct2_to_ggml.py"
STATE, WORDS = 4, ["a", "Ġb", "é", "<|endoftext|>", "<|startoftranscript|>"]


@pytest.fixture
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("ct2_to_ggml", FILE)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def tensors() -> dict[str, np.ndarray[Any, Any]]:
    """Return a model of one layer a side, its numbers all different."""
    shapes: dict[str, tuple[int, ...]] = {
        "decoder/embeddings/weight": (len(WORDS), STATE),
        "encoder/conv1/weight": (STATE, 80, 3),
        "encoder/conv1/bias": (STATE,),
        "encoder/conv2/weight": (STATE, STATE, 3),
        "encoder/conv2/bias": (STATE,),
        "encoder/position_encodings/encodings": (6, STATE),
        "decoder/position_encodings/encodings": (5, STATE),
    }
    parts = {"self_attention": (3, 1), "ffn": (1, 1), "attention": (1, 2, 1)}
    for side in ("encoder", "decoder"):
        norms = [f"{side}/layer_norm"]
        for part, sizes in list(parts.items())[: 2 if side == "encoder" else 3]:
            base = f"{side}/layer_0/{part}"
            norms.append(f"{base}/layer_norm")
            for number, size in enumerate(sizes):
                shapes[f"{base}/linear_{number}/weight"] = (size * STATE, STATE)
                shapes[f"{base}/linear_{number}/bias"] = (size * STATE,)
        shapes |= {f"{norm}/{name}": (STATE,) for norm in norms for name in ("gamma", "beta")}
    random = np.random.default_rng(0)
    found = {name: random.normal(size=shape).astype(np.float16) for name, shape in shapes.items()}
    heads = {f"{side}/num_heads": np.array(2, np.int16) for side in ("encoder", "decoder")}
    return found | heads


def written(model: dict[str, np.ndarray[Any, Any]], kind: str = "WhisperSpec") -> bytes:
    """Return model.bin as CTranslate2 writes it."""
    numbers = {np.dtype(np.float16): 4, np.dtype(np.int16): 2, np.dtype(np.int8): 1}

    def word(text: str) -> bytes:
        return struct.pack("<H", len(text) + 1) + text.encode() + b"\0"

    rows = [struct.pack("<I", 6), word(kind), struct.pack("<2I", 3, len(model))]
    for name, tensor in model.items():
        rows.append(word(name) + struct.pack(f"<B{tensor.ndim}I", tensor.ndim, *tensor.shape))
        rows.append(struct.pack("<BI", numbers[tensor.dtype], tensor.nbytes) + tensor.tobytes())
    return b"".join(rows) + struct.pack("<I", 0)


def put(folder: Path, data: bytes) -> Path:
    (folder / "model.bin").write_bytes(data)
    (folder / "vocabulary.json").write_text(json.dumps(WORDS), "utf-8")
    return folder


def read(data: bytes) -> tuple[list[int], list[bytes], dict[str, np.ndarray[Any, Any]]]:
    """Return what whisper.cpp would read: sizes, words, tensors."""
    file = io.BytesIO(data)

    def ints(count: int) -> list[int]:
        return list(struct.unpack(f"{count}i", file.read(4 * count)))

    sizes = ints(12)
    rows, columns = ints(2)
    file.read(4 * rows * columns)
    words = [file.read(ints(1)[0]) for _ in range(ints(1)[0])]
    found = {}
    while file.tell() < len(data):
        rank, length, half = ints(3)
        shape = ints(rank)[::-1]
        name = file.read(length).decode()
        kind = np.dtype(np.float16 if half else np.float32)
        size = int(np.prod(shape)) * kind.itemsize
        found[name] = np.frombuffer(file.read(size), kind).reshape(shape)
    return sizes, words, found


def test_every_number_is_there_under_its_new_name(script: ModuleType, tmp_path: Path) -> None:
    model = tensors()
    script.convert(put(tmp_path, written(model)), tmp_path / "ggml.bin")
    sizes, words, found = read((tmp_path / "ggml.bin").read_bytes())
    assert sizes == [0x67676D6C, 5, 6, STATE, 2, 1, 5, STATE, 2, 1, 80, 1]
    assert words == [b"a", b" b", b"\xe9"]
    fused = model["decoder/layer_0/self_attention/linear_0/weight"]
    for number, part in enumerate(("query", "key", "value")):
        rows = fused[number * STATE : (number + 1) * STATE]
        assert (found[f"decoder.blocks.0.attn.{part}.weight"] == rows).all()
    crossed = model["decoder/layer_0/attention/linear_1/bias"]
    assert (found["decoder.blocks.0.cross_attn.value.bias"] == crossed[STATE:]).all()
    assert not any(name.endswith("key.bias") for name in found)
    keys = 3 * 2 * STATE  # biases of keys, which whisper.cpp does not know
    floats = sum(tensor.size for tensor in model.values() if tensor.dtype == np.float16)
    assert sum(tensor.size for tensor in found.values()) == floats - keys // 2


def test_the_filters_have_the_area_and_the_order_of_the_scale(script: ModuleType) -> None:
    filters = script.mel_filters()
    assert filters.shape == (80, 201)
    peaks = filters.argmax(axis=1)
    assert (np.diff(peaks) >= 0).all()
    assert filters.min() == 0
    assert filters.max() == pytest.approx(0.02588, abs=1e-5)  # that of OpenAI's mel_filters.npz


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (written({}, kind="TransformerSpec"), "no Whisper model"),
        (written({"a/weight": np.zeros((2, 2), np.int8)}), "integers"),
    ],
)
def test_another_model_is_refused(
    script: ModuleType, tmp_path: Path, data: bytes, words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        script.convert(put(tmp_path, data), tmp_path / "ggml.bin")
    assert not (tmp_path / "ggml.bin").exists()
