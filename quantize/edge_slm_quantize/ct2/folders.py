"""Which folders CTranslate2 recipes start from.

Checked before torch is loaded: an absent tokenizer shows as one sentence, not after minutes.
"""

from pathlib import Path

from edge_slm.errors import UsageError
from edge_slm.i18n import t
from edge_slm_quantize.records import Order
from edge_slm_quantize.sources import ct2_whisper
from edge_slm_quantize.sources.open_seq2seq import check

# What is used at run time besides CTranslate2's own files.
COPIED = (
    *("tokenizer.json", "preprocessor_config.json", "tokenizer_config.json"),
    *("source.spm", "target.spm", "sentencepiece.bpe.model"),
)


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
