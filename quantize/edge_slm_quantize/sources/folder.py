"""A folder of safetensors as it is published: its files, its network, its tensors by name.

Nothing is taken on trust: no code of the model's is run, no pickle is opened, no file outside the
folder is read, and each tensor must be there with the sizes that the configuration says.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_slm.errors import IntegrityError, MissingError, UsageError
from edge_slm.i18n import t
from edge_slm_quantize.sources.checks import refuse_code, refuse_pickles
from edge_slm_quantize.sources.json_files import MOST_BYTES, read_json, read_json_if_there
from edge_slm_quantize.sources.shapes import Network, expected, network, optional
from edge_slm_quantize.sources.shards import FLOATS, Tensor, read_header

_INDEX = "model.safetensors.index.json"
_SHARD = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,199}\.safetensors")
# Names that transformers puts before those of the network, when a head stands on it.
_PREFIXES = ("bert.", "roberta.")
_OLD_NAMES = {"gamma": "weight", "beta": "bias"}  # of BERT's first checkpoints
# Tensors that are computed anew, or belong to heads that give no vector.
_UNUSED = re.compile(
    r".*(rotary_emb\.inv_freq|\.attention\.(masked_)?bias|embeddings\.position_ids)"
    r"|pooler\..*|cls\..*|lm_head\..*"
)


@dataclass(frozen=True)
class Folder:
    """A model's folder, checked; `tensors` are those of the network, by transformers' name."""

    path: Path
    config: Mapping[str, Any]
    network: Network
    tensors: Mapping[str, Tensor]

    @property
    def files(self) -> list[Path]:
        """The files of weights, in order of name."""
        return sorted({tensor.file for tensor in self.tensors.values()})

    @property
    def parameters(self) -> int:
        """How many weights there are."""
        return sum(tensor.numbers for tensor in self.tensors.values())


def open_folder(path: Path) -> Folder:
    """Open and check a folder of safetensors; the weights themselves are not read.

    Raises:
        UsageError: it holds pickles, code of its own, or a network that is not known here.
        MissingError: a file is absent.
        IntegrityError: a file is cut or damaged, or is not what another one says of it.
    """
    refuse_pickles(path)
    if not (path / "config.json").is_file():
        raise _absent(path, "config.json")
    config = read_json(path / "config.json")
    refuse_code(config, path / "config.json")
    found = network(config, path / "config.json")
    if not (path / "tokenizer.json").is_file():
        raise _absent(path, "tokenizer.json")
    settings = path / "tokenizer_config.json"
    refuse_code(read_json_if_there(settings), settings)
    headers: dict[str, Tensor] = {}
    for file in shard_files(path):
        headers |= read_header(file)
    return Folder(path, config, found, _chosen(headers, found, path))


def shard_files(path: Path) -> list[Path]:
    """Return the files of weights of a folder: one, or those that its index names.

    Raises:
        IntegrityError: the index names a file outside the folder, or is damaged.
        MissingError: a file is absent.
    """
    if (path / _INDEX).is_file():
        weights = read_json(path / _INDEX, MOST_BYTES).get("weight_map")
        if not isinstance(weights, dict) or not weights:
            raise _bad_index(path)
        names = sorted({str(name) for name in weights.values()})
        if not all(_SHARD.fullmatch(name) for name in names):
            raise _bad_index(path)
    else:
        # Beside it may lie the same weights under another program's names.
        whole = path / "model.safetensors"
        found = [whole] if whole.is_file() else sorted(path.glob("*.safetensors"))
        names = [file.name for file in found] or [whole.name]
    for name in names:
        if not (path / name).is_file():
            raise _absent(path, name)
    return [path / name for name in names]


def _chosen(headers: Mapping[str, Tensor], found: Network, path: Path) -> dict[str, Tensor]:
    wanted, allowed = expected(found), optional(found)
    chosen = {}
    for given, tensor in headers.items():
        name = _plain(given)
        shape = wanted.get(name) or allowed.get(name)
        if shape is None:
            if not _UNUSED.fullmatch(name):
                raise _unknown(path, given)
            continue
        if tensor.shape != shape or tensor.dtype not in FLOATS:
            raise _not_as_said(path, given, tensor, shape)
        chosen[name] = tensor
    lacking = [name for name in wanted if name not in chosen]
    if lacking:
        raise _absent(path, lacking[0])
    # In one order, whatever the shards.
    return {name: chosen[name] for name in (*wanted, *allowed) if name in chosen}


def _plain(name: str) -> str:
    for prefix in _PREFIXES:
        name = name.removeprefix(prefix)
    stem, _, last = name.rpartition(".")
    return f"{stem}.{_OLD_NAMES[last]}" if last in _OLD_NAMES else name


def _absent(path: Path, name: str) -> MissingError:
    return MissingError(
        t(
            "{path} lacks {name}: a model needs config.json, tokenizer.json and all its "
            "safetensors files; copy them again.",
            "Il manque {name} dans {path} : un modèle a besoin de config.json, de tokenizer.json "
            "et de tous ses fichiers safetensors ; recopiez-les.",
            path=path,
            name=name,
        )
    )


def _bad_index(path: Path) -> IntegrityError:
    return IntegrityError(
        t(
            "{path} is damaged: it must name safetensors files of its own folder.",
            "{path} est abîmé : il doit nommer des fichiers safetensors de son dossier.",
            path=path / _INDEX,
        )
    )


def _unknown(path: Path, name: str) -> UsageError:
    return UsageError(
        t(
            "{path} holds the tensor {name}, which its architecture does not have: give the model "
            "in floats and in its usual form, not quantised, not an adapter.",
            "{path} contient le tenseur {name}, que son architecture n'a pas : donnez le modèle en "
            "flottants et dans sa forme habituelle, ni quantifié, ni adaptateur.",
            path=path,
            name=name[:120],
        )
    )


def _not_as_said(path: Path, name: str, tensor: Tensor, wanted: tuple[int, ...]) -> IntegrityError:
    return IntegrityError(
        t(
            "The tensor {name} of {path} is {found} of type {kind}, where config.json says {said} "
            "in floats: the files are not of the same model.",
            "Le tenseur {name} de {path} est {found} de type {kind}, alors que config.json dit "
            "{said} en flottants : les fichiers ne sont pas du même modèle.",
            path=path,
            name=name[:120],
            found="×".join(map(str, tensor.shape)),
            kind=tensor.dtype,
            said="×".join(map(str, wanted)),
        )
    )
