"""A Whisper model of CTranslate2 (16-bit floats) as the file that whisper.cpp reads.

Formats: CTranslate2 4, python/ctranslate2/specs/model_spec.py (`_serialize`); whisper.cpp,
models/convert-h5-to-ggml.py. Nothing is rounded: both hold the same numbers.
"""

import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

MAGIC = 0x67676D6C  # “ggml”
RATE, FFT, MELS = 16000, 400, 80
_FLOATS = {0: np.float32, 4: np.float16}  # CTranslate2's numbers of these types
# CTranslate2 lays linear layers that read the same input on top of each other.
_SELF, _CROSS = "self_attention", "attention"
_Tensors = dict[str, NDArray[Any]]


def convert(folder: Path, to: Path) -> None:
    """Write `to` from a folder with model.bin and vocabulary.json.

    Raises:
        ValueError: model.bin is no Whisper model of 16- or 32-bit floats with 80 mel bands.
    """
    with (folder / "model.bin").open("rb") as file:
        found = _read(file)
    words = json.loads((folder / "vocabulary.json").read_text("utf-8"))
    tensors = dict(_renamed(found))
    vocabulary, state = tensors["decoder.token_embedding.weight"].shape
    if tensors["encoder.conv1.weight"].shape[1] != MELS:
        raise ValueError("only models of 80 mel bands")
    heads = [int(found[f"{side}/num_heads"]) for side in ("encoder", "decoder")]
    layers = [_layers(found, side) for side in ("encoder", "decoder")]
    audio, text = (len(tensors[f"{side}.positional_embedding"]) for side in ("encoder", "decoder"))
    sizes = [vocabulary, audio, state, heads[0], layers[0], text, state, heads[1], layers[1]]
    with to.open("wb") as file:
        file.write(struct.pack("12i", MAGIC, *sizes, MELS, 1))
        filters = mel_filters()
        file.write(struct.pack("2i", *filters.shape) + filters.tobytes())
        _write_words(file, words[: words.index("<|endoftext|>")])
        for name, tensor in tensors.items():
            _write_tensor(file, name, tensor)


