"""What is told of a file's tensors: shares, bits, departures from the recipe's name, back ends."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_slm.gguf_layout import Layout, Tensor
from edge_slm_quantize.gguf.census import bits_per_weight, fallbacks, matrices, shares
from edge_slm_quantize.gguf.hexagon import hexagon_share
from edge_slm_quantize.gguf.repack import repacked_shares
from edge_slm_quantize.gguf.types import NUMBERS, TYPES, Override, bytes_of

KINDS = [kind.name for kind in TYPES.values()]


def tensor(kind: str, row: int, rows: int = 64) -> Tensor:
    """Return a matrix, its bytes padded as a file has them."""
    size = bytes_of((row, rows), NUMBERS[kind])
    assert size
    return Tensor((row, rows), -(-size // 32) * 32, NUMBERS[kind])


def layout(**tensors: Tensor) -> Layout:
    """Return a layout of matrices, by the middle of their names."""
    return Layout({}, {f"blk.0.{name}.weight": one for name, one in tensors.items()})


def test_bits_and_shares_are_those_of_the_real_types() -> None:
    found = layout(a=tensor("Q4_0", 256), b=tensor("Q8_0", 256))
    assert bits_per_weight(found) == 6.5
    assert shares(found) == {"Q8_0": pytest.approx(34 / 52), "Q4_0": pytest.approx(18 / 52)}


@given(
    st.lists(st.tuples(st.sampled_from(KINDS), st.integers(1, 9), st.integers(1, 99)), min_size=1)
)
def test_shares_are_never_more_than_the_whole(kinds: list[tuple[str, int, int]]) -> None:
    found = layout(
        **{
            f"t{at}": tensor(kind, 256 * blocks, rows)
            for at, (kind, blocks, rows) in enumerate(kinds)
        }
    )
    assert sum(shares(found).values()) == pytest.approx(1)
    assert 0 <= hexagon_share(found).share <= 1 + 1e-9
    assert all(0 <= share <= 1 + 1e-9 for share in repacked_shares(found).values())
    for recipe in ("F16", "Q4_0", "Q4_K_M", "IQ4_XS"):
        fallbacks(found, recipe)


def test_a_wider_type_for_short_rows_is_told_with_its_count() -> None:
    found = layout(a=tensor("Q5_0", 576), b=tensor("Q8_0", 576), c=tensor("Q4_K", 512))
    (told,) = fallbacks(found, "Q4_K_M")
    assert re.search(r"256: 2 of 3, Q5_0, Q8_0\.$", told)


def test_rows_that_no_block_divides_are_told() -> None:
    (told,) = fallbacks(layout(a=tensor("F16", 48), b=tensor("Q4_0", 64)), "Q4_0")
    assert re.search(r"multiple of 32: 1 of 2, F16\.$", told)


def test_the_mixture_of_llama_cpp_is_told_where_the_name_does_not_announce_it() -> None:
    mixed = layout(ffn_down=tensor("Q4_1", 256), attn_q=tensor("Q4_0", 256))
    (told,) = fallbacks(mixed, "Q4_0")
    assert "1 of 2, Q4_1 (blk.0.ffn_down.weight)" in told
    assert fallbacks(layout(a=tensor("Q6_K", 256), b=tensor("Q4_K", 256)), "Q4_K_M") == ()


def test_a_type_that_was_asked_for_is_no_departure() -> None:
    found = layout(ffn_down=tensor("Q6_K", 256), attn_q=tensor("Q4_0", 256))
    assert fallbacks(found, "Q4_0", (Override("ffn_down", "Q6_K"),)) == ()
    short = layout(ffn_down=tensor("Q8_0", 96))
    assert fallbacks(short, "Q4_0", (Override("ffn_down", "Q6_K"),))


def test_a_table_that_is_only_looked_up_is_not_multiplied_with() -> None:
    table, head = tensor("Q6_K", 256), tensor("Q8_0", 256)
    tied = Layout({}, {"token_embd.weight": table})
    untied = Layout({}, {"token_embd.weight": table, "output.weight": head})
    assert set(matrices(tied)) == {"token_embd.weight"}
    assert set(matrices(untied)) == {"output.weight"}


def test_the_npu_takes_some_types_in_some_shapes() -> None:
    found = layout(
        a=tensor("Q4_0", 256), b=tensor("Q5_0", 256), c=tensor("IQ4_XS", 256), d=tensor("F16", 33)
    )
    share = hexagon_share(found)
    assert (share.tensors, share.of) == (2, 4)
    assert share.refused == {"Q5_0": 1, "IQ4_XS": 1}
    assert share.share == pytest.approx(64 * (144 + 66) / (64 * (144 + 66 + 176 + 136)))


def test_repacked_kernels_depend_on_type_rows_and_processor() -> None:
    def family(kind: str, rows: int) -> dict[str, float]:
        return repacked_shares(layout(a=tensor(kind, 256, rows)))

    arm = {"arm-dotprod": 1.0, "arm-i8mm": 1.0}
    assert family("Q4_0", 8) == {"x86-avx2": 1, "x86-avx512": 1, **arm}
    assert family("Q4_0", 4) == {"x86-avx2": 0, "x86-avx512": 0, **arm}
    assert family("Q8_0", 8) == {"x86-avx2": 0, "x86-avx512": 0, **arm}
    assert family("Q2_K", 8)["x86-avx512"] == 1
    assert family("Q2_K", 8)["x86-avx2"] == 0
    assert not any(family("Q5_0", 8).values())


def test_no_tensor_at_all_is_no_division_by_zero() -> None:
    empty = Layout({}, {})
    assert bits_per_weight(empty) == 0
    assert shares(empty) == {}
    assert hexagon_share(empty).share == 0
    assert set(repacked_shares(empty).values()) == {0}
