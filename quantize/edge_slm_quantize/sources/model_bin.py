"""The header of a CTranslate2 model (`model.bin`): what it is, and its variables' types and places.

Format: CTranslate2, python/ctranslate2/specs/model_spec.py (`_serialize`), binary version 6: a
version, the name of the specification, its revision, the number of variables, then each one's name,
sizes, type, length and bytes; then pairs of names for the same variable. Lengths are checked
against the file before they are believed.
"""

import math
import struct
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from edge_slm.errors import IntegrityError, UsageError
from edge_slm.i18n import t
from edge_slm_quantize.sources.shards import Tensor

_VERSION = 6
_MOST_VARIABLES = 100_000
_MOST_DIMENSIONS = 8
# The order of `DataType` in include/ctranslate2/types.h: its name there, safetensors' and bytes.
_TYPES = (
    ("float32", "F32", 4),
    ("int8", "I8", 1),
    ("int16", "I16", 2),
    ("int32", "I32", 4),
    ("float16", "F16", 2),
    ("bfloat16", "BF16", 2),
)


@dataclass(frozen=True)
class ModelBin:
    """What a model.bin says: the name of its specification, and its variables by name.

    aliases: from a second name to the variable that it stands for; CTranslate2 keeps equal tensors
    once.
    """

    specification: str
    variables: dict[str, Tensor]
    aliases: dict[str, str]

    @property
    def weights(self) -> dict[str, Tensor]:
        """The variables that were learnt: not scales of the quantisation, options or indices."""
        return {
            name: one
            for name, one in self.variables.items()
            if one.shape and not name.endswith("_scale") and one.dtype not in ("I16", "I32")
        }

    @property
    def quantisation(self) -> str | None:
        """The type of the matrices as CTranslate2 names it; None for floats."""
        sizes: Counter[str] = Counter()
        for one in self.weights.values():
            if len(one.shape) > 1:
                sizes[one.dtype] += one.numbers
        widest = sizes.most_common(1)[0][0] if sizes else "F32"
        if widest != "I8":
            return None
        floats = Counter(one.dtype for one in self.weights.values() if one.dtype != "I8")
        if not floats:
            return "int8"
        name = next(long for long, short, _ in _TYPES if short == floats.most_common(1)[0][0])
        return f"int8_{name}"


def read_model_bin(path: Path) -> ModelBin:
    """Read the header of a model.bin; the weights are stepped over.

    Raises:
        UsageError: it is no CTranslate2 model, or of another version of the format.
        IntegrityError: it is cut or damaged.
        OSError: it cannot be read.
    """
    total = path.stat().st_size
    with path.open("rb") as file:
        version = int.from_bytes(file.read(4), "little")
        if version != _VERSION:
            raise UsageError(
                t(
                    "{path} is no CTranslate2 model of version {version}: convert it again with "
                    "the current ct2-transformers-converter.",
                    "{path} n'est pas un modèle CTranslate2 de version {version} : convertissez-le "
                    "à nouveau avec l'actuel ct2-transformers-converter.",
                    path=path,
                    version=_VERSION,
                )
            )
        try:
            return _read(file, path, total)
        except (struct.error, ValueError, IndexError) as error:
            raise IntegrityError(
                t(
                    "{path} is cut or damaged: it is not a whole CTranslate2 model; copy it again.",
                    "{path} est coupé ou abîmé : ce n'est pas un modèle CTranslate2 entier ; "
                    "recopiez-le.",
                    path=path,
                )
            ) from error


def _read(file: BinaryIO, path: Path, total: int) -> ModelBin:
    specification = _text(file)
    _revision, count = _take(file, "II")
    if count > _MOST_VARIABLES:
        raise ValueError("number of variables")
    variables = {}
    for _ in range(count):
        name = _text(file)
        (dimensions,) = _take(file, "B")
        if dimensions > _MOST_DIMENSIONS:
            raise ValueError(name)
        shape = _take(file, f"{dimensions}I")
        kind, size = _take(file, "BI")
        _, short, width = _TYPES[kind]
        # The length is 32 bits wide in the file: that of a larger variable wraps around.
        real = math.prod(shape) * width
        if real % (1 << 32) != size or file.tell() + real > total:
            raise ValueError(name)
        variables[name] = Tensor(path, short, shape, file.tell())
        file.seek(real, 1)
    (count,) = _take(file, "I")
    aliases = dict((_text(file), _text(file)) for _ in range(min(count, _MOST_VARIABLES)))
    if not variables or file.tell() != total:
        raise ValueError("end of the file")
    return ModelBin(specification, variables, aliases)


def _take(file: BinaryIO, form: str) -> tuple[int, ...]:
    size = struct.calcsize(f"<{form}")
    return struct.unpack(f"<{form}", file.read(size))


def _text(file: BinaryIO) -> str:
    (length,) = _take(file, "H")
    raw = file.read(length)
    if len(raw) != length or not raw.endswith(b"\0"):
        raise ValueError("text")
    return raw[:-1].decode("utf-8")
