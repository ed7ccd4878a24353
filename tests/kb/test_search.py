"""Search: by word, by vector, both; the same each time, on any question."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_slm.kb.base import KnowledgeBase
from edge_slm.kb.search import NOTHING, Weights, hit_of, rarity, search
from edge_slm.kb.vectors import Ids, Vectors
from tests.fakes import DIMENSIONS, FakeEmbedder
from tests.kb.samples import LEAVE, MEALS, REMOTE, document, long_document

TEXTS = {"conges.md": LEAVE, "teletravail.md": REMOTE, "cantine.md": MEALS}


class Meaning(FakeEmbedder):
    """Knows that an odd word means the canteen."""

    def embed_query(self, text: str) -> Vectors:
        return super().embed_query(text.replace("popote", MEALS))


class Flat(FakeEmbedder):
    """Finds everything equally near."""

    def embed_query(self, text: str) -> Vectors:
        return np.full(self.dimensions, self.dimensions**-0.5, np.float32)

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        return np.stack([self.embed_query(text) for text in texts])


@pytest.fixture
def filled(base: KnowledgeBase, embedder: FakeEmbedder) -> KnowledgeBase:
    for name, text in TEXTS.items():
        base.add(document(name, text), embedder)
    return base


@pytest.mark.parametrize(
    ("question", "name"),
    [
        ("Combien de jours de congés annuels ?", "conges.md"),
        ("télétravail par semaine", "teletravail.md"),
        ("TELETRAVAIL", "teletravail.md"),
        ("repas à la cantine", "cantine.md"),
    ],
)
def test_the_right_passage_comes_first(
    filled: KnowledgeBase, embedder: FakeEmbedder, question: str, name: str
) -> None:
    first = search(filled, embedder, question).hits[0]
    assert (first.kb, first.document, first.page) == ("rh", name, 1)
    assert first.text == TEXTS[name]


def test_a_passage_is_found_by_word_alone(base: KnowledgeBase) -> None:
    flat = Flat()
    for name, text in TEXTS.items():
        base.add(document(name, text), flat)
    assert search(base, flat, "cantine").hits[0].document == "cantine.md"
    assert search(base, flat, "congés annuels").hits[0].document == "conges.md"


def test_a_passage_is_found_by_vector_alone(filled: KnowledgeBase) -> None:
    assert search(filled, Meaning(), "popote").hits[0].document == "cantine.md"


def test_either_side_can_be_weighted_away(filled: KnowledgeBase) -> None:
    # The words say remote work, the vector says canteen.
    class Torn(FakeEmbedder):
        def embed_query(self, text: str) -> Vectors:
            return super().embed_query(MEALS)

    by_word = search(filled, Torn(), "télétravail", weights=Weights(dense=0.0))
    by_vector = search(filled, Torn(), "télétravail", weights=Weights(dense=100.0))
    assert by_word.hits[0].document == "teletravail.md"
    assert by_vector.hits[0].document == "cantine.md"


def test_a_word_beyond_the_nearest_vectors_is_found(
    base: KnowledgeBase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge_slm.kb.search.CANDIDATES", 3)

    class Away(FakeEmbedder):
        def embed_query(self, text: str) -> Vectors:
            return super().embed_query("autre chose")

    base.add(long_document("long.md", "autre chose", 20), FakeEmbedder())
    base.add(document("rare.md", "Le mot hapax est ici."), FakeEmbedder())
    assert "rare.md" in {hit.document for hit in search(base, Away(), "hapax").hits}


def test_the_title_counts(base: KnowledgeBase, embedder: FakeEmbedder) -> None:
    base.add(document("a.md", "Texte sur la cantine.", title="Forfait mobilités"), embedder)
    base.add(document("b.md", "Texte sur la cantine.", title="Autre chose"), embedder)
    assert search(base, embedder, "forfait mobilités").hits[0].document == "a.md"


def test_an_empty_base_finds_nothing(base: KnowledgeBase, embedder: FakeEmbedder) -> None:
    assert search(base, embedder, "congés") == NOTHING


@pytest.mark.parametrize("limit", [0, 1, 2, 3, 50])
def test_the_limit(filled: KnowledgeBase, embedder: FakeEmbedder, limit: int) -> None:
    everything = search(filled, embedder, "congés", 50).hits
    assert len(everything) == len(TEXTS)  # a bad passage ranks last; it is not hidden
    assert search(filled, embedder, "congés", limit).hits == everything[:limit]


def test_a_question_of_function_words_is_left_to_the_vectors(
    filled: KnowledgeBase, embedder: FakeEmbedder
) -> None:
    found = search(filled, embedder, "et pourquoi donc ?")
    assert len(found.hits) == len(TEXTS)
    assert found.signals.coverage == 0.0


def test_coverage_is_the_share_of_the_words_that_are_held(
    filled: KnowledgeBase, embedder: FakeEmbedder
) -> None:
    whole = search(filled, embedder, "congés annuels").signals.coverage
    half = search(filled, embedder, "congés zéphyr").signals.coverage
    none = search(filled, embedder, "zéphyr aquilon").signals.coverage
    assert whole == pytest.approx(1.0)
    assert none == 0.0 < half < whole


def test_rare_words_weigh_more(base: KnowledgeBase, embedder: FakeEmbedder) -> None:
    base.add(long_document("a.md", "commun", 5), embedder)
    base.add(document("b.md", "commun et rare"), embedder)
    weights = rarity(base, ["commun", "rar", "absent"])
    assert 0 < weights["commun"] < weights["rar"] < weights["absent"]


def test_equal_passages_rank_in_the_order_they_came(base: KnowledgeBase) -> None:
    flat = Flat()
    for name in ("c.md", "a.md", "b.md"):
        base.add(document(name, LEAVE, title="Congés"), flat)
    found = search(base, flat, "congés").hits
    assert [hit.document for hit in found] == ["c.md", "a.md", "b.md"]
    assert len({hit.score for hit in found}) == 1


def test_a_single_passage_can_be_searched(base: KnowledgeBase, embedder: FakeEmbedder) -> None:
    base.add(document("a.md", LEAVE), embedder)
    (hit,) = search(base, embedder, "cantine").hits
    assert 0 <= hit.score <= 1


def test_a_passage_by_its_id(filled: KnowledgeBase, embedder: FakeEmbedder) -> None:
    hit = search(filled, embedder, "cantine").hits[0]
    assert hit_of(filled, hit.passage, 0.5) == replace(hit, score=0.5)
    assert hit_of(filled, 10**9, 0.5) is None


@pytest.mark.parametrize("added", [False, True])
def test_a_base_that_changes_during_a_search(filled: KnowledgeBase, added: bool) -> None:
    class Meanwhile(FakeEmbedder):
        """Stands for another process that changes the base between two of its readings."""

        def embed_query(self, text: str) -> Vectors:
            with KnowledgeBase.open(filled.path) as other:
                if added:
                    other.add(document("new.md", "Des congés bonifiés."), FakeEmbedder())
                else:
                    other.remove("conges.md")
            return super().embed_query(text)

    found = search(filled, Meanwhile(), "congés")
    assert all(hit.text == TEXTS[hit.document] for hit in found.hits)
    again = {hit.document for hit in search(filled, FakeEmbedder(), "congés").hits}
    assert ("new.md" in again) is added
    assert ("conges.md" in again) is added


def test_a_document_taken_out_while_its_first_passage_is_weighed(
    filled: KnowledgeBase, embedder: FakeEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = search(filled, embedder, "congés annuels").hits
    monkeypatch.setattr("edge_slm.kb.search._shares", lambda *_: {})
    after = search(filled, embedder, "congés annuels").hits
    assert {hit.passage for hit in after} == {hit.passage for hit in before} != set()


def test_a_document_added_after_the_vectors_were_read(
    filled: KnowledgeBase, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = KnowledgeBase.matrix

    def read_then_add(base: KnowledgeBase) -> tuple[Ids, Vectors]:
        result = read(base)
        with KnowledgeBase.open(base.path) as other:
            other.add(document("new.md", "Des congés bonifiés."), FakeEmbedder())
        return result

    monkeypatch.setattr(KnowledgeBase, "matrix", read_then_add)
    found = search(filled, FakeEmbedder(), "congés bonifiés")
    assert {hit.document for hit in found.hits} >= {"conges.md"}
    texts = {**TEXTS, "new.md": "Des congés bonifiés."}
    assert all(hit.text == texts[hit.document] for hit in found.hits)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KnowledgeBase]:
    """A base that the property tests only read."""
    path = tmp_path_factory.mktemp("shared") / "rh.db"
    with KnowledgeBase.create(path, "fake", DIMENSIONS) as base:
        for name, text in TEXTS.items():
            base.add(document(name, text), FakeEmbedder())
        yield base


QUESTIONS = st.text(st.characters()) | st.lists(
    st.sampled_from(
        [
            "congés",
            "AND",
            "OR",
            "NEAR(",
            '"',
            "*",
            "title:",
            "^",
            "\0",
            "-",
            ")",
            "\ud83d",
            "ﷺ",
            "½",
        ]
    )
    | st.text(max_size=8),
    max_size=12,
).map(" ".join)


@given(question=QUESTIONS, limit=st.integers(0, 10))
def test_any_question_is_searched(shared: KnowledgeBase, question: str, limit: int) -> None:
    found = search(shared, FakeEmbedder(), question, limit)
    scores = [hit.score for hit in found.hits]
    assert len(scores) == min(limit, len(TEXTS))
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)
    assert 0 <= found.signals.coverage <= 1 + 1e-9
    assert np.isfinite(msgspec.structs.astuple(found.signals)).all()
    assert search(shared, FakeEmbedder(), question, limit) == found


def test_a_very_long_question(shared: KnowledgeBase) -> None:
    question = "congés " + " ".join(f"mot{n}" for n in range(5000))
    assert search(shared, FakeEmbedder(), question).hits[0].document == "conges.md"
