"""Tokenizers of GGUF files give llama.cpp's ids, or one sentence."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_slm import paths
from edge_slm.engines.llama.e5_text import normalise
from edge_slm.errors import EdgeSlmError, IntegrityError, UsageError
from edge_slm.gguf_layout import read_layout
from edge_slm_quantize.sources import tokenizers
from edge_slm_quantize.sources.vocabulary import read_vocabulary
from tests.quantize.sources.small_gguf import SAMPLES, llama_ids, vocabulary, write_gguf

pytest.importorskip("tokenizers")
_NAMED = "the </s> [SEP] <|im_start|> end"


def built(path: Path) -> Any:
    return tokenizers.build(read_vocabulary(path, read_layout(path)))


@pytest.mark.parametrize("pre", ["gpt-2", "smollm", "qwen2", "llama-bpe"])
def test_a_byte_level_vocabulary_gives_the_ids_of_llama_cpp(tmp_path: Path, pre: str) -> None:
    path = write_gguf(tmp_path / "v.gguf", "llama", vocabulary("gpt2", pre))
    tokenizer = built(path)
    assert [tokenizer.encode(text).ids for text in SAMPLES] == llama_ids(path, SAMPLES)
    assert tokenizer.decode(tokenizer.encode(SAMPLES[0]).ids) == SAMPLES[0]


def test_a_unigram_vocabulary_gives_the_ids_of_the_engine(tmp_path: Path) -> None:
    path = write_gguf(tmp_path / "v.gguf", "bert", vocabulary("t5", "default"))
    tokenizer = built(path)
    texts = [normalise(text) for text in SAMPLES]
    assert [tokenizer.encode(text).ids for text in SAMPLES] == llama_ids(path, texts)


@pytest.mark.parametrize("lower", [True, False])
def test_a_wordpiece_vocabulary_gives_the_ids_of_llama_cpp(tmp_path: Path, lower: bool) -> None:
    words = vocabulary("bert", "default") | {"normalizer.lowercase": lower}
    path = write_gguf(tmp_path / "v.gguf", "bert", words)
    # A word of more than 100 characters is unknown to BERT and cut by llama.cpp.
    texts = [text for text in SAMPLES if max(map(len, text.split()), default=0) <= 100]
    assert [built(path).encode(text).ids for text in texts] == llama_ids(path, texts)


@pytest.mark.parametrize("kind", ["gpt2", "t5", "bert"])
def test_names_of_control_tokens_can_be_read_as_text(tmp_path: Path, kind: str) -> None:
    path = write_gguf(tmp_path / "v.gguf", "bert", vocabulary(kind))
    tokenizer = built(path)
    assert [tokenizer.encode(_NAMED).ids] != llama_ids(path, [_NAMED])
    tokenizer.encode_special_tokens = True
    assert [tokenizer.encode(_NAMED).ids] == llama_ids(path, [_NAMED])


@settings(max_examples=200)
@given(st.text(max_size=60))
def test_unigram_text_is_normalised_as_the_engine_does(text: str) -> None:
    rules = tokenizers.normaliser()
    assert rules.normalize_str(text) == normalise(text)


_GPT2 = vocabulary("gpt2")
_T5 = vocabulary("t5")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({key: _GPT2[key] for key in _GPT2 if key != "merges"}, "merges"),
        ({key: _GPT2[key] for key in _GPT2 if key != "tokens"}, "tokens"),
        (_GPT2 | {"merges": ["no such"]}, "merges"),
        (_GPT2 | {"merges": ["nospace"]}, "merges"),
        (_GPT2 | {"tokens": [1, 2, 3]}, "tokens"),
        (_GPT2 | {"tokens": ["a", "a"], "token_type": [1, 1]}, "tokens"),
        (_GPT2 | {"token_type": [1, 1, 1]}, "token_type"),
        (_GPT2 | {"token_type": ["a", "b"]}, "token_type"),
        (_GPT2 | {"bos_token_id": 1 << 30, "add_bos_token": True}, "bos_token_id"),
        (_GPT2 | {"eos_token_id": "two"}, "eos_token_id"),
        (_T5 | {"scores": [1, 2]}, "scores"),
        (_T5 | {"scores": [float("nan")] * len(_T5["tokens"])}, "scores"),
        ({key: _T5[key] for key in _T5 if key != "scores"}, "scores"),
        ({key: _T5[key] for key in _T5 if key != "unknown_token_id"}, "unknown_token_id"),
        (_T5 | {"tokens": ["a b$", *_T5["tokens"][1:]]}, "bos_token_id"),
    ],
)
def test_a_damaged_vocabulary_is_named_in_one_sentence(
    tmp_path: Path, words: dict[str, Any], said: str
) -> None:
    path = write_gguf(tmp_path / "v.gguf", "llama", words)
    with pytest.raises(IntegrityError, match=said):
        built(path)


@pytest.mark.parametrize(
    "words",
    [
        _GPT2 | {"model": "llama"},
        _GPT2 | {"model": ""},
        _GPT2 | {"pre": "of-tomorrow"},
        _T5 | {"precompiled_charsmap": [1, 2, 3]},
    ],
)
def test_an_unknown_kind_of_vocabulary_says_what_to_do(
    tmp_path: Path, words: dict[str, Any]
) -> None:
    path = write_gguf(tmp_path / "v.gguf", "llama", words)
    with pytest.raises(UsageError, match="safetensors"):
        built(path)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_a_header_with_any_byte_changed_never_crashes(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("bytes")
    path = write_gguf(folder / "v.gguf", "bert", _T5)
    raw = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(4, len(raw) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(raw[: data.draw(st.integers(24, len(raw)))])
    try:
        assert built(path).encode("the capital").ids
    except EdgeSlmError as error:
        assert str(error)


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff\xfe", b'{"model": 3}', b"[" * 10_000])
def test_a_file_that_is_no_tokenizer_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / tokenizers.FILE
    path.write_bytes(content)
    with pytest.raises(IntegrityError, match="tokenizer"):
        tokenizers.load(path)
    path.unlink()
    with pytest.raises(IntegrityError, match="tokenizer"):
        tokenizers.load(path)


@pytest.mark.model
def test_the_multilingual_tokenizer_gives_the_ids_of_the_engine() -> None:
    name = "multilingual-e5-small-q4_0"
    path = paths.store_dir() / "models" / name / f"{name}.gguf"
    tokenizer = built(path)
    tokenizer.encode_special_tokens = True
    texts = [*SAMPLES, _NAMED]
    plain = [normalise(text) for text in texts]
    assert [tokenizer.encode(text).ids for text in texts] == llama_ids(path, plain)
