"""Bytes a token, bandwidth, and the share of it that decoding uses."""

import pytest

from edge_slm.bench.runtime.roofline import (
    Bandwidth,
    bytes_per_token,
    copy_bandwidth,
    fraction,
    kv_numbers_per_token,
)
from edge_slm.gguf_layout import Layout, Tensor, Value, read_layout
from edge_slm.store import Store

FIELDS: dict[str, Value] = {
    "general.architecture": "tiny",
    "tiny.block_count": 2,
    "tiny.embedding_length": 8,
    "tiny.attention.head_count": 4,
    "tiny.attention.head_count_kv": 2,
}
TABLE, LAYER, OUTPUT = Tensor((8, 50), 800), Tensor((8, 8), 128), Tensor((8, 50), 400)


def test_a_table_that_also_writes_is_read_whole() -> None:
    tied = Layout(FIELDS, {"token_embd.weight": TABLE, "blk.0.attn_q.weight": LAYER})
    assert bytes_per_token(tied, 0) == 928


def test_a_table_that_only_reads_costs_one_row() -> None:
    untied = Layout(
        FIELDS, {"token_embd.weight": TABLE, "blk.0.attn_q.weight": LAYER, "output.weight": OUTPUT}
    )
    assert bytes_per_token(untied, 0) == 800 // 50 + 128 + 400


def test_keys_and_values_grow_with_the_text() -> None:
    layout = Layout(FIELDS, {"blk.0.attn_q.weight": LAYER})
    assert kv_numbers_per_token(layout) == 2 * 2 * (2 + 2)  # layers, heads, keys and values
    assert bytes_per_token(layout, 100) == 128 + 100 * 16 * 2
    assert bytes_per_token(layout, 100, 34 / 32) == 128 + 100 * 16 * 34 // 32


def test_heads_told_layer_by_layer_and_sizes_of_their_own() -> None:
    fields: dict[str, Value] = {
        **FIELDS,
        "tiny.attention.head_count_kv": (1, 3),
        "tiny.attention.key_length": 5,
        "tiny.attention.value_length": 7,
    }
    assert kv_numbers_per_token(Layout(fields, {})) == (1 + 3) * (5 + 7)


def test_a_header_without_figures_reads_no_keys() -> None:
    assert kv_numbers_per_token(Layout({}, {})) == 0


@pytest.mark.parametrize("threads", [1, 2])
def test_the_bandwidth_of_a_copy(threads: int) -> None:
    bandwidth = copy_bandwidth(threads, size=1 << 20, repeats=3)
    assert 0 < bandwidth.median <= bandwidth.best
    assert bandwidth.threads == threads


def test_the_fraction_is_bytes_read_over_bytes_deliverable() -> None:
    assert fraction(10.0, 500_000_000, Bandwidth(20e9, 21e9, 2)) == pytest.approx(0.25)


@pytest.mark.model
def test_a_real_model_reads_its_weights_once() -> None:
    layout = read_layout(Store().path("qwen2.5-coder-0.5b-instruct-q4_k_m"))
    assert 0.75 < bytes_per_token(layout, 0) / 485_452_288 < 0.85  # less the table of 93 MB
