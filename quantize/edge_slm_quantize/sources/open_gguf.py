"""A GGUF file as a source: what its header says, and whether it is a whole model."""

import math
from collections import Counter
from functools import partial
from pathlib import Path

from edge_slm.cards import Embed
from edge_slm.errors import UsageError
from edge_slm.gguf_layout import Layout, read_layout
from edge_slm.i18n import t
from edge_slm_quantize.records import Source
from edge_slm_quantize.sources.finite import check_gguf
from edge_slm_quantize.sources.opened import Opened

# Architectures of llama.cpp that give vectors and no text.
_EMBEDDERS = {"bert", "nomic-bert", "nomic-bert-moe", "jina-bert-v2", "gemma-embedding"}
_EMBEDDERS |= {"modern-bert", "jina-bert-v3", "eurobert", "neo-bert"}
# Heads and parts of models, which are GGUF too.
_NO_MODEL = {"clip", "mmproj", "wavtokenizer-dec"}
_FLOATS = ("F32", "F16", "BF16", "F64")


def open_gguf(path: Path) -> Opened:
    """Open a GGUF file; weights are not read.

    Raises:
        UsageError: it is no GGUF file, or no whole model of a known architecture.
        IntegrityError: its header is damaged, or it ends too early.
    """
    with path.open("rb") as file:
        if file.read(4) != b"GGUF":
            raise UsageError(
                t(
                    "{path} is no model: give a GGUF file, or a folder of safetensors.",
                    "{path} n'est pas un modèle : donnez un fichier GGUF, ou un dossier de "
                    "safetensors.",
                    path=path,
                )
            )
    layout = read_layout(path)
    architecture = _architecture(layout, path)
    _require_a_model(layout, path)
    embeds = architecture in _EMBEDDERS or layout.number("pooling_type") > 0
    source = Source(
        name=path.stem,
        task="embed" if embeds else "chat",
        architecture=architecture,
        format="gguf",
        path=str(path.absolute()),
        sha256="",
        quantisation=_quantisation(layout),
        parameters=sum(math.prod(tensor.shape) for tensor in layout.tensors.values()),
        context=max(1, layout.number("context_length")),
        licence=str(layout.fields.get("general.license") or "LicenseRef-unknown"),
        licence_url=str(layout.fields.get("general.license.link") or ""),
        embed=Embed(max(1, layout.number("embedding_length"))) if embeds else None,
    )
    return Opened(source, partial(check_gguf, path, layout))


def _architecture(layout: Layout, path: Path) -> str:
    from gguf import MODEL_ARCH_NAMES

    found = str(layout.fields.get("general.architecture") or "")
    if found not in MODEL_ARCH_NAMES.values() or found in _NO_MODEL:
        raise _unusable(
            path,
            t(
                "the architecture “{name}” is not known",
                "l'architecture « {name} » n'est pas connue",
                name=found[:80],
            ),
        )
    return found


def _require_a_model(layout: Layout, path: Path) -> None:
    if layout.fields.get("general.type", "model") != "model":
        why = t("it is an adapter or a part of one", "c'est un adaptateur, ou une partie de modèle")
    elif layout.number("block_count") < 1 or "token_embd.weight" not in layout.tensors:
        why = t("it holds no network", "il ne contient pas de réseau")
    elif layout.fields.get("tokenizer.ggml.model") in (None, "", "no_vocab", "none"):
        why = t("its tokenizer is missing", "son tokeniseur manque")
    elif layout.fields.get("split.count", 1) not in (0, 1):
        why = t(
            "it is one of several parts: join them with llama-gguf-split --merge",
            "c'est une partie parmi d'autres : réunissez-les avec llama-gguf-split --merge",
        )
    else:
        return
    raise _unusable(path, why)


def _unusable(path: Path, why: str) -> UsageError:
    return UsageError(
        t(
            "{path} cannot be shrunk: {why}.",
            "{path} ne peut pas être réduit : {why}.",
            path=path,
            why=why,
        )
    )


def _quantisation(layout: Layout) -> str | None:
    """Return the type of the file, or that of most of its bytes when it does not say."""
    from gguf import GGMLQuantizationType

    name = layout.file_type
    if name in ("unknown", "GUESSED"):
        sizes: Counter[int] = Counter()
        for tensor in layout.tensors.values():
            sizes[tensor.type] += tensor.size
        most = sizes.most_common(1)[0][0]
        known = {int(kind): str(kind.name) for kind in GGMLQuantizationType}
        name = known.get(most, "unknown")
    return None if name in _FLOATS else name
