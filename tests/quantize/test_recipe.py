"""Names of recipes: what is read, in which writing it is kept, and what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_slm.errors import UsageError
from edge_slm_quantize.recipe import CT2, GGUF, ONNX, QNN, RKNN, TENSOR_TYPES, parse, parse_list

BASES = (*GGUF, *ONNX, *CT2, *QNN, *RKNN)


@pytest.mark.parametrize("name", BASES)
def test_a_name_is_found_whatever_its_case(name: str) -> None:
    assert parse(name.upper()).name == name
    assert parse(f" {name.lower()} ").name == name


def test_a_mix_has_its_matrix_and_its_types_in_order() -> None:
    recipe = parse("q4_0+ffn_down=q6_k+IMATRIX+output=Q8_0")
    assert recipe.name == "Q4_0+imatrix+ffn_down=Q6_K+output=Q8_0"
    assert recipe.overrides == (("ffn_down", "Q6_K"), ("output", "Q8_0"))
    assert recipe.imatrix
    assert recipe.slug == "q4_0-imatrix-ffn_down-q6_k-output-q8_0"


@given(
    st.sampled_from(GGUF),
    st.booleans(),
    st.lists(
        st.tuples(
            st.from_regex(r"[a-z0-9_.]{1,20}", fullmatch=True).filter(lambda x: x != "imatrix"),
            st.sampled_from(TENSOR_TYPES),
        ),
        max_size=4,
    ),
)
def test_a_canonical_name_reads_back(
    base: str, imatrix: bool, types: list[tuple[str, str]]
) -> None:
    name = "+".join([base, *["imatrix"][:imatrix], *(f"{a}={b}" for a, b in types)])
    recipe = parse(name)
    assert recipe.name == name
    assert parse(recipe.name) == recipe
    assert "," not in name


@given(st.text(max_size=60))
def test_any_other_text_is_refused_with_a_sentence(text: str) -> None:
    try:
        recipe = parse(text)
    except UsageError as error:
        assert "\n" not in str(error) or "\n" in text
    else:
        assert recipe.base in BASES


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Q4_KM", "Q4_K_M"),
        ("", "''"),
        ("Q4_0+", "''"),
        ("Q4_0+ffn=Q9", "ffn=Q9"),
        ("Q4_0+ffn/../x=Q8_0", "ffn/../x"),
        ("onnx-int8+imatrix", "imatrix"),
    ],
)
def test_a_refusal_names_what_is_wrong(name: str, said: str) -> None:
    with pytest.raises(UsageError, match=said.replace("+", r"\+").replace(".", r"\.")):
        parse(name)


def test_a_list_has_each_recipe_once_in_order() -> None:
    assert [one.name for one in parse_list("Q8_0, q4_0,,q8_0")] == ["Q8_0", "Q4_0"]
    with pytest.raises(UsageError, match="No recipe"):
        parse_list(" , ")
