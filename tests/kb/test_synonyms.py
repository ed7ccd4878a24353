"""A base's own synonyms: kept with the base, changed all or none."""

import sqlite3
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_slm.errors import EdgeSlmError, IntegrityError, UsageError
from edge_slm.kb import synonyms
from edge_slm.kb.base import KnowledgeBase
from edge_slm.kb.search import search
from edge_slm.kb.vocabulary import Synonym, expanded
from tests.fakes import FakeEmbedder
from tests.kb.samples import LEAVE, MEALS, document

BREAK = Synonym("la pause du bureau", "cantine du siège")


def test_a_synonym_is_kept_in_the_file(base: KnowledgeBase) -> None:
    assert synonyms.synonyms_of(base) == ()
    assert synonyms.add(base, [BREAK]) == (BREAK,)
    assert synonyms.add(base, [BREAK]) == ()
    with KnowledgeBase.open(base.path) as again:
        assert synonyms.synonyms_of(again) == (BREAK,)
    assert synonyms.remove(base, ["La Pause du bureau"]) == (BREAK,)
    assert synonyms.remove(base, ["autre"]) == ()
    assert synonyms.synonyms_of(base) == ()


def test_a_synonym_finds_what_its_words_find(base: KnowledgeBase, embedder: FakeEmbedder) -> None:
    base.add(document("conges.md", LEAVE), embedder)
    base.add(document("cantine.md", MEALS), embedder)
    synonyms.add(base, [Synonym("la popote", "cantine repas chauds")])
    assert search(base, embedder, "horaires de la popote").hits[0].document == "cantine.md"


@pytest.mark.parametrize("bad", [Synonym("", "a"), Synonym("a", " "), Synonym("?!", "a")])
def test_what_is_no_word_is_refused_and_nothing_is_kept(base: KnowledgeBase, bad: Synonym) -> None:
    with pytest.raises(UsageError):
        synonyms.add(base, [BREAK, bad])
    with pytest.raises(UsageError):
        synonyms.add(base, [Synonym("a" * 500, "b")])
    assert synonyms.synonyms_of(base) == ()


def test_there_is_a_limit(base: KnowledgeBase) -> None:
    many = [Synonym(f"mot{number}", "autre") for number in range(synonyms.MOST + 1)]
    with pytest.raises(UsageError):
        synonyms.add(base, many)
    assert len(synonyms.add(base, many[:-1])) == synonyms.MOST


def test_a_damaged_list_is_said(base: KnowledgeBase) -> None:
    with base.connection:
        base.connection.execute("INSERT INTO meta VALUES ('synonyms', '{not json')")
    with pytest.raises(IntegrityError):
        synonyms.synonyms_of(base)


def test_a_base_that_is_locked_is_said(base: KnowledgeBase) -> None:
    base.connection.execute("PRAGMA busy_timeout = 1")
    other = sqlite3.connect(base.path)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(EdgeSlmError):
        synonyms.add(base, [BREAK])
    other.close()
    assert synonyms.synonyms_of(base) == ()


@pytest.mark.parametrize(
    "content",
    [
        "la popote,cantine\n",
        "said;written\nla popote;cantine\n\n",
        "\ufeffdit\técrit\nla popote\tcantine",
    ],
)
def test_a_csv_file_is_read(tmp_path: Path, content: str) -> None:
    path = tmp_path / "mots.csv"
    path.write_text(content, encoding="utf-8")
    assert synonyms.read_csv(path) == [Synonym("la popote", "cantine")]


@pytest.mark.parametrize("content", [b"one column\n", b"a,b,c\n", b"a,\n", b"\x00\x01,\x02", b'"a'])
def test_a_bad_csv_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "mots.csv"
    path.write_bytes(content)
    with pytest.raises(UsageError):
        synonyms.read_csv(path)
    with pytest.raises(UsageError):
        synonyms.read_csv(tmp_path / "absent.csv")


def test_an_empty_csv_file_adds_nothing(tmp_path: Path) -> None:
    path = tmp_path / "mots.csv"
    path.write_text("", encoding="utf-8")
    assert synonyms.read_csv(path) == []


@pytest.mark.parametrize(
    ("question", "added"),
    [
        ("mon cet", "compte épargne-temps"),
        ("Le CET est-il plafonné", "compte épargne-temps"),
        ("compte épargne temps", "CET"),
        ("prime de congé de longue maladie", "CLM"),
        ("je suis en CLD", "congé de longue durée"),
    ],
)
def test_abbreviations_go_both_ways(question: str, added: str) -> None:
    assert added in expanded(question)[len(question) :]


@pytest.mark.parametrize(
    "question", ["dans cet établissement", "les agents are", "capital décès x"]
)
def test_a_function_word_is_no_abbreviation(question: str) -> None:
    assert "compte" not in expanded(question)
    assert "allocation" not in expanded(question)
    assert "commission" not in expanded(question)


@given(st.text(max_size=40), st.text(max_size=20), st.text(max_size=20))
def test_any_synonym_only_adds(question: str, said: str, written: str) -> None:
    assert expanded(question, "fr", [Synonym(said, written)]).startswith(question)
