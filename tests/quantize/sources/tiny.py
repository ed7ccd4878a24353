"""Models of two layers with random weights, and tokenizers trained on a few lines, as folders."""

import json
from pathlib import Path
from typing import Any

LINES = [
    "La mairie ouvre à 9 h 30 ; l'état civil ferme à midi, le 12/07/2024.",
    "The office isn't open: we'll answer within 15 days, they've said so.",
    "def f(x):\n    return x ** 2  # 3.14159\n\n\n\tif x >= 1000:\n",
    "Numéro 12345678, prix 1 234,56 € — « très bien » ! 日本語 🙂",
] * 4

TEXTS = [
    *LINES[:4],
    "  two spaces,   three, and an end  ",
    "WE'LL DON'T They're 1 22 333 4444 55555\r\n\r\n x",
    "été ÉTÉ e\u0301te\u0301 naïve cœur",
    "a",
]
TEMPLATE = "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>{% endfor %}"
_WORDS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|DIGITS| ?[^\s\p{L}\p{N}]+[\r\n]*|"
    r"\s*[\r\n]+|\s+(?!\S)|\s+"
)
CUTS = ("gpt-2", "smollm", "qwen2", "llama-bpe")


def write_decoder(folder: Path, architecture: str = "Llama", **options: Any) -> Any:
    """Write a folder with a chat model of two layers; return the model."""
    import transformers as tf

    sizes: dict[str, Any] = {
        "vocab_size": 512,
        "hidden_size": 64,
        "intermediate_size": 96,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 512,
        "rope_theta": 5000.0,
        "tie_word_embeddings": True,
        "bos_token_id": 0,
        "eos_token_id": 1,
        "pad_token_id": 1,
    }
    config = getattr(tf, f"{architecture}Config")(**(sizes | options))
    return _written(getattr(tf, f"{architecture}ForCausalLM")(config), folder)


def write_encoder(folder: Path, architecture: str = "Bert", **options: Any) -> Any:
    """Write a folder with an embedding model of two layers; return the model."""
    import transformers as tf

    sizes: dict[str, Any] = {
        "vocab_size": 400,
        "hidden_size": 64,
        "intermediate_size": 96,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "max_position_embeddings": 130,
        "type_vocab_size": 2 if architecture == "Bert" else 1,
    }
    config = getattr(tf, f"{architecture}Config")(**(sizes | options))
    return _written(getattr(tf, f"{architecture}Model")(config), folder)


def _written(model: Any, folder: Path) -> Any:
    import torch

    torch.manual_seed(7)
    for name, weight in model.named_parameters():
        norm = "norm" in name.lower() and name.endswith("weight")
        torch.nn.init.normal_(weight.data, mean=1.0 if norm else 0.0, std=0.12)
    # What F16 cannot hold is another test's matter.
    model = model.half().float().eval()
    model.save_pretrained(folder)
    return model


def write_bytes_tokenizer(folder: Path, cut: str = "smollm", *, bos: bool = False) -> Any:
    """Write a byte-level BPE of at most 512 words, cut as llama.cpp's name says."""
    import tokenizers as tk

    tokenizer = tk.Tokenizer(tk.models.BPE(ignore_merges=cut == "llama-bpe"))
    steps: dict[str, list[Any]] = {
        "gpt-2": [],
        "smollm": [tk.pre_tokenizers.Digits(individual_digits=True)],
        "qwen2": [_split(tk, r"\p{N}")],
        "llama-bpe": [_split(tk, r"\p{N}{1,3}")],
    }
    last = tk.pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=cut in ("gpt-2", "smollm"))
    tokenizer.pre_tokenizer = tk.pre_tokenizers.Sequence([*steps[cut], last])
    tokenizer.decoder = tk.decoders.ByteLevel()
    trainer = tk.trainers.BpeTrainer(
        vocab_size=500,
        special_tokens=["<|im_start|>", "<|im_end|>"],
        initial_alphabet=tk.pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(LINES, trainer)
    tokenizer.add_tokens([tk.AddedToken("<tool>", special=False, normalized=False)])
    if bos:
        tokenizer.post_processor = tk.processors.TemplateProcessing(
            single="<|im_start|> $A", special_tokens=[("<|im_start|>", 0)]
        )
    roles = {"bos_token": "<|im_start|>", "eos_token": "<|im_end|>", "pad_token": "<|im_end|>"}
    return _saved(tokenizer, folder, roles | {"chat_template": TEMPLATE})


def _split(tk: Any, digits: str) -> Any:
    return tk.pre_tokenizers.Split(tk.Regex(_WORDS.replace("DIGITS", digits)), "isolated")


def write_wordpiece(folder: Path, *, lowercase: bool = True) -> Any:
    """Write a wordpiece tokenizer of at most 400 words."""
    import tokenizers as tk

    tokenizer = tk.Tokenizer(tk.models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = tk.normalizers.BertNormalizer(lowercase=lowercase)
    tokenizer.pre_tokenizer = tk.pre_tokenizers.BertPreTokenizer()
    names = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    trainer = tk.trainers.WordPieceTrainer(
        vocab_size=400, special_tokens=names, show_progress=False
    )
    tokenizer.train_from_iterator(LINES, trainer)
    tokenizer.post_processor = tk.processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    roles = ("pad_token", "unk_token", "cls_token", "sep_token", "mask_token")
    return _saved(tokenizer, folder, dict(zip(roles, names, strict=True)))


def write_unigram(folder: Path) -> Any:
    """Write a unigram tokenizer with the ids of XLM-RoBERTa's special tokens."""
    import tokenizers as tk

    tokenizer = tk.Tokenizer(tk.models.Unigram())
    rules = tk.normalizers
    tokenizer.normalizer = rules.Sequence(
        [rules.Nmt(), rules.NFKC(), rules.Replace(tk.Regex(r"\s+"), " "), rules.Strip()]
    )
    tokenizer.pre_tokenizer = tk.pre_tokenizers.Metaspace()
    tokenizer.decoder = tk.decoders.Metaspace()
    names = ["<s>", "<pad>", "</s>", "<unk>"]
    trainer = tk.trainers.UnigramTrainer(
        vocab_size=300, special_tokens=names, unk_token="<unk>", show_progress=False
    )
    tokenizer.train_from_iterator(LINES, trainer)
    tokenizer.post_processor = tk.processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    roles = {"bos_token": "<s>", "pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>"}
    return _saved(tokenizer, folder, roles | {"cls_token": "<s>", "sep_token": "</s>"})


def _saved(tokenizer: Any, folder: Path, config: dict[str, Any]) -> Any:
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(json.dumps(config), encoding="utf-8")
    return tokenizer


def edit(path: Path, **changes: Any) -> None:
    """Change keys of a JSON file; None removes one."""
    content = json.loads(path.read_text(encoding="utf-8")) | changes
    kept = {key: value for key, value in content.items() if value is not None}
    path.write_text(json.dumps(kept), encoding="utf-8")
