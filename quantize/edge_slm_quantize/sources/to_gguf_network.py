"""The network of a model's folder in the header of a GGUF file: sizes, positions, pooling.

Fields and their meaning: gguf's constants.py; which of them a network has: llama.cpp's
src/llama-model.cpp.
"""

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge_slm.errors import IntegrityError, UsageError
from edge_slm.i18n import t
from edge_slm_quantize.records import Source
from edge_slm_quantize.sources.folder import Folder
from edge_slm_quantize.sources.json_files import read_json, read_json_list

if TYPE_CHECKING:
    import numpy as np
    from gguf import GGUFWriter
    from numpy.typing import NDArray

_USUAL_BASE = 10000.0  # of the rotation, where none is said (RoFormer, arXiv 2104.09864)
_PLACE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}")
# sentence-transformers' names of its modules that change no number llama.cpp does not.
_MODULES = ("Transformer", "Pooling", "Normalize")


def add_network(writer: "GGUFWriter", folder: Folder, source: Source) -> None:
    """Write the fields of the network and what the model says of itself.

    Raises:
        UsageError: it asks for positions or a pooling that llama.cpp does not compute the same.
        IntegrityError: a file is damaged.
    """
    from gguf import GGML_QUANT_VERSION, LlamaFileType

    found = folder.network
    writer.add_type("model")
    writer.add_name(source.name)
    if source.licence != "LicenseRef-unknown":
        writer.add_license(source.licence)
    if source.languages:
        writer.add_languages(list(source.languages))
    writer.add_file_type(LlamaFileType.MOSTLY_F16)
    writer.add_quantization_version(GGML_QUANT_VERSION)
    writer.add_vocab_size(found.vocabulary)
    writer.add_context_length(found.context)
    writer.add_embedding_length(found.hidden)
    writer.add_feed_forward_length(found.feed)
    writer.add_block_count(found.layers)
    writer.add_head_count(found.heads)
    if found.architecture == "bert":
        writer.add_layer_norm_eps(found.epsilon)
        writer.add_causal_attention(False)
        writer.add_token_type_count(found.token_types)
        _add_pooling(writer, folder.path)
        return
    writer.add_head_count_kv(found.kv_heads)
    writer.add_layer_norm_rms_eps(found.epsilon)
    writer.add_key_length(found.head)
    writer.add_value_length(found.head)
    writer.add_rope_dimension_count(found.head)
    _add_positions(writer, folder)


def _add_positions(writer: "GGUFWriter", folder: Folder) -> None:
    from gguf import RopeScalingType

    rope = _rope(folder.config)
    base = rope.get("rope_theta", folder.config.get("rope_theta")) or _USUAL_BASE
    writer.add_rope_freq_base(_positive(base, folder.path))
    if _kind(rope) == "linear":
        writer.add_rope_scaling_type(RopeScalingType.LINEAR)
        writer.add_rope_scaling_factor(_positive(rope.get("factor"), folder.path))


def _rope(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what is said of rotations, by transformers 4 or 5; kinds other than known are refused.

    Raises:
        UsageError: llama.cpp and transformers would not compute the same.
    """
    rope = config.get("rope_parameters") or config.get("rope_scaling") or {}
    if not isinstance(rope, dict) or _kind(rope) not in ("default", "linear", "llama3"):
        raise UsageError(
            t(
                "The configuration asks for positions of a kind that cannot be converted here "
                "({kind}): give a GGUF file of the model.",
                "La configuration demande des positions d'un genre qui ne peut pas être converti "
                "ici ({kind}) : donnez un fichier GGUF du modèle.",
                kind=str(rope)[:80],
            )
        )
    return rope


def _kind(rope: Mapping[str, Any]) -> str:
    return str(rope.get("rope_type") or rope.get("type") or "default")


def rope_factors(folder: Folder) -> "NDArray[np.float32] | None":
    """Return what divides each frequency of the rotation, for models of Llama 3's kind.

    Long waves are stretched by the factor, short ones kept, those between blended (transformers,
    modeling_rope_utils.py, `_compute_llama3_parameters`).

    Returns:
        Factors [head / 2], or None where frequencies are as they are.
    """
    import numpy as np

    rope = _rope(folder.config) if folder.network.architecture != "bert" else {}
    if _kind(rope) != "llama3":
        return None
    base = _positive(
        rope.get("rope_theta", folder.config.get("rope_theta")) or _USUAL_BASE, folder.path
    )
    factor, low, high, trained = (
        _positive(rope.get(name), folder.path)
        for name in (
            "factor",
            "low_freq_factor",
            "high_freq_factor",
            "original_max_position_embeddings",
        )
    )
    head = folder.network.head
    waves = 2 * math.pi * base ** (np.arange(0, head, 2, dtype=np.float64) / head)
    if high == low:
        return np.where(waves > trained / low, factor, 1.0).astype(np.float32)
    kept = np.clip((trained / waves - low) / (high - low), 0.0, 1.0)
    return (1.0 / (kept + (1.0 - kept) / factor)).astype(np.float32)


def _positive(value: object, path: Path) -> float:
    if isinstance(value, (int, float)) and math.isfinite(value) and value > 0:
        return float(value)
    raise IntegrityError(
        t(
            "{path} is not a whole configuration: see {what}.",
            "{path} n'est pas une configuration entière : voir {what}.",
            path=path / "config.json",
            what="rope",
        )
    )


def _add_pooling(writer: "GGUFWriter", folder: Path) -> None:
    """Write how the vectors of a text's tokens make one; the mean where nothing says otherwise.

    That is what sentence-transformers does with a folder that has no modules.json.
    """
    from gguf import PoolingType

    kinds = {"mean_tokens": PoolingType.MEAN, "cls_token": PoolingType.CLS}
    kinds["lasttoken"] = PoolingType.LAST
    path = _pooling_file(folder)
    chosen = ["mean_tokens"]
    if path is not None:
        chosen = [
            name.removeprefix("pooling_mode_")
            for name, value in read_json(path).items()
            if name.startswith("pooling_mode_") and value is True
        ]
    if len(chosen) != 1 or chosen[0] not in kinds:
        raise _no_such_pooling(", ".join(chosen))
    writer.add_pooling_type(kinds[chosen[0]])


def _pooling_file(folder: Path) -> Path | None:
    """Return the file that says it, of sentence-transformers or flat in the store, or None."""
    flat = folder / "pooling_config.json"
    if not (folder / "modules.json").is_file():
        return flat if flat.is_file() else None
    modules = [_module(one) for one in read_json_list(folder / "modules.json")]
    odd = [kind for kind, _ in modules if kind not in _MODULES]
    if odd:
        raise _no_such_pooling(odd[0])
    places = [place for kind, place in modules if kind == "Pooling"]
    if not places:
        return None
    path = folder / places[0] / "config.json"
    if not _PLACE.fullmatch(places[0]) or not path.is_file():
        raise _no_such_pooling(places[0])
    return path


def _module(entry: Any) -> tuple[str, str]:
    if not isinstance(entry, dict):
        raise _no_such_pooling(str(entry))
    return str(entry.get("type")).rpartition(".")[2], str(entry.get("path"))


def _no_such_pooling(what: str) -> UsageError:
    return UsageError(
        t(
            "The model makes its vectors in a way that GGUF does not have ({what}): choose ONNX "
            "recipes.",
            "Le modèle fait ses vecteurs d'une manière que GGUF n'a pas ({what}) : choisissez des "
            "recettes ONNX.",
            what=what[:80],
        )
    )
