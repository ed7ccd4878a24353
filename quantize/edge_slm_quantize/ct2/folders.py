"""Which folders CTranslate2 recipes start from, and what a folder must hold to be of use.

Checked before torch is loaded: an absent tokenizer shows as one sentence, not after minutes.
"""

from pathlib import Path

from edge_slm.errors import UsageError
from edge_slm.i18n import t
from edge_slm_quantize.records import Order
from edge_slm_quantize.sources import ct2_whisper
from edge_slm_quantize.sources.checks import refuse_code
from edge_slm_quantize.sources.json_files import read_json

# By the configuration's `model_type`, what the model cannot be used or converted without.
_NEEDED: dict[str, tuple[str, ...]] = {
    # faster-whisper would fetch it from a hub.
    "whisper": ("tokenizer.json",),
    "marian": ("source.spm", "target.spm", "vocab.json"),
    "m2m_100": ("sentencepiece.bpe.model",),  # NLLB, and M2M100 itself
}
# What is used at run time besides CTranslate2's own files.
COPIED = (
    *("tokenizer.json", "preprocessor_config.json", "tokenizer_config.json"),
    *("source.spm", "target.spm", "sentencepiece.bpe.model"),
)
_USUAL_BANDS = 80  # faster-whisper's, where no preprocessor_config.json says another number


def hugging_face(order: Order) -> Path:
    """Return the Hugging Face folder of an order's source.

    Raises:
        UsageError: the model is not of a kind that CTranslate2 recipes take, or lacks a file.
        IntegrityError: a file is damaged.
        MissingError: a package of the extra is not installed.
    """
    source = order.source
    if source.task not in ("speech", "translate"):
        raise UsageError(
            t(
                "{recipe} is for Whisper and translation models only.",
                "{recipe} n'est que pour Whisper et les modèles de traduction.",
                recipe=order.recipe,
            )
        )
    if source.format == "safetensors":
        folder = Path(source.path)
        check(folder)
        return folder
    if source.format == "ctranslate2" and source.task == "speech":
        return ct2_whisper.to_hf(source, Path(order.folder))
    raise UsageError(
        t(
            "{name} is a {format} model, which {recipe} cannot start from: give its folder of "
            "safetensors.",
            "{name} est un modèle {format}, dont {recipe} ne peut pas partir : donnez son dossier "
            "safetensors.",
            name=source.name,
            format=source.format,
            recipe=order.recipe,
        )
    )


def check(folder: Path) -> None:
    """Check that a Hugging Face folder is of a known kind and has what that needs.

    Raises:
        UsageError: it is not, or lacks a file.
        IntegrityError: its configuration is damaged.
    """
    if not (folder / "config.json").is_file():
        raise _lacks(folder, "config.json")
    config = read_json(folder / "config.json")
    refuse_code(config, folder)
    kind = config.get("model_type")
    if not isinstance(kind, str) or kind not in _NEEDED:
        raise UsageError(
            t(
                "{folder} holds a model of the kind {kind}; CTranslate2 recipes take {kinds}.",
                "{folder} contient un modèle du genre {kind} ; les recettes CTranslate2 prennent "
                "{kinds}.",
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
            "{folder} has no {name}, which this recipe needs: add it.",
            "{folder} n'a pas de {name}, dont cette recette a besoin : ajoutez-le.",
            folder=folder,
            name=name,
        )
    )
