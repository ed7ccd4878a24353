"""The attention sink: it saves what a massive activation ruins, and survives its file."""

from pathlib import Path

import numpy as np
import pytest

from edge_slm.errors import IntegrityError
from edge_slm_quantize.measure.divergence import divergences
from edge_slm_quantize.npu import feeds, sink, static_decoder
from edge_slm_quantize.npu.judge_decoder import scored
from edge_slm_quantize.npu.qdq import quantise
from edge_slm_quantize.onnx.sessions import session
from edge_slm_quantize.sources import tokenizers
from tests.quantize.npu.small import LINES, SEQUENCE, small_decoder

pytest.importorskip("torch", reason="the extra quantize is not installed")


def test_divergence_falls_when_the_first_token_stays_out_of_the_graph(tmp_path: Path) -> None:
    source = small_decoder(tmp_path / "model", outlier=True)
    model = static_decoder.open_decoder(source)
    kld = {}
    for number in (0, 1):
        first = sink.compute(model, number)
        plain, small = tmp_path / f"{number}.onnx", tmp_path / f"{number}.q.onnx"
        static_decoder.export_decoder(model, SEQUENCE, number, plain)
        windows = feeds.windows(tokenizers.load(source / tokenizers.FILE), LINES, SEQUENCE, 40)
        if not number:  # a text begins with the token that the sink holds otherwise
            windows = [[0, *ids[:-1]] for ids in windows]
        quantise(plain, [feeds.reading_feed(ids, first) for ids in windows[:8]], small)
        rows = [
            np.concatenate(list(scored(session(one, 1), windows[8:16], first)))
            for one in (plain, small)
        ]
        kld[number] = float(divergences(*rows).mean())
    assert kld[1] < kld[0] / 20


def test_a_sink_survives_its_file(decoder: Path, tmp_path: Path) -> None:
    made = sink.compute(static_decoder.open_decoder(decoder), 2)
    sink.write(made, tmp_path / "sink.npz")
    found = sink.read(tmp_path / "sink.npz")
    assert found.tokens == made.tokens == (0, 0)
    assert list(found.past) == ["past_k_0", "past_v_0", "past_k_1", "past_v_1"]
    for name, value in made.past.items():
        assert value.shape == (1, 2, 2, 16)
        assert np.array_equal(found.past[name], value)
    tables = (found.rotary.tables(3, 4), made.rotary.tables(3, 4))
    assert all(np.array_equal(tables[0][name], tables[1][name]) for name in ("cos", "sin"))


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 cut", b"\x00" * 300, b"\x93NUMPY\x01\x00"])
def test_a_damaged_sink_is_one_sentence(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "sink.npz").write_bytes(damage)
    with pytest.raises(IntegrityError, match=r"sink\.npz"):
        sink.read(tmp_path / "sink.npz")
