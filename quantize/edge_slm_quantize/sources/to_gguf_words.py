"""The words of a tokenizer.json, as llama.cpp wants them: texts, types, scores, merges, and a name.

Three kinds, told apart by the structure of the file and never by the model's name: byte-level BPE,
wordpiece, unigram. Rules: llama.cpp's src/llama-vocab.cpp, which says how each kind cuts a text;
a tokenizer that cuts otherwise is refused rather than written wrong.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from edge_slm.errors import UsageError
from edge_slm.i18n import t
from edge_slm_quantize.sources.vocabulary import CONTROL, NORMAL, UNKNOWN, UNUSED, USER_DEFINED
from edge_slm_quantize.sources.word_cuts import NO_PIECE, PATTERNS, WHOLE_WORDS_FIRST

# llama.cpp's name of each way to cut text, by the steps of tokenizer.json that do it.
_CUTS = {("bytes",): "gpt-2", ("digits", "bytes"): "smollm"}
_CUTS |= {(pattern,): name for name, pattern in PATTERNS.items()}
# Settings of a BPE that llama.cpp does not have.
_ODD_BPE = ("byte_fallback", "continuing_subword_prefix", "end_of_word_suffix", "dropout")


@dataclass(frozen=True)
class Words:
    """A vocabulary: a text and a type for each id, and what its kind needs beside.

    model, pre: llama.cpp's names of the kind, and of how text is cut before it.
    flags: yes or no fields of the header (“add_space_prefix”…). charsmap: of a unigram.
    """

    model: str
    pre: str
    tokens: list[str]
    types: list[int]
    scores: list[float] | None = None
    merges: list[str] | None = None
    flags: Mapping[str, bool] | None = None
    charsmap: bytes | None = None


def words(tokenizer: Mapping[str, Any], size: int) -> Words:
    """Read the words of a tokenizer.json.

    Args:
        tokenizer: its content.
        size: rows of the embedding; ids without a word get one that no text holds.

    Raises:
        UsageError: llama.cpp would cut text otherwise, or has no such kind.
        KeyError, TypeError, ValueError, AttributeError, IndexError: the file is damaged.
    """
    makers = {"BPE": _byte_level, "WordPiece": _wordpiece, "Unigram": _unigram}
    kind = tokenizer["model"].get("type")
    if kind not in makers:
        raise unknown(f"model: {kind}")
    return makers[kind](tokenizer, size)


def unknown(what: str) -> UsageError:
    """Return the error of a tokenizer that llama.cpp would not apply as it was made."""
    return UsageError(
        t(
            "The tokenizer of this model cannot be written as GGUF ({what}): give a GGUF file of "
            "the model, or choose ONNX recipes.",
            "Le tokeniseur de ce modèle ne peut pas être écrit en GGUF ({what}) : donnez un "
            "fichier GGUF du modèle, ou choisissez des recettes ONNX.",
            what=what[:120],
        )
    )


def _byte_level(tokenizer: Mapping[str, Any], size: int) -> Words:
    model = tokenizer["model"]
    steps = _steps(tokenizer.get("pre_tokenizer"))
    pre = _CUTS.get(steps) if steps else None
    if pre is None:
        raise unknown("pre_tokenizer")
    odd = [name for name in _ODD_BPE if model.get(name)]
    if odd or bool(model.get("ignore_merges")) != (pre == WHOLE_WORDS_FIRST):
        raise unknown(", ".join([*odd, "ignore_merges"]))
    normaliser = tokenizer.get("normalizer")
    if normaliser is not None and normaliser.get("type") != "NFC":
        raise unknown("normalizer")
    tokens, types = _listed(model["vocab"], tokenizer["added_tokens"], size)
    merges = [_merge(one) for one in model["merges"]]
    if not merges:
        raise ValueError("merges")
    return Words("gpt2", pre, tokens, types, merges=merges)


def _steps(cutter: Any) -> tuple[str, ...] | None:
    """Name the steps of a pre-tokenizer: a pattern, or “digits” and “bytes”; None if unknown."""
    steps = cutter["pretokenizers"] if cutter and cutter["type"] == "Sequence" else [cutter]
    named = []
    for step in steps:
        kind = step["type"] if step else ""
        if kind == "Split" and step["behavior"] == "Isolated" and not step.get("invert"):
            named.append(str(step["pattern"].get("Regex")))
        elif kind == "Digits" and step["individual_digits"]:
            named.append("digits")
        elif kind == "ByteLevel" and not step["add_prefix_space"]:
            named += ["bytes"] if step.get("use_regex", True) else []
        else:
            return None
    whole = bool(steps) and steps[-1] and steps[-1]["type"] == "ByteLevel"
    return tuple(named) if whole else None


def _merge(merge: str | list[str]) -> str:
    left, right = merge.split(" ") if isinstance(merge, str) else merge
    if not left or not right or " " in left + right:
        raise ValueError("merges")
    return f"{left} {right}"


def _wordpiece(tokenizer: Mapping[str, Any], size: int) -> Words:
    model, normaliser = tokenizer["model"], tokenizer.get("normalizer") or {}
    if (
        model.get("continuing_subword_prefix") != "##"
        or normaliser.get("type") != "BertNormalizer"
        or (tokenizer.get("pre_tokenizer") or {}).get("type") != "BertPreTokenizer"
    ):
        raise unknown("WordPiece")
    lower = bool(normaliser.get("lowercase"))
    accents = normaliser.get("strip_accents")
    tokens, types = _listed(model["vocab"], tokenizer["added_tokens"], size)
    # BERT marks where a word goes on, llama.cpp where one begins.
    named = [_begun(text, kind) for text, kind in zip(tokens, types, strict=True)]
    if len(set(named)) != len(named):
        raise ValueError("vocab")
    flags = {
        "normalizer.lowercase": lower,
        "normalizer.strip_accents": lower if accents is None else bool(accents),
    }
    return Words("bert", "default", named, types, flags=flags)


def _begun(text: str, kind: int) -> str:
    if kind == CONTROL:
        return text
    return text[2:] if text.startswith("##") and len(text) > 2 else "▁" + text


def _unigram(tokenizer: Mapping[str, Any], size: int) -> Words:
    model = tokenizer["model"]
    if model.get("byte_fallback"):
        raise unknown("byte_fallback")
    rules = _flat(tokenizer.get("normalizer"), "normalizers")
    cuts = _flat(tokenizer.get("pre_tokenizer"), "pretokenizers")
    spaces = [cut for cut in cuts if cut["type"] == "Metaspace"]
    if not spaces or spaces[0].get("prepend_scheme", "always") != "always":
        raise unknown("pre_tokenizer")
    maps = [rule["precompiled_charsmap"] for rule in rules if rule["type"] == "Precompiled"]
    # Without a map of its own, the text is normalised as SentencePiece's nmt_nfkc by the engine.
    if not maps and not any(rule["type"] == "NFKC" for rule in rules):
        raise unknown("normalizer")
    pieces = [(str(text), float(score)) for text, score in model["vocab"]]
    vocabulary = {text: index for index, (text, _) in enumerate(pieces)}
    tokens, types = _listed(vocabulary, tokenizer["added_tokens"], size)
    types[model["unk_id"]] = UNKNOWN
    scores = [score for _, score in pieces] + [NO_PIECE] * (size - len(pieces))
    return Words(
        "t5",
        "default",
        tokens,
        types,
        scores=scores,
        flags={"add_space_prefix": True, "remove_extra_whitespaces": True},
        charsmap=base64.b64decode(maps[0], validate=True) if maps else None,
    )


def _flat(rule: Any, inner: str) -> list[Any]:
    if rule is None:
        return []
    return list(rule[inner]) if rule["type"] == "Sequence" else [rule]


def _listed(
    vocabulary: Mapping[str, int], added: list[Any], size: int
) -> tuple[list[str], list[int]]:
    """Return the text and the type of each id, each text once."""
    tokens, types = [""] * size, [UNUSED] * size
    for text, index in vocabulary.items():
        if type(index) is not int or not 0 <= index < size or types[index] != UNUSED or not text:
            raise ValueError(f"vocab: {text[:40]}")
        tokens[index], types[index] = text, NORMAL
    for token in added:
        text, index = token["content"], token["id"]
        if type(index) is not int or not 0 <= index < size or not text:
            raise ValueError(f"added_tokens: {text[:40]}")
        if types[index] != UNUSED and tokens[index] != text:
            raise ValueError(f"added_tokens: {text[:40]}")
        tokens[index] = text
        types[index] = CONTROL if token["special"] or _looks_special(text) else USER_DEFINED
    for index, kind in enumerate(types):
        if kind == UNUSED:
            tokens[index] = f"[PAD{index}]"
    if len(set(tokens)) != size:  # llama.cpp aborts the process on a text that is there twice
        raise ValueError("vocab")
    return tokens, types


def _looks_special(text: str) -> bool:
    """Tell whether a token that is not marked special stands for one, as llama.cpp judges it."""
    return text in ("<pad>", "<mask>") or (text.startswith("<|") and text.endswith("|>"))
