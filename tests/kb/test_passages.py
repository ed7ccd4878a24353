"""Cutting into passages: never too long, nothing lost, page and section kept."""

from itertools import groupby

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from edge_slm.kb.documents import Block, Document
from edge_slm.kb.passages import LONGEST, TARGET, Passage, split

WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
PROSE = st.lists(
    st.sampled_from(["Le congé", "est", "de 25 jours.", "Voir (L. 1)", "\n", "\n\n", " ", ";", "«"])
    | WORDS,
    max_size=40,
).map(" ".join)
LINES = st.lists(WORDS, max_size=20).map("\n".join)
BLOCKS = st.builds(
    Block, PROSE | LINES, st.integers(1, 3), st.sampled_from(["", "Droits", "Droits > Congés"])
)
DOCUMENTS = st.lists(BLOCKS, max_size=8).map(lambda blocks: Document("a", "A", tuple(blocks)))


def bare(text: str) -> str:
    return "".join(text.split())


def by_place(passages: list[Passage]) -> list[tuple[int, str, str]]:
    groups = groupby(passages, lambda passage: (passage.page, passage.section))
    return [(*place, bare("".join(passage.text for passage in some))) for place, some in groups]


@given(DOCUMENTS, st.integers(20, 80), st.integers(0, 60))
@example(Document("a", "A", (Block("mot\n" + "\n" * 300 + "fin", 1, ""),)), 40, 20)
@example(Document("a", "A", (Block("x" * 500, 1, ""),)), 40, 0)
@example(Document("a", "A", (Block("x" + " " * 500 + "y", 1, ""),)), 40, 0)
def test_no_passage_is_too_long_and_no_word_is_lost(
    document: Document, target: int, more: int
) -> None:
    longest = target + more
    passages = split(document, target, longest)
    assert all(0 < len(passage.text) <= longest for passage in passages)
    assert all(passage.text.strip() for passage in passages)
    filled = [block for block in document.blocks if block.text.strip()]
    # A table's first row and a list's lead-in are repeated.
    if not any(" | " in block.text or ":" in block.text for block in filled):
        whole = [Passage(block.text, block.page, block.section) for block in filled]
        assert by_place(passages) == by_place(whole)


@given(DOCUMENTS)
def test_the_default_limit_holds(document: Document) -> None:
    assert all(len(passage.text) <= LONGEST for passage in split(document))
    assert split(document) == split(document)


def test_limits_make_sense() -> None:
    assert 0 < TARGET <= LONGEST


def test_a_passage_stays_in_its_page_and_section() -> None:
    places = [(1, "A"), (1, "B"), (2, "B"), (2, "B"), (3, "")]
    blocks = tuple(Block(f"bloc {n}", page, section) for n, (page, section) in enumerate(places))
    found = split(Document("a", "A", blocks))
    assert [(p.text, p.page, p.section) for p in found] == [
        ("bloc 0", 1, "A"),
        ("bloc 1", 1, "B"),
        ("bloc 2\nbloc 3", 2, "B"),
        ("bloc 4", 3, ""),
    ]


def test_short_blocks_are_gathered_and_a_full_passage_is_closed() -> None:
    blocks = tuple(Block(f"{n} " + "x" * 28, 1, "") for n in range(6))
    found = split(Document("a", "A", blocks), target=60, longest=100)
    assert [len(passage.text.splitlines()) for passage in found] == [2, 2, 2]


def test_a_long_paragraph_is_cut_at_sentences() -> None:
    text = " ".join(f"Phrase numéro {n} du règlement." for n in range(60))
    found = split(Document("a", "A", (Block(text, 1, ""),)), target=200, longest=250)
    assert len(found) > 1
    assert all(passage.text.startswith("Phrase") for passage in found)
    assert all(passage.text.endswith(".") for passage in found)


