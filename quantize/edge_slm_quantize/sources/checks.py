"""What is refused before a model is touched: pickles, code of its own; and sizes to warn of.

A pickle runs what it says when it is opened, so none ever is. Code that comes with a model
(`auto_map`) is never run.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from edge_slm.errors import UsageError
from edge_slm.gguf_layout import read_layout
from edge_slm.i18n import t
from edge_slm_quantize.records import Source

_PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".joblib", ".msgpack", ".h5")
# Weights in a block of ggml's types (ggml-common.h): of Q8_0, Q4_0… and of the K and IQ types.
_BLOCK, _SUPER_BLOCK = 32, 256


def is_pickle(path: Path) -> bool:
    """Tell whether a file's name is that of a pickle, or of another format that can run code."""
    return path.suffix.lower() in _PICKLES


def refuse_pickles(path: Path) -> None:
    """Refuse a pickle, and a folder whose weights are only in pickles.

    Raises:
        UsageError: it is one.
    """
    if path.is_dir():
        inside = sorted(path.iterdir())
        if any(file.suffix == ".safetensors" for file in inside):
            return
        pickles = [file for file in inside if is_pickle(file)]
    else:
        pickles = [path] if is_pickle(path) else []
    if pickles:
        raise UsageError(
            t(
                "{path} can run code when it is opened, and is not: give the model as safetensors "
                "(most publishers offer it; else save it with save_pretrained on the machine that "
                "trained it).",
                "{path} peut exécuter du code à l'ouverture, et n'est pas ouvert : donnez le "
                "modèle en safetensors (la plupart des éditeurs le proposent ; sinon, "
                "enregistrez-le par save_pretrained sur la machine qui l'a entraîné).",
                path=pickles[0],
            )
        )


def refuse_code(config: Mapping[str, Any], path: Path) -> None:
    """Refuse a model that needs code of its own.

    Raises:
        UsageError: its configuration names some.
    """
    if config.get("auto_map"):
        raise UsageError(
            t(
                "{path} asks to run code that comes with the model (auto_map), which is never "
                "done: give a model of an architecture that is built in, or a GGUF file of it.",
                "{path} demande d'exécuter du code livré avec le modèle (auto_map), ce qui n'est "
                "jamais fait : donnez un modèle d'une architecture intégrée, ou un fichier GGUF "
                "de celui-ci.",
                path=path,
            )
        )


def odd_sizes(source: Source) -> tuple[str, ...]:
    """Return a sentence for each kind of GGUF recipe that some matrices cannot take as named.

    Models that no GGUF is made of, for speech and translation, have none.
    """
    if source.task not in ("chat", "embed"):
        return ()
    if source.format == "gguf":
        tensors = read_layout(Path(source.path)).tensors.values()
        return _sentences(one.shape[0] for one in tensors if len(one.shape) > 1)
    if source.format == "safetensors":
        from edge_slm_quantize.sources.folder import open_folder

        found = open_folder(Path(source.path)).tensors.values()
        return _sentences(one.shape[-1] for one in found if len(one.shape) > 1)
    return ()


def _sentences(rows: Iterable[int]) -> tuple[str, ...]:
    lengths = list(rows)
    small = sum(length % _BLOCK != 0 for length in lengths)
    large = sum(length % _SUPER_BLOCK != 0 for length in lengths) - small
    said = []
    if small:
        said.append(
            t(
                "{count} of {all} matrices have rows that are no multiple of {block}: no GGUF "
                "recipe and no 4-bit or 8-bit block takes them; they stay F16.",
                "{count} matrices sur {all} ont des lignes qui ne sont pas multiples de {block} : "
                "aucune recette GGUF ni bloc de 4 ou 8 bits ne les prend ; elles restent en F16.",
                count=small,
                all=len(lengths),
                block=_BLOCK,
            )
        )
    if large:
        said.append(
            t(
                "{count} of {all} matrices have rows that are no multiple of {block}: Q6_K, "
                "Q5_K_M, Q4_K_M, Q3_K_M, Q2_K and IQ4_XS put them in larger types.",
                "{count} matrices sur {all} ont des lignes qui ne sont pas multiples de {block} : "
                "Q6_K, Q5_K_M, Q4_K_M, Q3_K_M, Q2_K et IQ4_XS les mettent dans des types plus "
                "grands.",
                count=large,
                all=len(lengths),
                block=_SUPER_BLOCK,
            )
        )
    return tuple(said)
