"""Tiny models with random weights as Hugging Face folders, with a tokenizer."""

import re
from pathlib import Path
from typing import Any

from edge_slm_quantize.recipe import Task
from edge_slm_quantize.records import Order, Source, Target, Texts

WORDS = 300
SPECIAL = (
    *("[PAD]", "[UNK]", "<|endoftext|>", "<|startoftranscript|>", "<|en|>", "<|fr|>"),
    *("<|translate|>", "<|transcribe|>", "<|notimestamps|>"),
)
TARGET = Target(
    id="bench",
    title="A bench",
    titre="Un banc",
    formats=("onnx",),
    ram=10**9,
    disk=10**9,
    recipes={},
    gate={},
)


def tiny(folder: Path, architecture: str) -> Source:
    """Write a model of two layers, 64 wide, and return it as an opened source."""
    import torch
    import transformers as hf

    torch.manual_seed(0)
    count = WORDS + len(SPECIAL)
    classes = {
        "llama": (hf.LlamaForCausalLM, _llama(count)),
        "bert": (hf.BertModel, _bert(count)),
        "whisper": (hf.WhisperForConditionalGeneration, _whisper(count)),
        "marian": (hf.MarianMTModel, _marian(count)),
    }
    kind, config = classes[architecture]
    model = kind(config)
    model.save_pretrained(folder)
    write_tokenizer(folder / "tokenizer.json")
    tasks: dict[str, Task] = {
        "llama": "chat",
        "bert": "embed",
        "whisper": "speech",
        "marian": "translate",
    }
    return Source(
        name=f"tiny-{architecture}",
        task=tasks[architecture],
        architecture=architecture,
        format="safetensors",
        path=str(folder),
        sha256="a" * 64,
        quantisation=None,
        parameters=sum(one.numel() for one in model.parameters()),
        context=128,
    )


def an_order(folder: Path, source: Source, recipe: str, *metrics: str, texts: int = 12) -> Order:
    """Return an order with texts of known words."""
    calibration = tuple(sentence(at) for at in range(texts))
    evaluation = tuple(sentence(100 + at) for at in range(60))
    return Order(
        recipe=recipe,
        source=source,
        target=TARGET,
        folder=str(folder),
        texts=Texts(
            calibration=calibration, evaluation=evaluation, sha256="b" * 64, origin="a test"
        ),
        metrics=metrics,
        tokens=1024,
        threads=1,
    )


def sentence(seed: int, words: int = 40) -> str:
    """Return words of the tiny vocabulary, always the same for a seed."""
    return " ".join(f"w{(seed * 7919 + at * at * 31) % WORDS}" for at in range(words))


def write_tokenizer(path: Path) -> None:
    """Write a tokenizer of whole words."""
    from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers

    words = {name: number for number, name in enumerate(SPECIAL[:2])}
    words |= {f"w{number}": len(words) + number for number in range(WORDS)}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    # After the words, as Whisper has them.
    tokenizer.add_special_tokens([AddedToken(name, special=True) for name in SPECIAL[2:]])
    tokenizer.save(str(path))


def _llama(count: int) -> Any:
    from transformers import LlamaConfig

    return LlamaConfig(
        vocab_size=count,
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=1024,
        tie_word_embeddings=True,
    )


def _bert(count: int) -> Any:
    from transformers import BertConfig

    return BertConfig(
        vocab_size=count,
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=128,
    )


def _whisper(count: int) -> Any:
    from transformers import WhisperConfig

    end = count - len(SPECIAL) + SPECIAL.index("<|endoftext|>")
    return WhisperConfig(
        vocab_size=count,
        d_model=64,
        encoder_layers=2,
        decoder_layers=2,
        encoder_attention_heads=4,
        decoder_attention_heads=4,
        encoder_ffn_dim=128,
        decoder_ffn_dim=128,
        num_mel_bins=80,
        max_source_positions=1500,
        max_target_positions=448,
        pad_token_id=0,
        bos_token_id=end,
        eos_token_id=end,
        decoder_start_token_id=end + 1,
    )


def _marian(count: int) -> Any:
    from transformers import MarianConfig

    return MarianConfig(
        vocab_size=count,
        d_model=64,
        encoder_layers=2,
        decoder_layers=2,
        encoder_attention_heads=4,
        decoder_attention_heads=4,
        encoder_ffn_dim=128,
        decoder_ffn_dim=128,
        max_position_embeddings=128,
        pad_token_id=0,
        eos_token_id=2,
        decoder_start_token_id=0,
    )


def words_of(text: str) -> list[int]:
    """Return the tokens of a `sentence`."""
    return [2 + int(number) for number in re.findall(r"w(\d+)", text)]
