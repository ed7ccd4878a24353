"""CTranslate2 recipes: a Whisper or translation model, converted by CTranslate2's own converter.

    model/model.bin, config.json       weights and options
    model/vocabulary.json              tokens (shared_vocabulary.json of a translation model)
    model/tokenizer.json, source.spm…  what turns texts into tokens at run time

`ct2-int8` keeps what is not quantised in the source's type, `ct2-int8_float32` in 32 bits.
"""

import time
from collections import Counter
from pathlib import Path
from typing import Any

from edge_slm.errors import IntegrityError
from edge_slm.i18n import t
from edge_slm_quantize.ct2 import folders
from edge_slm_quantize.extra import need
from edge_slm_quantize.records import Artefact, Order
from edge_slm_quantize.sources.model_bin import read_model_bin

FOLDER = "model"
_QUANTISATIONS = {"ct2-float16": "float16", "ct2-int8": "int8", "ct2-int8_float32": "int8_float32"}
# CTranslate2's names of the types that safetensors calls so.
_NAMES = {"F32": "float32", "F16": "float16", "BF16": "bfloat16", "I8": "int8", "I16": "int16"}


def make(order: Order, folder: Path) -> Artefact:
    """Convert an order's source.

    Args:
        order: recipe ct2-float16, ct2-int8 or ct2-int8_float32; task speech or translate.
        folder: empty; the artefact is its folder `model`.

    Raises:
        UsageError: the source is not of a kind that can be converted, or lacks a file.
        IntegrityError: it is damaged.
        MissingError: a package of the extra is not installed; of CTranslate2, there is none for
            Windows on ARM.
    """
    source = folders.hugging_face(order)
    seconds = convert(source, folder / FOLDER, _QUANTISATIONS[order.recipe])
    types, weights = _types(folder / FOLDER / "model.bin")
    return Artefact(
        recipe=order.recipe,
        format="ctranslate2",
        path=FOLDER,
        bytes=sum(one.stat().st_size for one in (folder / FOLDER).iterdir()),
        bits_per_weight=8 * weights / max(1, order.source.parameters),
        types=types,
        call_seconds=seconds,
        details={"versions": _versions(), "quantisation": _QUANTISATIONS[order.recipe]},
    )


def convert(source: Path, folder: Path, quantisation: str | None) -> float:
    """Convert a Hugging Face folder, and return the seconds in the converter.

    Args:
        source: as `folders.hugging_face` gives it.
        folder: that does not exist yet.
        quantisation: CTranslate2's name; None keeps the source's type.

    Raises:
        IntegrityError: the converter refuses the source.
        MissingError: a package of the extra is not installed.
    """
    need("ctranslate2")
    library = need("transformers").utils.logging
    library.set_verbosity_error()
    library.disable_progress_bar()
    safetensors = need("safetensors")
    copies = [name for name in folders.COPIED if (source / name).is_file()]
    start = time.perf_counter()
    try:
        _converter()(str(source), copy_files=copies).convert(str(folder), quantization=quantisation)
    except (
        ValueError,
        TypeError,
        LookupError,
        AttributeError,
        RuntimeError,
        OSError,
        safetensors.SafetensorError,
    ) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # the system's: a full disk, say
        raise IntegrityError(
            t(
                "CTranslate2 cannot convert {folder} ({error}): it is not a whole model of its "
                "kind.",
                "CTranslate2 ne peut pas convertir {folder} ({error}) : ce n'est pas un modèle "
                "entier de son genre.",
                folder=source,
                error=_first_line(error),
            )
        ) from error
    return time.perf_counter() - start


def _converter() -> Any:
    """Return CTranslate2's converter, made to read safetensors only: pickles run code."""
    base = need("ctranslate2.converters").TransformersConverter

    def load_model(self: Any, model_class: Any, path: str, **options: Any) -> Any:
        return base.load_model(
            self, model_class, path, use_safetensors=True, local_files_only=True, **options
        )

    return type("SafeConverter", (base,), {"load_model": load_model})


def _types(path: Path) -> tuple[dict[str, float], int]:
    """Return the share of bytes of each type, and the bytes of all arrays, scales included."""
    sizes: Counter[str] = Counter()
    for one in read_model_bin(path).variables.values():
        if one.shape:
            name = _NAMES.get(one.dtype, one.dtype)
            sizes[name] += one.numbers * _WIDTHS.get(name, 4)
    total = sum(sizes.values())
    return {name: number / total for name, number in sizes.most_common()}, total


_WIDTHS = {"int8": 1, "int16": 2, "float16": 2, "bfloat16": 2}


def _versions() -> dict[str, str]:
    return {name: need(name).__version__ for name in ("ctranslate2", "transformers")}


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