def test_a_cut_table_repeats_its_first_row() -> None:
    rows = ["Cas | Durée | Article", *(f"Enfant {n} | {n} jours | L. {n}" for n in range(200))]
    found = split(Document("a", "A", (Block("\n".join(rows), 1, ""),)))
    assert len(found) > 1
    assert all(passage.text.startswith(rows[0] + "\n") for passage in found)
    assert [row for p in found for row in p.text.splitlines()[1:]] == rows[1:]
    assert all(len(passage.text) <= LONGEST for passage in found)


@pytest.mark.parametrize("header", ["a" * 600 + " | b", "x | y"])
def test_a_table_with_rows_of_any_length_stays_within_the_limit(header: str) -> None:
    rows = [header, *(f"{'mot ' * 700}| fin {n}" for n in range(3))]
    found = split(Document("a", "A", (Block("\n".join(rows), 1, ""),)))
    assert all(0 < len(passage.text) <= LONGEST for passage in found)
    assert sum(passage.text.count("mot") for passage in found) == 2100


def test_a_document_without_text_has_no_passage() -> None:
    assert split(Document("a", "A", ())) == []
    assert split(Document("a", "A", (Block(" \n\t", 1, ""),))) == []


def items(count: int) -> str:
    return "\n".join(f"- Le cas numéro {number} donne droit à un jour." for number in range(count))


def test_a_list_stays_with_the_line_that_announces_it() -> None:
    lead = "Un jour est accordé dans les cas suivants :"
    before = "Une règle générale du service. " * 25
    blocks = (Block(before, 1, ""), Block(lead, 1, ""), Block(items(8), 1, ""))
    texts = [passage.text for passage in split(Document("a", "A", blocks))]
    assert texts == [before.strip(), f"{lead}\n{items(8)}"]


def test_each_piece_of_a_long_list_repeats_its_lead_in() -> None:
    lead = "Le service accorde un jour. Les cas sont les suivants :"
    blocks = (Block(lead, 1, ""), Block(items(60), 1, ""))
    texts = [passage.text for passage in split(Document("a", "A", blocks))]
    assert len(texts) > 1
    assert texts[0].startswith(lead)
    assert all(text.startswith("Les cas sont les suivants :\n- ") for text in texts[1:])
    shown = [line for text in texts for line in text.splitlines() if line.startswith("- ")]
    assert shown == items(60).splitlines()


def test_each_piece_of_a_long_table_repeats_its_lead_in_and_its_header() -> None:
    rows = [f"Grade {number} | {number} jours" for number in range(200)]
    blocks = (Block("Les droits sont :", 1, ""), Block("\n".join(["Grade | Droits", *rows]), 1, ""))
    texts = [passage.text for passage in split(Document("a", "A", blocks))]
    assert len(texts) > 2
    assert all(text.startswith("Les droits sont :\nGrade | Droits\nGrade ") for text in texts)
    assert max(map(len, texts)) < 1.5 * min(map(len, texts))


def test_a_short_table_is_never_cut() -> None:
    table = "\n".join(["Grade | Droits", *(f"Grade {n} | {n} jours" for n in range(30))])
    blocks = (Block("Une phrase du service. " * 30, 1, ""), Block(table, 1, ""))
    texts = [passage.text for passage in split(Document("a", "A", blocks))]
    assert table in texts


def test_a_header_too_long_to_repeat_is_left_out() -> None:
    header = "Un titre de colonne fort long " * 20 + "| Autre"
    table = "\n".join([header, *(f"Grade {n} | {n} jours" for n in range(100))])
    texts = [passage.text for passage in split(Document("a", "A", (Block(table, 1, ""),)))]
    assert all(len(text) <= LONGEST for text in texts)
    assert sum(header.strip() in text for text in texts) == 1


def test_a_lead_in_at_the_end_stays() -> None:
    blocks = (Block("Voir :", 1, ""), Block("Voir aussi :", 1, ""))
    assert [passage.text for passage in split(Document("a", "A", blocks))] == [
        "Voir :\nVoir aussi :"
    ]