def mel_filters() -> NDArray[np.float32]:
    """Return the filters of Slaney's mel scale (bands x frequencies), each of unit area.

    M. Slaney, Auditory Toolbox, 1998: linear below 1000 Hz, 27 steps for each factor of 6.4 above.
    """
    step, break_hz = 200 / 3, 1000.0
    ratio = np.log(6.4) / 27
    top = break_hz / step + np.log(RATE / 2 / break_hz) / ratio
    mels = np.linspace(0, top, MELS + 2)
    above = break_hz * np.exp(ratio * (mels - break_hz / step))
    edges = np.where(mels < break_hz / step, mels * step, above)
    frequencies = np.linspace(0, RATE / 2, FFT // 2 + 1)
    widths = np.diff(edges)[:, None]
    slopes = edges[:, None] - frequencies
    rising, falling = -slopes[:-2] / widths[:-1], slopes[2:] / widths[1:]
    triangles = np.maximum(0, np.minimum(rising, falling))
    return (triangles * (2 / (edges[2:] - edges[:-2]))[:, None]).astype(np.float32)


def _read(file: IO[bytes]) -> _Tensors:
    def number(form: str) -> int:
        return int(struct.unpack(form, file.read(struct.calcsize(form)))[0])

    def word() -> str:
        return file.read(number("<H"))[:-1].decode()

    _, kind, _ = number("<I"), word(), number("<I")
    if kind != "WhisperSpec":
        raise ValueError("model.bin is no Whisper model")
    found: _Tensors = {}
    for _ in range(number("<I")):
        name = word()
        shape = struct.unpack(f"<{(rank := number('<B'))}I", file.read(4 * rank))
        kind_of_number, data = number("<B"), file.read(number("<I"))
        if kind_of_number in _FLOATS:
            found[name] = np.frombuffer(data, _FLOATS[kind_of_number]).reshape(shape)
        elif not shape:
            found[name] = np.array(int.from_bytes(data, "little"))
        elif name.endswith("weight"):
            raise ValueError("model.bin holds integers: only 16- or 32-bit floats can be converted")
    return found


def _layers(found: _Tensors, side: str) -> int:
    return sum(name.endswith("/ffn/linear_0/bias") for name in found if name.startswith(side))


def _renamed(found: _Tensors) -> Iterator[tuple[str, NDArray[Any]]]:
    for side, last in (("encoder", "ln_post"), ("decoder", "ln")):
        yield f"{side}.positional_embedding", found[f"{side}/position_encodings/encodings"]
        yield from _norm(found, f"{side}/layer_norm", f"{side}.{last}")
        for number in range(_layers(found, side)):
            yield from _layer(found, f"{side}/layer_{number}", f"{side}.blocks.{number}")
    for conv in ("encoder/conv1", "encoder/conv2"):
        yield f"{conv.replace('/', '.')}.weight", found[f"{conv}/weight"]
        yield f"{conv.replace('/', '.')}.bias", found[f"{conv}/bias"][:, None]
    yield "decoder.token_embedding.weight", found["decoder/embeddings/weight"]


def _layer(found: _Tensors, old: str, new: str) -> Iterator[tuple[str, NDArray[Any]]]:
    yield from _norm(found, f"{old}/{_SELF}/layer_norm", f"{new}.attn_ln")
    yield from _split(found, f"{old}/{_SELF}/linear_0", f"{new}.attn", ("query", "key", "value"))
    yield from _split(found, f"{old}/{_SELF}/linear_1", f"{new}.attn", ("out",))
    yield from _norm(found, f"{old}/ffn/layer_norm", f"{new}.mlp_ln")
    yield from _split(found, f"{old}/ffn/linear_0", f"{new}.mlp", ("0",))
    yield from _split(found, f"{old}/ffn/linear_1", f"{new}.mlp", ("2",))
    if f"{old}/{_CROSS}/linear_0/weight" in found:
        yield from _norm(found, f"{old}/{_CROSS}/layer_norm", f"{new}.cross_attn_ln")
        for number, parts in enumerate((("query",), ("key", "value"), ("out",))):
            name = f"{old}/{_CROSS}/linear_{number}"
            yield from _split(found, name, f"{new}.cross_attn", parts)


def _norm(found: _Tensors, old: str, new: str) -> Iterator[tuple[str, NDArray[Any]]]:
    yield f"{new}.weight", found[f"{old}/gamma"]
    yield f"{new}.bias", found[f"{old}/beta"]


def _split(
    found: _Tensors, old: str, new: str, parts: tuple[str, ...]
) -> Iterator[tuple[str, NDArray[Any]]]:
    weights = np.split(found[f"{old}/weight"], len(parts))
    biases = np.split(found[f"{old}/bias"], len(parts))
    for part, weight, bias in zip(parts, weights, biases, strict=True):
        yield f"{new}.{part}.weight", weight
        if part != "key":  # Whisper's keys have no bias: zeros
            yield f"{new}.{part}.bias", bias


def _write_words(file: IO[bytes], words: list[str]) -> None:
    letters = _letters()
    file.write(struct.pack("i", len(words)))
    for word in words:
        data = bytes(letters[letter] for letter in word)
        file.write(struct.pack("i", len(data)) + data)


def _letters() -> dict[str, int]:
    """Return the byte that each letter of a vocabulary of GPT-2 stands for.

    Printable bytes of Latin-1 stand for themselves, the others for the letters from 256 on.
    """
    shown = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    hidden = [byte for byte in range(256) if byte not in shown]
    return {chr(byte): byte for byte in shown} | {
        chr(256 + number): byte for number, byte in enumerate(hidden)
    }


def _write_tensor(file: IO[bytes], name: str, tensor: NDArray[Any]) -> None:
    # What whisper.cpp adds to a result, it adds in 32 bits.
    half = tensor.ndim > 1 and not name.endswith(("bias", "positional_embedding"))
    data = np.ascontiguousarray(tensor, np.float16 if half else np.float32)
    label = name.encode()
    file.write(struct.pack("3i", data.ndim, len(label), int(half)))
    file.write(struct.pack(f"{data.ndim}i", *reversed(data.shape)) + label + data.tobytes())
