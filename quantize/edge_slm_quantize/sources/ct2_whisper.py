"""A Whisper model of CTranslate2, in floats, as the Hugging Face folder that exporters start from.

Nothing is rounded: the numbers and their type are those of model.bin. What CTranslate2 lays
together is taken apart: linear layers that read the same input (query, key and value) lie on top
of each other there, and a decoder's output is its table of tokens. The rest of the configuration
is the same for all of OpenAI's models, and stands in vocabulary.json and config.json.

Sources: CTranslate2, python/ctranslate2/converters/transformers.py (`WhisperLoader`, `BartLoader`);
transformers, configuration_whisper.py. Needs torch neither here nor there.
"""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from edge_slm.errors import IntegrityError, UsageError
from edge_slm.i18n import t
from edge_slm_quantize.extra import need
from edge_slm_quantize.records import Source
from edge_slm_quantize.sources.json_files import read_json_if_there, read_json_list, write_json
from edge_slm_quantize.sources.model_bin import read_model_bin
from edge_slm_quantize.sources.once import made_once
from edge_slm_quantize.sources.shards import Tensor

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SPECIFICATION = "WhisperSpec"
_FLOATS = {"F32": ("float32", "<f4"), "F16": ("float16", "<f2")}
_LONGEST_VOCABULARY = 20_000_000  # bytes; that of large-v3 has 1.1 MB
_SPECIAL = {
    "end": "<|endoftext|>",
    "start": "<|startoftranscript|>",
    "translate": "<|translate|>",
    "transcribe": "<|transcribe|>",
    "before": "<|startofprev|>",
    "plain": "<|notimestamps|>",
}
# Of the sound: 16 kHz, windows of 25 ms every 10 ms, 30 s (OpenAI's whisper/audio.py).
_SOUND = {"sampling_rate": 16000, "n_fft": 400, "hop_length": 160, "chunk_length": 30}


class _Side(NamedTuple):
    """An encoder or decoder: its layers, heads, width of the layers between, and positions."""

    layers: int
    heads: int
    inner: int
    positions: int


def to_hf(source: Source, folder: Path) -> Path:
    """Return a folder with model.safetensors, configurations and tokenizer.json.

    It is kept for the job's other recipes: FOLDER/shared/hf-<hash>, whole or absent.

    Args:
        source: a Whisper model in a CTranslate2 folder, of 16- or 32-bit floats.
        folder: the job's.

    Raises:
        UsageError: it is no such model, or has integer weights.
        IntegrityError: a file is damaged, or its tensors do not fit together.
        MissingError: a package of the extra is not installed.
        OSError: a file cannot be read or written.
    """
    place = folder / "shared" / f"hf-{source.sha256[:16]}"
    return made_once(place, lambda out: write(Path(source.path), out))


def write(given: Path, folder: Path) -> None:
    """Write the Hugging Face folder of a CTranslate2 folder; raises as `to_hf` does."""
    model = _Model(given)
    words = _words(given / "vocabulary.json")
    config = model.config()
    if len(words) != config["vocab_size"]:
        raise _damaged(given / "vocabulary.json")
    if not (given / "tokenizer.json").is_file():
        raise UsageError(
            t(
                "{folder} has no tokenizer.json, which a Whisper model needs: add it.",
                "{folder} n'a pas de tokenizer.json, dont un modèle Whisper a besoin : ajoutez-le.",
                folder=given,
            )
        )
    ids = {word: number for number, word in enumerate(words)}
    if missing := [word for word in _SPECIAL.values() if word not in ids]:
        raise _damaged(given / "vocabulary.json", missing[0])
    save_file = need("safetensors.numpy").save_file
    save_file(dict(model.tensors()), folder / "model.safetensors", {"format": "pt"})
    (folder / "model.safetensors").chmod(0o644)  # the library makes files for their owner alone
    tokens = {
        "bos_token_id": ids[_SPECIAL["end"]],
        "eos_token_id": ids[_SPECIAL["end"]],
        "pad_token_id": ids[_SPECIAL["end"]],
        "decoder_start_token_id": ids[_SPECIAL["start"]],
    }
    write_json(folder / "config.json", config | tokens)
    own = read_json_if_there(given / "config.json")
    write_json(folder / "generation_config.json", tokens | _generation(own, ids, config))
    write_json(folder / "preprocessor_config.json", _sound(config["num_mel_bins"]))
    write_json(folder / "tokenizer_config.json", _tokenizer())
    shutil.copyfile(given / "tokenizer.json", folder / "tokenizer.json")


