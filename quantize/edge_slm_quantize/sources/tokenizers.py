"""The tokenizer of a GGUF file as the Hugging Face files of the same vocabulary.

Ids are those of llama.cpp on the same text (transformers 4.57 rebuilds a byte-level BPE of a Llama
model as SentencePiece, and prepends a token). Three kinds: byte-level BPE, unigram, wordpiece.
Rules: llama.cpp's src/llama-vocab.cpp, and the tokenizer files of the models' makers. A file's own
character map is not read: a unigram vocabulary gets SentencePiece's "nmt_nfkc", as in
edge_slm/engines/llama/e5_text.py.
"""

import re
from pathlib import Path
from typing import Any

from edge_slm.errors import IntegrityError, UsageError
from edge_slm.i18n import t
from edge_slm_quantize.extra import need
from edge_slm_quantize.sources.json_files import write_json
from edge_slm_quantize.sources.vocabulary import (
    CONTROL,
    UNKNOWN,
    USER_DEFINED,
    Vocabulary,
    damaged,
)
from edge_slm_quantize.sources.word_cuts import NO_PIECE, PATTERNS, WHOLE_WORDS_FIRST

FILE = "tokenizer.json"

_BUILT_IN = ("gpt-2", "smollm", "")  # cut by the pattern of tokenizers' own ByteLevel
# A character that no text holds (Unicode's noncharacters) stands for one that NFKC must not touch.
_KEPT, _STAND_IN = "～", "\ufdd0"
_LONGEST_WORD = 100  # characters; of BERT's WordPiece (max_input_chars_per_word)
_BERT_IDS = {"unknown": 100, "bos": 101, "seperator": 102, "padding": 0, "mask": 103}
_ROLES = {
    "bos_token": "bos",
    "eos_token": "eos",
    "unk_token": "unknown",
    "sep_token": "seperator",  # so spelled in the format
    "pad_token": "padding",
    "mask_token": "mask",
}


def build(vocabulary: Vocabulary) -> Any:
    """Return the `tokenizers.Tokenizer` of a GGUF file's vocabulary.

    Raises:
        MissingError: the package tokenizers is not installed.
        UsageError: the vocabulary is of a kind that is not known here.
        IntegrityError: it is damaged.
    """
    makers = {"gpt2": _byte_level, "t5": _unigram, "bert": _wordpiece}
    maker = makers.get(vocabulary.model)
    if maker is None:
        raise _unknown(vocabulary.model)
    tokenizer = maker(need("tokenizers"), vocabulary)
    _add_named(tokenizer, vocabulary)
    _surround(tokenizer, vocabulary)
    return tokenizer


def write(vocabulary: Vocabulary, longest: int, folder: Path) -> None:
    """Write tokenizer.json, tokenizer_config.json and special_tokens_map.json in a folder.

    Args:
        vocabulary: of the GGUF file.
        longest: tokens that the model takes at most.
        folder: where the files go.

    Raises:
        MissingError, UsageError, IntegrityError: as `build`.
        OSError: a file cannot be written.
    """
    build(vocabulary).save(str(folder / FILE))
    names = {role: vocabulary.tokens[i] for role, i in _roles(vocabulary).items()}
    config: dict[str, Any] = {
        **names,
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": longest,
        "clean_up_tokenization_spaces": False,
    }
    template = vocabulary.fields.get("tokenizer.chat_template")
    if isinstance(template, str) and template:
        config["chat_template"] = template
    for name, content in (("tokenizer_config.json", config), ("special_tokens_map.json", names)):
        write_json(folder / name, content)


def load(path: Path) -> Any:
    """Read a tokenizer.json: nothing padded, nothing cut, whatever the file asks for.

    Raises:
        MissingError: the package tokenizers is not installed.
        IntegrityError: the file is absent or is no tokenizer.
    """
    kind = need("tokenizers").Tokenizer
    try:
        # Its `from_str` and `from_file` raise bare `Exception`; this one raises ValueError.
        tokenizer = kind.from_buffer(path.read_bytes())
    except (OSError, ValueError) as error:
        raise IntegrityError(
            t(
                "{path} is missing or is no tokenizer: copy the model's folder again.",
                "{path} manque ou n'est pas un tokenizer : recopiez le dossier du modèle.",
                path=path,
            )
        ) from error
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def normaliser() -> Any:
    """Return SentencePiece's "nmt_nfkc" with single spaces, as `e5_text.normalise` does it."""
    library = need("tokenizers")
    rules = library.normalizers
    return rules.Sequence(
        [
            rules.Replace("\0", ""),  # the only control that Nmt lets through
            rules.Nmt(),
            rules.Replace(_KEPT, _STAND_IN),
            rules.NFKC(),
            rules.Replace(_STAND_IN, _KEPT),
            rules.Replace(library.Regex(r"\s+"), " "),
            rules.Strip(),
        ]
    )


def _roles(vocabulary: Vocabulary) -> dict[str, int]:
    defaults = _BERT_IDS if vocabulary.model == "bert" else {}
    roles = {role: vocabulary.special(name, defaults.get(name)) for role, name in _ROLES.items()}
    return {role: found for role, found in roles.items() if found is not None}


