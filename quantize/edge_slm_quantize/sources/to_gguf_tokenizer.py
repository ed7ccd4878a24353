"""Writes the tokenizer of a model's folder in the header of a GGUF file, chat template included.

Ids that stand around a text are those that tokenizer.json itself puts there, whatever
tokenizer_config.json says: transformers 4.57 goes by the former too.
"""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge_slm.errors import IntegrityError
from edge_slm.i18n import t
from edge_slm_quantize.sources.json_files import MOST_BYTES, read_json
from edge_slm_quantize.sources.to_gguf_words import Words, unknown, words

if TYPE_CHECKING:
    from gguf import GGUFWriter

_ROLES = ("bos", "eos", "unk", "sep", "pad", "mask")


def add_tokenizer(writer: "GGUFWriter", folder: Path, size: int) -> None:
    """Write the fields of the tokenizer of a folder.

    Args:
        writer: of the file.
        folder: holds tokenizer.json, and may hold tokenizer_config.json and a chat template.
        size: rows of the embedding.

    Raises:
        UsageError: llama.cpp has no such tokenizer.
        IntegrityError: a file is damaged.
    """
    path = folder / "tokenizer.json"
    tokenizer = read_json(path, MOST_BYTES)
    try:
        found = words(tokenizer, size)
        _add_words(writer, found)
        _add_special(writer, found, _around(tokenizer), folder)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise IntegrityError(
            t(
                "{path} is damaged, or not of this model (see {what}): copy the folder again.",
                "{path} est abîmé, ou n'est pas de ce modèle (voir {what}) : recopiez le dossier.",
                path=path,
                what=str(error)[:80],
            )
        ) from error


def _add_words(writer: "GGUFWriter", found: Words) -> None:
    writer.add_tokenizer_model(found.model)
    writer.add_tokenizer_pre(found.pre)
    writer.add_token_list(found.tokens)
    writer.add_token_types(found.types)
    if found.scores is not None:
        writer.add_token_scores(found.scores)
    if found.merges is not None:
        writer.add_token_merges(found.merges)
    if found.charsmap is not None:
        writer.add_precompiled_charsmap(found.charsmap)
    for name, value in (found.flags or {}).items():
        writer.add_bool(f"tokenizer.ggml.{name}", value)


def _add_special(
    writer: "GGUFWriter", found: Words, around: tuple[str | None, str | None], folder: Path
) -> None:
    from gguf import SpecialVocab

    # The package warns of what is only unusual; without a handler that reaches standard error.
    logging.getLogger("gguf").addHandler(logging.NullHandler())
    special = SpecialVocab(folder, n_vocab=len(found.tokens))
    ids: dict[str, int] = {
        role: special.special_token_ids[role]
        for role in _ROLES
        if role in special.special_token_ids
    }
    first, last = (None if text is None else found.tokens.index(text) for text in around)
    if found.model == "bert" and (first is None or last is None):
        raise unknown("post_processor")  # llama.cpp puts both, always
    if first is not None:
        ids["bos"] = first
    if last is not None:
        ids["eos"] = last
        if found.model != "gpt2":
            ids["sep"] = last
    for role, index in ids.items():
        getattr(writer, f"add_{role}_token_id")(index)
    writer.add_add_bos_token(first is not None)
    writer.add_add_eos_token(last is not None)
    if special.chat_template is not None:
        writer.add_chat_template(special.chat_template)


def _around(tokenizer: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Return the tokens that the tokenizer puts before and after a text."""
    outer = tokenizer.get("post_processor")
    if outer is None:
        return None, None
    inner = outer["processors"] if outer["type"] == "Sequence" else [outer]
    for step in inner:
        if step["type"] in ("BertProcessing", "RobertaProcessing"):
            return step["cls"][0], step["sep"][0]
        if step["type"] == "TemplateProcessing":
            return _template(step)
        if step["type"] != "ByteLevel":
            raise unknown(f"post_processor: {step['type']}")
    return None, None


def _template(step: Mapping[str, Any]) -> tuple[str | None, str | None]:
    parts = step["single"]
    text = next(index for index, part in enumerate(parts) if "Sequence" in part)
    before = [part["SpecialToken"]["id"] for part in parts[:text]]
    after = [part["SpecialToken"]["id"] for part in parts[text + 1 :]]
    if len(before) > 1 or len(after) > 1:
        raise unknown("post_processor")
    one = {name: step["special_tokens"][name]["tokens"] for name in (*before, *after)}
    if any(len(tokens) != 1 for tokens in one.values()):
        raise unknown("post_processor")
    return (
        one[before[0]][0] if before else None,
        one[after[0]][0] if after else None,
    )