class _Model:
    """The tensors of a model.bin, and what their shapes say of the model."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "model.bin"
        found = read_model_bin(self._path)
        if found.specification != _SPECIFICATION:
            raise _foreign(folder, found.specification[:80])
        self._all = dict(found.variables)
        for name, other in found.aliases.items():
            if other in found.variables:
                self._all.setdefault(name, found.variables[other])
        kinds = {one.dtype for one in found.weights.values()}
        if found.quantisation or len(kinds) != 1 or not kinds <= set(_FLOATS):
            raise _foreign(folder, found.quantisation or "+".join(sorted(kinds)))
        self.dtype, self._form = _FLOATS[kinds.pop()]
        self._vocabulary, self._width = self._shape("decoder/embeddings/weight", 2)
        self._sides = {name: self._side(name) for name in ("encoder", "decoder")}

    def _shape(self, name: str, sizes: int) -> tuple[int, ...]:
        one = self._all.get(name)
        if one is None or len(one.shape) != sizes:
            raise _damaged(self._path, name)
        return one.shape

    def _side(self, name: str) -> _Side:
        layers = 0
        while f"{name}/layer_{layers}/ffn/linear_0/weight" in self._all:
            layers += 1
        positions, _ = self._shape(f"{name}/position_encodings/encodings", 2)
        inner, _ = self._shape(f"{name}/layer_0/ffn/linear_0/weight", 2)
        self._shape(f"{name}/num_heads", 0)
        heads = int(self._read(self._all[f"{name}/num_heads"], "<i2"))
        if heads < 1 or self._width % heads:
            raise _damaged(self._path, f"{name}/num_heads")
        return _Side(layers, heads, inner, positions)

    def config(self) -> dict[str, Any]:
        """Return what config.json says of the shapes."""
        encoder, decoder = self._sides["encoder"], self._sides["decoder"]
        sizes: dict[str, Any] = {
            "architectures": ["WhisperForConditionalGeneration"],
            "model_type": "whisper",
            "torch_dtype": self.dtype,
            "activation_function": "gelu",
            "is_encoder_decoder": True,
            "scale_embedding": False,
            "tie_word_embeddings": True,
            "d_model": self._width,
            "vocab_size": self._vocabulary,
            "num_mel_bins": self._shape("encoder/conv1/weight", 3)[1],
            "max_source_positions": encoder.positions,
            "max_target_positions": decoder.positions,
            "max_length": decoder.positions,
            "num_hidden_layers": encoder.layers,
        }
        for name, side in self._sides.items():
            sizes[f"{name}_layers"] = side.layers
            sizes[f"{name}_attention_heads"] = side.heads
            sizes[f"{name}_ffn_dim"] = side.inner
        return sizes

    def tensors(self) -> Iterator[tuple[str, "NDArray[Any]"]]:
        """Yield all tensors under transformers' names."""
        width = self._width
        for side, shape in self._sides.items():
            new = f"model.{side}"
            encodings = f"{side}/position_encodings/encodings"
            yield f"{new}.embed_positions.weight", self._take(encodings, shape.positions, width)
            yield from self._norm(f"{side}/layer_norm", f"{new}.layer_norm")
            for number in range(shape.layers):
                yield from self._layer(f"{side}/layer_{number}", f"{new}.layers.{number}", shape)
        words = self._take("decoder/embeddings/weight", self._vocabulary, width)
        yield "model.decoder.embed_tokens.weight", words
        bands = self._shape("encoder/conv1/weight", 3)[1]
        for name, inputs in (("conv1", bands), ("conv2", width)):
            weight = self._take(f"encoder/{name}/weight", width, inputs, 3)
            yield f"model.encoder.{name}.weight", weight
            yield f"model.encoder.{name}.bias", self._take(f"encoder/{name}/bias", width)

    def _layer(self, old: str, new: str, side: _Side) -> Iterator[tuple[str, "NDArray[Any]"]]:
        width, own = self._width, f"{old}/self_attention"
        yield from self._norm(f"{own}/layer_norm", f"{new}.self_attn_layer_norm")
        yield from self._linear(f"{own}/linear_0", f"{new}.self_attn", ("q", "k", "v"))
        yield from self._linear(f"{own}/linear_1", f"{new}.self_attn", ("out",))
        if new.startswith("model.decoder"):
            cross = f"{old}/attention"
            yield from self._norm(f"{cross}/layer_norm", f"{new}.encoder_attn_layer_norm")
            for number, parts in enumerate((("q",), ("k", "v"), ("out",))):
                yield from self._linear(f"{cross}/linear_{number}", f"{new}.encoder_attn", parts)
        yield from self._norm(f"{old}/ffn/layer_norm", f"{new}.final_layer_norm")
        for number, shape in enumerate(((side.inner, width), (width, side.inner))):
            name = f"{old}/ffn/linear_{number}"
            yield f"{new}.fc{number + 1}.weight", self._take(f"{name}/weight", *shape)
            yield f"{new}.fc{number + 1}.bias", self._take(f"{name}/bias", shape[0])

    def _norm(self, old: str, new: str) -> Iterator[tuple[str, "NDArray[Any]"]]:
        yield f"{new}.weight", self._take(f"{old}/gamma", self._width)
        yield f"{new}.bias", self._take(f"{old}/beta", self._width)

    def _linear(
        self, old: str, new: str, parts: Sequence[str]
    ) -> Iterator[tuple[str, "NDArray[Any]"]]:
        """Take layers apart that lie on top of each other; Whisper's keys have no bias: zeros."""
        width = self._width
        weight = self._take(f"{old}/weight", width * len(parts), width)
        bias = self._take(f"{old}/bias", width * len(parts))
        for number, part in enumerate(parts):
            rows = slice(number * width, (number + 1) * width)
            yield f"{new}.{part}_proj.weight", weight[rows]
            if part != "k":
                yield f"{new}.{part}_proj.bias", bias[rows]
            elif bias[rows].any():
                raise _damaged(self._path, f"{old}/bias")

    def _take(self, name: str, *shape: int) -> "NDArray[Any]":
        one = self._all.get(name)
        if one is None or one.shape != shape:
            raise _damaged(self._path, name)
        return self._read(one, self._form)

    def _read(self, one: Tensor, form: str) -> "NDArray[Any]":
        import numpy as np

        found = np.fromfile(one.file, form, one.numbers, offset=one.start)
        if len(found) != one.numbers:
            raise _damaged(self._path)
        return found.reshape(one.shape)