def _byte_level(library: Any, vocabulary: Vocabulary) -> Any:
    pattern = PATTERNS.get(vocabulary.pre)
    if pattern is None and vocabulary.pre not in _BUILT_IN:
        raise _unknown(f"gpt2, {vocabulary.pre}")
    ids = _ids(vocabulary)
    model = library.models.BPE(
        vocab=ids,
        merges=_pairs(vocabulary.merges, ids),
        ignore_merges=vocabulary.pre == WHOLE_WORDS_FIRST,
    )
    tokenizer = library.Tokenizer(model)
    cut = library.pre_tokenizers
    steps = [cut.ByteLevel(add_prefix_space=False, use_regex=pattern is None)]
    if pattern is not None:
        steps.insert(0, cut.Split(library.Regex(pattern), "isolated"))
    elif vocabulary.pre == "smollm":
        steps.insert(0, cut.Digits(individual_digits=True))
    tokenizer.pre_tokenizer = cut.Sequence(steps)
    tokenizer.decoder = library.decoders.ByteLevel()
    return tokenizer


def _pairs(merges: list[str], ids: dict[str, int]) -> list[tuple[str, str]]:
    if not merges:
        raise damaged("merges")
    pairs = []
    for merge in merges:
        left, _, right = merge.partition(" ")
        if not (left in ids and right in ids and left + right in ids):
            raise damaged("merges")
        pairs.append((left, right))
    return pairs


def _unigram(library: Any, vocabulary: Vocabulary) -> Any:
    if vocabulary.mapped:
        raise _unknown("t5, precompiled_charsmap")
    if not vocabulary.scores:
        raise damaged("scores")
    # llama.cpp never finds these in a text; so low a score comes to the same.
    hidden = (UNKNOWN, CONTROL)
    scores = [
        NO_PIECE if kind in hidden else score
        for kind, score in zip(vocabulary.types, vocabulary.scores, strict=True)
    ]
    pieces = list(zip(vocabulary.tokens, scores, strict=True))
    unknown = vocabulary.special("unknown")
    if unknown is None:
        raise damaged("unknown_token_id")
    tokenizer = library.Tokenizer(library.models.Unigram(pieces, unknown, byte_fallback=False))
    tokenizer.normalizer = normaliser()
    tokenizer.pre_tokenizer = library.pre_tokenizers.Metaspace()
    tokenizer.decoder = library.decoders.Metaspace()
    return tokenizer


def _wordpiece(library: Any, vocabulary: Vocabulary) -> Any:
    # llama.cpp marks where a word begins, BERT marks where one goes on.
    tokens = [_as_bert(token) for token in vocabulary.tokens]
    ids = {token: i for i, token in enumerate(tokens)}
    if len(ids) != len(tokens):
        raise damaged("tokens")
    unknown = _roles(vocabulary).get("unk_token")
    if unknown is None:
        raise damaged("unknown_token_id")
    model = library.models.WordPiece(
        ids, unk_token=tokens[unknown], max_input_chars_per_word=_LONGEST_WORD
    )
    tokenizer = library.Tokenizer(model)
    lower = vocabulary.flag("normalizer.lowercase", True)
    tokenizer.normalizer = library.normalizers.BertNormalizer(
        lowercase=lower, strip_accents=vocabulary.flag("normalizer.strip_accents", lower)
    )
    tokenizer.pre_tokenizer = library.pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = library.decoders.WordPiece()
    return tokenizer


def _as_bert(token: str) -> str:
    if token.startswith("▁"):
        return token[1:]
    return token if token.startswith("[") and token.endswith("]") else "##" + token


def _ids(vocabulary: Vocabulary) -> dict[str, int]:
    return {token: i for i, token in enumerate(vocabulary.tokens)}


def _add_named(tokenizer: Any, vocabulary: Vocabulary) -> None:
    """Make the names of control tokens, and tokens added by a user, whole wherever they stand."""
    added = need("tokenizers").AddedToken
    named = list(zip(vocabulary.tokens, vocabulary.types, strict=True))
    named = [(token, kind) for token, kind in named if token]
    for kind, add in (
        (CONTROL, tokenizer.add_special_tokens),
        (USER_DEFINED, tokenizer.add_tokens),
    ):
        special = kind == CONTROL
        add([added(one, special=special, normalized=False) for one, its in named if its == kind])


def _surround(tokenizer: Any, vocabulary: Vocabulary) -> None:
    """Put the tokens that the model expects around a text."""
    roles = _roles(vocabulary)
    bert = vocabulary.model == "bert"
    # Llama 3's texts begin with a BOS unless the header says otherwise.
    first = vocabulary.flag("add_bos_token", bert or vocabulary.pre == WHOLE_WORDS_FIRST)
    last = vocabulary.flag("add_eos_token", vocabulary.model == "t5")
    before = [roles.get("bos_token")] if first else []
    after = [roles.get("eos_token")] if last and not bert else []
    if bert:
        after = [roles.get("sep_token")]
    ids = [i for i in (*before, *after) if i is not None]
    if len(ids) != len(before) + len(after):
        raise damaged("bos_token_id, eos_token_id")
    if not ids:
        return
    names = {i: str(tokenizer.id_to_token(i)) for i in ids}
    # The library reads a colon or a dollar sign in a template as its own.
    if not all(re.fullmatch(r"[^\s:$]+", name) for name in names.values()):
        raise damaged("bos_token_id, eos_token_id")
    tokenizer.post_processor = need("tokenizers").processors.TemplateProcessing(
        single=[*(names[i] for i in before if i is not None), "$A"]
        + [names[i] for i in after if i is not None],
        special_tokens=[(name, i) for i, name in names.items()],
    )


def _unknown(kind: str) -> UsageError:
    return UsageError(
        t(
            "The tokenizer of this GGUF file ({kind}) cannot be rebuilt for this recipe: give the "
            "model's folder of safetensors, or choose GGUF recipes.",
            "Le tokenizer de ce fichier GGUF ({kind}) ne peut pas être reconstruit pour cette "
            "recette : donnez le dossier safetensors du modèle, ou choisissez des recettes GGUF.",
            kind=kind or "?",
        )
    )
