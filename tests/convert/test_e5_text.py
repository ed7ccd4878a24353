"""What the tokenizer is given: NFKC, single spaces, no invisible characters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_slm.engines.llama.e5_text import normalise


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        (" \u00a0\u202f\t\r\n\u200b\ufeff", ""),
        ("  deux   mots\n\tici ", "deux mots ici"),
        ("2,88\u00a0€ à 9\u202fh", "2,88 € à 9 h"),
        ("de\u0301cide\u0301", "décidé"),  # decomposed, as a PDF made on a Mac has it
        ("l’œuvre d'Ève", "l’œuvre d'Ève"),
        ("ﬁn… ½ nº ①", "fin... 1⁄2 no 1"),
        ("ＡＢＣ ｶﾞ ～", "ABC ガ ～"),
        ("a\x00b\x07c\x7fd", "abcd"),
        ("zéro\u200bun\u2028deux▁trois\ufffdquatre", "zéro un deux trois quatre"),
        ("a\ud800b", "ab"),
        ("🎉 我 كم", "🎉 我 كم"),
    ],
)
def test_known_texts(text: str, expected: str) -> None:
    assert normalise(text) == expected


@given(st.text(st.characters(codec=None)))
def test_a_second_pass_changes_nothing_and_utf8_always_works(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once
    assert once.encode().decode() == once
    assert once == once.strip()
    assert "  " not in once


@given(st.text(st.characters(codec="ascii", min_codepoint=33, max_codepoint=126)))
def test_visible_ascii_is_left_alone(text: str) -> None:
    assert normalise(text) == text
