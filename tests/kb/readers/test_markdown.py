"""Markdown: front matter, sections, lists, tables, code, embedded HTML."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from edge_slm.kb.readers.cleaning import clean
from edge_slm.kb.readers.markdown import markdown_blocks, split_front_matter

from .builders import read_one, texts, write

FULL = """\
---
title: "Congés annuels"
date: 01/09/2024
licence: CC0-1.0
url: https://exemple.fr/conges
tags:
  - rh
---
# Congés

Les agents ont **25 jours** de [congés](https://x.fr), soit `5 × 5`,
chaque année.<br>Sauf M. <Nom>.

Durée
-----

| Quotité | Jours |
|---|---|
| 100 % | **25** |
| 80 % | 20 |

### Détail

- un
  - un bis
- deux

  suite de deux

1. premier

```
a  =  1
  b
```

## Pose

> **Attention :** avant le 1er mai.
"""


def test_a_whole_document(tmp_path: Path) -> None:
    document = read_one(write(tmp_path, "conges.md", FULL))
    assert document.name == "conges.md"
    assert document.title == "Congés annuels"
    assert (document.date, document.licence) == ("2024-09-01", "CC0-1.0")
    assert document.origin == "https://exemple.fr/conges"
    assert [(block.section, block.text) for block in document.blocks] == [
        (
            "",
            "Les agents ont 25 jours de congés, soit 5 × 5, chaque année. Sauf M. <Nom>.",
        ),
        ("Durée", "Quotité | Jours\n100 % | 25\n80 % | 20"),
        ("Durée > Détail", "- un\n- un bis\n- deux suite de deux"),
        ("Durée > Détail", "- premier"),
        ("Durée > Détail", "a  =  1\n  b"),
        ("Pose", "Attention : avant le 1er mai."),
    ]
    assert {block.page for block in document.blocks} == {1}


def test_without_front_matter_the_first_heading_is_the_title(tmp_path: Path) -> None:
    document = read_one(write(tmp_path, "a.md", "# Un\n\na\n\n# Deux\n\nb"))
    assert document.title == "Un"
    assert [block.section for block in document.blocks] == ["", "Deux"]
    assert document.origin == str(tmp_path / "a.md")


def test_without_any_heading_the_file_name_is_the_title(tmp_path: Path) -> None:
    assert read_one(write(tmp_path, "a.md", "bonjour")).title == "a.md"


def test_a_text_of_headings_only_gives_its_headings(tmp_path: Path) -> None:
    assert texts(read_one(write(tmp_path, "a.md", "# Un\n\n## Deux"))) == ["Un", "Deux"]


def test_a_rule_at_the_top_is_no_front_matter() -> None:
    text = "---\nUne phrase.\n---\nsuite"
    assert split_front_matter(text) == ({}, text)
    assert split_front_matter("---\ntitle: jamais fermé") == ({}, "---\ntitle: jamais fermé")


def test_html_within_markdown() -> None:
    text = "<div>\n<p>un</p>\n<script>secret()</script>\n</div>\n\n- <b>deux</b>\n"
    _, blocks = markdown_blocks(text, "x.md")
    assert [block.text for block in blocks] == ["un", "- deux"]


def test_unclosed_emphasis_leaves_no_stars_and_products_stay() -> None:
    _, blocks = markdown_blocks("le **syndicat **auquel\n\nsoit 2**3", "x.md")
    assert [block.text for block in blocks] == ["le syndicat auquel", "soit 2**3"]


def test_deep_quotes_and_lists_keep_their_text() -> None:
    for mark in ("> ", "- "):
        _, blocks = markdown_blocks(mark * 30 + "fond", "x.md")
        assert "fond" in blocks[0].text


WORDS = st.lists(
    st.text(st.characters(categories=["Lu", "Ll", "Nd"]), min_size=1, max_size=12),
    min_size=1,
    max_size=60,
)


@given(WORDS, st.lists(st.sampled_from([" ", "\n", "  ", " \n"]), min_size=60, max_size=60))
def test_every_word_of_a_paragraph_stays_in_order(words: list[str], gaps: list[str]) -> None:
    text = "".join(word + gap for word, gap in zip(words, gaps, strict=False))
    _, blocks = markdown_blocks(text, "x.md")
    assert [word for block in blocks for word in block.text.split()] == [
        cleaned for word in words for cleaned in clean(word).split()
    ]