def _words(path: Path) -> list[str]:
    try:
        found = read_json_list(path, _LONGEST_VOCABULARY)
    except OSError as error:
        raise _damaged(path) from error
    if not all(isinstance(word, str) for word in found):
        raise _damaged(path)
    return found


def _generation(
    own: Mapping[str, Any], ids: Mapping[str, int], config: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what generation_config.json says, from config.json of CTranslate2 and the words."""
    languages = own.get("lang_ids") or []
    names = {number: word for word, number in ids.items()}
    known = {names[one]: one for one in languages if isinstance(one, int) and one in names}
    said = {
        "max_length": config["max_target_positions"],
        "no_timestamps_token_id": ids[_SPECIAL["plain"]],
        "prev_sot_token_id": ids[_SPECIAL["before"]],
        "task_to_id": {task: ids[_SPECIAL[task]] for task in ("transcribe", "translate")},
        "is_multilingual": len(known) > 1,
        "suppress_tokens": own.get("suppress_ids") or [],
        "begin_suppress_tokens": own.get("suppress_ids_begin") or [],
        "return_timestamps": False,
        "max_initial_timestamp_index": 50,  # 1 s (OpenAI's whisper/decoding.py)
    }
    if known:
        said["lang_to_id"] = known
    if own.get("alignment_heads"):
        said["alignment_heads"] = own["alignment_heads"]
    return said


def _sound(bands: int) -> dict[str, Any]:
    samples = _SOUND["chunk_length"] * _SOUND["sampling_rate"]
    return {
        **_SOUND,
        "feature_extractor_type": "WhisperFeatureExtractor",
        "processor_class": "WhisperProcessor",
        "feature_size": bands,
        "n_samples": samples,
        "nb_max_frames": samples // _SOUND["hop_length"],
        "padding_side": "right",
        "padding_value": 0.0,
        "return_attention_mask": False,
    }


def _tokenizer() -> dict[str, Any]:
    end = _SPECIAL["end"]
    return {
        "tokenizer_class": "WhisperTokenizer",
        "processor_class": "WhisperProcessor",
        "bos_token": end,
        "eos_token": end,
        "unk_token": end,
        "pad_token": end,
        "add_prefix_space": False,
        "errors": "replace",
        "model_max_length": 1024,
    }


def _damaged(path: Path, what: str = "") -> IntegrityError:
    return IntegrityError(
        t(
            "{path} does not hold together{what}: it is no whole Whisper model; copy it again.",
            "{path} ne tient pas ensemble{what} : ce n'est pas un modèle Whisper entier ; "
            "recopiez-le.",
            path=path,
            what=f" ({what[:80]})" if what else "",
        )
    )


def _foreign(folder: Path, what: str) -> UsageError:
    return UsageError(
        t(
            "{folder} holds {what}, where this recipe starts from a Whisper model of 16- or "
            "32-bit floats: give the float model.",
            "{folder} contient {what}, alors que cette recette part d'un modèle Whisper en "
            "flottants de 16 ou 32 bits : donnez le modèle en flottants.",
            folder=folder,
            what=what,
        )
    )
