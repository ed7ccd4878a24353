"""Tiny Whisper and Marian models with random weights, as Hugging Face folders."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

WORDS = ("▁la", "▁ville", "▁est", "▁grande", "▁the", "▁city", "▁is", "▁big", "▁", "e", "s", "a")
SPECIAL = (
    *("<|endoftext|>", "<|startoftranscript|>", "<|en|>", "<|fr|>", "<|translate|>"),
    *("<|transcribe|>", "<|startoflm|>", "<|startofprev|>", "<|nospeech|>", "<|notimestamps|>"),
)
TIMES = 1501  # 0 to 30 s, a token each 20 ms


def whisper(folder: Path, *, half: bool = False, seed: int = 0, bands: int = 80) -> Path:
    """Write a Whisper of two layers and hidden size 64, whose tokens are bytes, and return it."""
    torch = pytest.importorskip("torch", reason="the extra quantize is not installed")
    transformers = pytest.importorskip("transformers", reason="the extra quantize is not installed")
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(seed)
    size = _byte_tokenizer(folder)
    shape = {f"{side}_{name}": n for side in ("encoder", "decoder") for name, n in _SIDE.items()}
    config = transformers.WhisperConfig(
        vocab_size=size,
        num_mel_bins=bands,
        d_model=64,
        max_source_positions=1500,
        max_target_positions=64,
        max_length=64,
        **dict.fromkeys(("bos_token_id", "eos_token_id", "pad_token_id"), 256),
        decoder_start_token_id=257,
        suppress_tokens=[1, 2],
        begin_suppress_tokens=[32, 256],
        **shape,
    )
    model = transformers.WhisperForConditionalGeneration(config)
    # Else it is derived anew from config.json when the folder is opened.
    model.generation_config._from_model_config = False
    model.generation_config.suppress_tokens = [1, 2]
    model.generation_config.begin_suppress_tokens = [32, 256]
    model.generation_config.alignment_heads = [[1, 0]]
    model.generation_config.lang_to_id = {"<|en|>": 258, "<|fr|>": 259}
    (model.half() if half else model).save_pretrained(folder)
    return folder


_SIDE = {"layers": 2, "attention_heads": 2, "ffn_dim": 96}


def _byte_tokenizer(folder: Path) -> int:
    import tokenizers

    letters = tokenizers.pre_tokenizers.ByteLevel.alphabet()
    model = tokenizers.models.BPE({one: n for n, one in enumerate(sorted(letters))}, [])
    found = tokenizers.Tokenizer(model)
    found.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    found.decoder = tokenizers.decoders.ByteLevel()
    found.add_special_tokens(list(SPECIAL))
    found.add_tokens([f"<|{number * 0.02:.2f}|>" for number in range(TIMES)])
    found.save(str(folder / "tokenizer.json"))
    said = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": 64}
    said |= dict.fromkeys(("bos_token", "eos_token", "unk_token", "pad_token"), SPECIAL[0])
    (folder / "tokenizer_config.json").write_text(json.dumps(said))
    return int(found.get_vocab_size())


def marian(folder: Path) -> Path:
    """Write a Marian of two layers, from French to English, and return it."""
    torch = pytest.importorskip("torch", reason="the extra quantize is not installed")
    transformers = pytest.importorskip("transformers", reason="the extra quantize is not installed")
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    for side in ("source", "target"):
        _pieces(folder / f"{side}.spm")
    tokens = ["</s>", "<unk>", *WORDS, "<pad>"]
    (folder / "vocab.json").write_text(json.dumps({word: n for n, word in enumerate(tokens)}))
    said = {"source_lang": "fr", "target_lang": "en", "tokenizer_class": "MarianTokenizer"}
    (folder / "tokenizer_config.json").write_text(json.dumps(said))
    config = transformers.MarianConfig(
        vocab_size=len(tokens),
        d_model=64,
        max_position_embeddings=512,
        max_length=16,
        activation_function="swish",
        eos_token_id=0,
        forced_eos_token_id=0,
        pad_token_id=len(tokens) - 1,
        decoder_start_token_id=len(tokens) - 1,
        scale_embedding=True,
        **{f"{side}_{name}": n for side in ("encoder", "decoder") for name, n in _SIDE.items()},
    )
    transformers.MarianMTModel(config).save_pretrained(folder)
    return folder


def _pieces(path: Path) -> None:
    import sentencepiece
    from sentencepiece import sentencepiece_model_pb2 as proto

    model: Any = proto.ModelProto()
    rows = [("<unk>", 0.0, 2), ("<s>", 0.0, 3), ("</s>", 0.0, 3)]
    rows += [(word, -float(n), 1) for n, word in enumerate(WORDS)]
    for piece, score, kind in rows:
        model.pieces.add(piece=piece, score=score, type=kind)
    model.trainer_spec.model_type = 1
    path.write_bytes(model.SerializeToString())
    sentencepiece.SentencePieceProcessor(model_file=str(path))


def tensors(path: Path) -> dict[str, np.ndarray[Any, Any]]:
    """Return the tensors of a safetensors file."""
    from safetensors.numpy import load_file

    return dict(load_file(path))
