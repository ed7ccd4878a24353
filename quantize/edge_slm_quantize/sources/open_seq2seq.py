"""A folder of safetensors of a Whisper or translation model (encoder and decoder) as a source.

The networks are CTranslate2's and optimum's to read; here the folder is checked to be whole and
free of pickles and code, and its weights to be numbers.
"""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from edge_slm.errors import IntegrityError, UsageError
from edge_slm.i18n import t
from edge_slm_quantize.recipe import Task
from edge_slm_quantize.records import Source
from edge_slm_quantize.sources.checks import refuse_code, refuse_pickles
from edge_slm_quantize.sources.finite import check_shards
from edge_slm_quantize.sources.folder import shard_files
from edge_slm_quantize.sources.json_files import read_json
from edge_slm_quantize.sources.opened import Opened
from edge_slm_quantize.sources.readme import readme
from edge_slm_quantize.sources.shards import FLOATS, Tensor, read_header

# By the configuration's `model_type`, what the model cannot be used or converted without.
_NEEDED: dict[str, tuple[str, ...]] = {
    # faster-whisper would fetch it from a hub.
    "whisper": ("tokenizer.json",),
    "marian": ("source.spm", "target.spm", "vocab.json"),
    "m2m_100": ("sentencepiece.bpe.model",),  # NLLB, and M2M100 itself
}
_TASKS: dict[str, Task] = {"whisper": "speech", "marian": "translate", "m2m_100": "translate"}
_CONTEXT = {"whisper": "max_target_positions"}
_USUAL_CONTEXT = "max_position_embeddings"
_USUAL_BANDS = 80  # faster-whisper's, where no preprocessor_config.json says another number


def is_seq2seq(folder: Path) -> bool:
    """Tell whether a folder's configuration names one of these models; a damaged one does not."""
    try:
        return str(read_json(folder / "config.json").get("model_type")) in _NEEDED
    except (IntegrityError, OSError):
        return False


def open_seq2seq(folder: Path) -> Opened:
    """Open a folder of safetensors of a Whisper or translation model; weights are not read.

    Raises:
        UsageError: it holds pickles, code of its own or quantised weights, or lacks a file.
        IntegrityError: a file is cut or damaged.
        MissingError: a file of weights is absent.
    """
    refuse_pickles(folder)
    check(folder)
    config = _config(folder)
    kind = str(config["model_type"])
    tensors: dict[str, Tensor] = {}
    for file in shard_files(folder):
        tensors |= read_header(file)
    odd = sorted(name for name, tensor in tensors.items() if tensor.dtype not in FLOATS)
    if odd:
        raise _not_floats(folder, odd[0])
    licence, languages = readme(folder / "README.md")
    context = config.get(_CONTEXT.get(kind, _USUAL_CONTEXT))
    source = Source(
        name=folder.name,
        task=_TASKS[kind],
        architecture=kind,
        format="safetensors",
        path=str(folder.absolute()),
        sha256="",
        quantisation=None,
        parameters=sum(tensor.numbers for tensor in tensors.values()),
        context=context if type(context) is int and context > 0 else 1,
        languages=languages,
        licence=licence,
    )
    return Opened(source, partial(check_shards, list(tensors.items())))


def check(folder: Path) -> None:
    """Check that a Hugging Face folder is of a known kind and has what that needs.

    Raises:
        UsageError: it is not, or lacks a file.
        IntegrityError: its configuration is damaged.
    """
    config = _config(folder)
    kind = config.get("model_type")
    if not isinstance(kind, str) or kind not in _NEEDED:
        raise UsageError(
            t(
                "{folder} holds a model of the kind {kind}; known are {kinds}.",
                "{folder} contient un modèle du genre {kind} ; sont connus {kinds}.",
                folder=folder,
                kind=str(kind)[:80],
                kinds=", ".join(_NEEDED),
            )
        )
    for name in _NEEDED[kind]:
        if not (folder / name).is_file():
            raise _lacks(folder, name)
    unusual = config.get("num_mel_bins", _USUAL_BANDS) != _USUAL_BANDS
    if kind == "whisper" and unusual and not (folder / "preprocessor_config.json").is_file():
        raise _lacks(folder, "preprocessor_config.json")


def _lacks(folder: Path, name: str) -> UsageError:
    return UsageError(
        t(
            "{folder} has no {name}, which its recipes need: add it.",
            "{folder} n'a pas de {name}, dont ses recettes ont besoin : ajoutez-le.",
            folder=folder,
            name=name,
        )
    )


def _config(folder: Path) -> Mapping[str, Any]:
    if not (folder / "config.json").is_file():
        raise _lacks(folder, "config.json")
    config = read_json(folder / "config.json")
    refuse_code(config, folder)
    return config


def _not_floats(folder: Path, name: str) -> UsageError:
    return UsageError(
        t(
            "{name} in {folder} is no matrix of floats: give the model as it was before it was "
            "quantised.",
            "{name} dans {folder} n'est pas une matrice de flottants : donnez le modèle d'avant sa "
            "quantification.",
            name=name[:120],
            folder=folder,
        )
    )
