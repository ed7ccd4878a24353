"""Any source as the Hugging Face folder of float32 that the torch-based recipes start from.

A folder of safetensors is taken as it is. A GGUF file is dequantised: weights, configuration and
tokenizer are rebuilt from the file alone, which transformers' own reader does not do right
(tokenizers of Llama models) or not at all (the multilingual E5). Needs neither torch nor
transformers.
"""

import math
from pathlib import Path
from typing import Any

from edge_slm.errors import UsageError
from edge_slm.gguf_layout import Layout, read_layout
from edge_slm.i18n import t
from edge_slm_quantize.records import Source
from edge_slm_quantize.sources import tokenizers
from edge_slm_quantize.sources.json_files import write_json
from edge_slm_quantize.sources.once import made_once
from edge_slm_quantize.sources.to_hf_bert import encoder, pooling
from edge_slm_quantize.sources.to_hf_names import CLASSES, Tensors, decoder, vocabulary_size
from edge_slm_quantize.sources.to_hf_weights import write_safetensors
from edge_slm_quantize.sources.vocabulary import Vocabulary, damaged, read_vocabulary
from edge_slm_quantize.workspace import require_disk

POOLING_FILE = "1_Pooling/config.json"  # as sentence-transformers lays it
# Whose keys the configuration has: the first with Qwen3. Files that name none, or one of 4.57.3 to
# 4.57.6, are taken for Mistral's by 4.57.6, which then warns of a wrong tokenizer.
_VERSION = "4.51.0"
_IDS = {"bos": "bos_token_id", "eos": "eos_token_id", "padding": "pad_token_id"}


def to_hf(source: Source, folder: Path) -> Path:
    """Return a folder with model.safetensors, config.json and tokenizer.json.

    What a GGUF file becomes is kept for the job's other recipes: FOLDER/shared/hf-<hash>, whole or
    absent, so that it is made once and a killed step leaves nothing that looks like it.

    Args:
        source: the model.
        folder: the job's.

    Raises:
        UsageError: the source is neither, or its architecture or tokenizer cannot be turned back.
        IntegrityError: the file does not hold together.
        MissingError: a package of the extra is not installed.
        EdgeSlmError: the disk has no room for it.
        OSError: a file cannot be read or written.
    """
    if source.format == "safetensors":
        return _checked(Path(source.path))
    if source.format != "gguf":
        raise UsageError(
            t(
                "{name} is a {format} model, which this recipe cannot start from: give a folder of "
                "safetensors or a GGUF file.",
                "{name} est un modèle {format}, dont cette recette ne peut pas partir : donnez un "
                "dossier safetensors ou un fichier GGUF.",
                name=source.name,
                format=source.format,
            )
        )
    place = folder / "shared" / f"hf-{source.sha256[:16]}"
    return made_once(place, lambda out: _convert(Path(source.path), out))


def _checked(folder: Path) -> Path:
    for name in ("config.json", tokenizers.FILE):
        if not (folder / name).is_file():
            raise UsageError(
                t(
                    "{folder} has no {name}, which this recipe needs: add it.",
                    "{folder} n'a pas de {name}, dont cette recette a besoin : ajoutez-le.",
                    folder=folder,
                    name=name,
                )
            )
    return folder


def _convert(gguf: Path, folder: Path) -> None:
    layout = read_layout(gguf)
    vocabulary = read_vocabulary(gguf, layout)
    if len(vocabulary.tokens) != vocabulary_size(layout):
        raise damaged("tokens")
    config, tensors = _described(layout, vocabulary)
    config["transformers_version"] = _VERSION
    require_disk(4 * sum(math.prod(one.shape) for one in tensors), folder)
    tokenizers.write(vocabulary, config["max_position_embeddings"], folder)
    write_json(folder / "config.json", config)
    if config["model_type"] == "bert":
        write_json(folder / POOLING_FILE, pooling(layout))
    write_safetensors(gguf, layout, tensors, folder / "model.safetensors")


def _described(layout: Layout, vocabulary: Vocabulary) -> tuple[dict[str, Any], Tensors]:
    found = {key: vocabulary.special(name) for name, key in _IDS.items()}
    ids = {key: i for key, i in found.items() if i is not None}
    architecture = layout.fields.get("general.architecture")
    if architecture == "bert":
        return encoder(layout, ids)
    if architecture in CLASSES:
        return decoder(layout, ids)
    raise UsageError(
        t(
            "GGUF files of the architecture {name} cannot be turned back into a Hugging Face "
            "folder (only {known}): give the model's folder of safetensors, or choose GGUF "
            "recipes.",
            "Les fichiers GGUF d'architecture {name} ne peuvent pas être reconvertis en dossier "
            "Hugging Face (seulement {known}) : donnez le dossier safetensors du modèle, ou "
            "choisissez des recettes GGUF.",
            name=architecture,
            known=", ".join((*CLASSES, "bert")),
        )
    )
