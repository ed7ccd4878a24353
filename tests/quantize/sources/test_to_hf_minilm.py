"""The card of the float encoder, and its files in the store."""

import json
import math

import numpy as np
import pytest

from edge_slm import cards, paths
from edge_slm_quantize.sources import tokenizers
from edge_slm_quantize.sources.pooling import pooled, pooling_of
from edge_slm_quantize.sources.shards import read_header

_ID = "all-minilm-l6-v2"


def test_the_card_is_for_quantising_and_both_sources_give_its_files() -> None:
    card = cards.get_card(_ID)
    assert card.format == "safetensors"
    assert card.format not in cards.RUNNABLE
    assert card.task == "embed"
    assert card.embed is not None
    assert {type(source) for source in card.sources} == {cards.PackageSource, cards.HubSource}


@pytest.mark.model
def test_the_weights_are_floats_of_the_number_that_the_card_tells() -> None:
    card = cards.get_card(_ID)
    folder = paths.store_dir() / "models" / _ID
    tensors = read_header(folder / "model.safetensors").values()
    assert sum(math.prod(one.shape) for one in tensors if one.dtype == "F32") == card.parameters
    assert {one.dtype for one in tensors} == {"F32", "I64"}  # the integers are position numbers
    config = json.loads((folder / "config.json").read_text())
    assert card.embed is not None
    assert config["hidden_size"] == card.embed.dimensions
    told = json.loads((folder / "sentence_bert_config.json").read_text())
    assert told["max_seq_length"] == card.context
    assert pooling_of(folder) == "mean"


@pytest.mark.model
def test_sentences_of_one_meaning_are_near(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    folder = paths.store_dir() / "models" / _ID
    model = transformers.AutoModel.from_pretrained(folder, dtype=torch.float32)
    tokenizer = tokenizers.load(folder / tokenizers.FILE)
    texts = ("How many days of leave do I have?", "My yearly days off", "The pump is leaking.")
    vectors = []
    for text in texts:
        ids = tokenizer.encode(text).ids
        assert len(ids) < 20  # the file asks for 128, padded
        with torch.no_grad():
            hidden = model(torch.tensor([ids])).last_hidden_state[0].numpy()
        vectors.append(pooled(hidden, np.ones(len(ids), np.int64)))
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2] + 0.2
