"""Static graphs compute what transformers computes."""

from pathlib import Path

import numpy as np
import pytest

from edge_slm.errors import UsageError
from edge_slm_quantize.measure.vectors import cosines
from edge_slm_quantize.npu import feeds, sink, static_decoder, static_encoder
from edge_slm_quantize.npu.judge_encoder import vectors
from edge_slm_quantize.npu.qdq import prepare, quantise
from edge_slm_quantize.onnx.sessions import session
from edge_slm_quantize.sources import tokenizers
from tests.quantize.npu.small import LINES, SEQUENCE, small_decoder, small_encoder

torch = pytest.importorskip("torch", reason="the extra quantize is not installed")


@pytest.mark.parametrize("kind", ["bert", "xlm-roberta"])
def test_an_encoder_s_graph_gives_transformers_states(tmp_path: Path, kind: str) -> None:
    source = small_encoder(tmp_path / "model", kind)
    path = tmp_path / "encoder.onnx"
    made = static_encoder.export_encoder(source, SEQUENCE, path)
    assert made.difference < 1e-4
    assert made.shapes == {"input_ids": (1, SEQUENCE), "attention_mask": (1, SEQUENCE)}
    words = tokenizers.load(source / tokenizers.FILE)
    feed = feeds.encoder_feeds(words, [LINES[0][:9]], SEQUENCE)[0]
    import transformers

    model = transformers.AutoModel.from_pretrained(source)
    with torch.no_grad():
        theirs = model(**{name: torch.from_numpy(value) for name, value in feed.items()})
    (ours,) = session(path, 1).run(["hidden"], feed)
    assert np.abs(ours - theirs.last_hidden_state.numpy())[0, :9].max() < 1e-4


@pytest.mark.parametrize("kind", ["llama", "qwen2"])
@pytest.mark.parametrize(("sequence", "past"), [(16, 1), (1, 15), (16, 0)])
def test_a_decoder_gives_transformers_logits(
    tmp_path: Path, kind: str, sequence: int, past: int
) -> None:
    model = static_decoder.open_decoder(small_decoder(tmp_path / kind, kind))
    assert static_decoder.difference(model, sequence, past) < 1e-4


def test_reading_then_writing_gives_what_reading_all_gives(decoder: Path, tmp_path: Path) -> None:
    """The host's tables, masks and padded keys are those that the graphs were written for."""
    model = static_decoder.open_decoder(decoder)
    first = sink.compute(model, 1)
    room = SEQUENCE - 1
    static_decoder.export_decoder(model, SEQUENCE, 1, tmp_path / "read.onnx")
    static_decoder.export_decoder(model, 1, room, tmp_path / "write.onnx")
    reads, writes = (session(tmp_path / f"{one}.onnx", 1) for one in ("read", "write"))
    ids = feeds.windows(tokenizers.load(decoder / tokenizers.FILE), LINES, SEQUENCE, 1)[0]
    logits, *values = reads.run(None, feeds.reading_feed(ids, first))
    new = dict(zip([one.name for one in reads.get_outputs()][1:], values, strict=True))
    with torch.no_grad():
        theirs = model(torch.tensor([[0, *ids]])).logits.numpy()[:, 1:]
    assert np.abs(logits - theirs).max() < 1e-4
    for at in feeds.places(SEQUENCE, 1):
        (row,) = writes.run(["logits"], feeds.writing_feed(ids, at, new, first, room))
        assert np.abs(row[0, 0] - logits[0, at]).max() < 1e-4


def test_a_mask_of_the_lowest_float_ruins_what_100_keeps(encoder: Path, tmp_path: Path) -> None:
    words = tokenizers.load(encoder / tokenizers.FILE)
    inputs = feeds.encoder_feeds(words, [line[:12] for line in LINES], SEQUENCE)
    near = {}
    for blocked in (-100.0, float(np.finfo(np.float32).min)):
        raw, ready, small = (tmp_path / f"{one}{blocked}.onnx" for one in ("raw", "ready", "q"))
        static_encoder.export_encoder(encoder, SEQUENCE, raw, blocked)
        prepare(raw, ready)
        quantise(ready, inputs[:20], small)
        found = [vectors(session(one, 1), inputs[20:], "mean") for one in (ready, small)]
        near[blocked] = float(cosines(*found).mean())
    repaired, lowest = near.values()
    assert repaired > 0.99
    assert lowest < 0.9


def test_a_model_of_another_kind_is_refused_in_a_sentence(decoder: Path, encoder: Path) -> None:
    with pytest.raises(UsageError, match="bert"):
        static_decoder.open_decoder(encoder)
    with pytest.raises(UsageError, match="llama"):
        static_encoder.export_encoder(decoder, SEQUENCE, decoder / "never.onnx")
    with pytest.raises(UsageError, match="64"):
        static_encoder.export_encoder(encoder, 128, encoder / "never.onnx")
    assert not (encoder / "never.onnx").exists()
