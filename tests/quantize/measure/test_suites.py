"""Task suites with engines that are no models, and their data."""

import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_slm.answer import ModelUsed
from edge_slm.errors import UsageError
from edge_slm.kb.base import KnowledgeBase
from edge_slm.kb.documents import Block, Document
from edge_slm_quantize.measure import suite_data as data
from edge_slm_quantize.measure import suites
from edge_slm_quantize.measure.vectors import Vectors
from edge_slm_quantize.records import Suites
from tests.fakes import FakeEmbedder, ScriptedChat

USED = ModelUsed("fake", "0" * 64, "none")
FACTS = {
    "conges.md": "Un agent a droit à vingt-cinq jours de congés annuels.",
    "cantine.md": "La cantine du siège sert des repas chauds à midi.",
    "velo.md": "Le forfait mobilités rembourse le trajet à vélo.",
}


def rows(path: Path, *found: dict[str, Any]) -> str:
    path.write_text("\n".join(map(json.dumps, found)), "utf-8")
    return str(path)


@pytest.fixture
def asked(tmp_path: Path) -> str:
    """Two questions that the documents answer, and one that they do not."""
    return rows(
        tmp_path / "questions.jsonl",
        {
            "question": "Combien de jours de congés ?",
            "document": "conges.md",
            "must_appear": ["vingt-cinq"],
        },
        {"question": "Que sert la cantine ?", "document": "cantine.md", "must_appear": ["chauds"]},
        {"question": "Quelle est la capitale de la Mongolie ?", "reason": "off topic"},
    )


@pytest.fixture
def kb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A base of three documents, whose embedder is a fake."""
    embedder = FakeEmbedder()
    monkeypatch.setattr("edge_slm.engines.loaded.Engines.embedder", lambda *_: embedder)
    path = tmp_path / "base.db"
    with KnowledgeBase.create(path, "fake", embedder.dimensions) as base:
        for name, text in FACTS.items():
            base.add(Document(name, name, (Block(text, 1, ""),)), embedder)
    return str(path)


def test_right_answers_and_refusals_are_counted_apart(kb: str, asked: str) -> None:
    given = Suites(kb=kb, questions=asked)
    chat = ScriptedChat(["Vingt-cinq jours [1].", "Je ne sais pas."])
    values, details, _ = suites.faq_accuracy((chat, USED), given)
    assert values == {"faq_accuracy": 0.5}
    assert (details["n"], details["of"]) == (2, 2)
    assert details["low"] < 0.5 < details["high"]
    values, details, _ = suites.refusals((ScriptedChat(["Oulan-Bator."]), USED), given)
    assert values == {"refusals": 0.0}
    assert details["kinds"] == {"written": 1}


def test_a_base_without_questions_of_its_own_is_refused(kb: str) -> None:
    with pytest.raises(UsageError, match="--questions"):
        suites.faq_accuracy((ScriptedChat([]), USED), Suites(kb=kb))


def test_a_file_without_unanswerable_questions_measures_no_refusal(kb: str, tmp_path: Path) -> None:
    file = rows(tmp_path / "q.jsonl", {"question": "Quand ?", "document": "conges.md"})
    with pytest.raises(UsageError, match="refusals"):
        suites.refusals((ScriptedChat([]), USED), Suites(kb=kb, questions=file))


def test_a_perfect_translator_scores_a_hundred_and_a_mute_one_nothing() -> None:
    wanted = {one.text: one.reference for one in data.segments(Suites())}
    values, details, _ = suites.chrf(lambda text, *_: wanted[text], Suites())
    assert values["chrf"] == pytest.approx(100)
    assert set(details["by_direction"]) == {"fr-en", "en-fr"}
    values, details, _ = suites.chrf(lambda *_: "", Suites(sample=2))
    assert values == {"chrf": 0.0}
    assert (details["n"], details["empty"]) == (4, 4)


def test_pairs_of_a_file_are_translated_from_the_first_language(tmp_path: Path) -> None:
    path = tmp_path / "pairs.tsv"
    path.write_text("id\tsource\ten\tfr\n1\tweb\tHello\tBonjour\n", "utf-8")
    calls = []

    def translate(*said: str) -> str:
        calls.append(said)
        return "Bonjour"

    values, _, _ = suites.chrf(translate, Suites(pairs=str(path)))
    assert calls == [("Hello", "en", "fr")]
    assert values["chrf"] == pytest.approx(100)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"en\n",
        b"\xff\xfe\x00",
        b"one\ttwo\nthree\tfour\n",
        b"en\tfr\nHello\n",
        b"en\tfr\n",
        b"en\tfr\nHello\t \n",
        b"en\tfr\tit\n",
        b"en\tfr\n\0\0\n",
        b"en\tfr\n" + b"x" * 200_000,
    ],
)
def test_a_file_that_is_no_table_of_pairs_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "pairs.tsv"
    path.write_bytes(content)
    with pytest.raises(UsageError) as told:
        data.segments(Suites(pairs=str(path)))
    assert "pairs.tsv" in str(told.value)


def test_word_errors_are_counted_over_all_recordings(tmp_path: Path) -> None:
    for name in ("a.wav", "b.wav"):
        (tmp_path / name).write_bytes(b"RIFF")
    file = rows(
        tmp_path / "manifest.jsonl",
        {"file": "a.wav", "text": "one two three", "other": 1},
        {"file": "b.wav", "text": "four"},
    )
    heard = {"a.wav": "one two", "b.wav": "Four."}
    values, details, _ = suites.wer(lambda path: heard[path.name], Suites(audio=file))
    assert values == {"wer": 0.25}
    assert details["by_recording"] == {"a.wav": "1/3", "b.wav": "0/1"}


def test_the_sample_recordings_serve_where_nothing_is_given() -> None:
    values, details, _ = suites.wer(lambda path: path.with_suffix(".txt").read_text(), Suites())
    assert (values, details["n"]) == ({"wer": 0.0}, 2)


@pytest.mark.parametrize("row", [{"file": "nowhere.wav", "text": "x"}, {"file": 3}, {}])
def test_a_manifest_that_names_no_recording_is_refused(tmp_path: Path, row: dict[str, Any]) -> None:
    file = rows(tmp_path / "manifest.jsonl", row)
    with pytest.raises(UsageError):
        suites.wer(lambda _: "", Suites(audio=file))


def embedding(embedder: FakeEmbedder) -> suites.Embed:
    def embed(texts: list[str], kind: str) -> Vectors:
        return embedder.embed_passages(texts)

    return embed


def test_the_right_document_is_found_by_its_words(tmp_path: Path, asked: str) -> None:
    corpus = rows(
        tmp_path / "corpus.jsonl",
        *({"id": name, "title": name, "text": text} for name, text in FACTS.items()),
    )
    given = Suites(corpus=corpus, questions=asked)
    values, details, _ = suites.recall_at_5(embedding(FakeEmbedder()), given)
    assert values == {"recall_at_5": 1.0}
    assert (details["n"], details["documents"], details["top1"]) == (2, 3, 1.0)


def test_an_embedder_that_says_the_same_of_all_finds_nothing() -> None:
    same: Callable[..., Vectors] = lambda texts, _: np.ones((len(texts), 4), np.float32)  # noqa: E731
    values, details, _ = suites.recall_at_5(same, Suites(sample=10))
    assert values == {"recall_at_5": 0.0}
    assert details["n"] == 10
    assert details["high"] > 0


@given(st.integers(0, 60), st.integers(1, 80))
def test_a_sample_is_evenly_spaced_and_never_repeats_a_row(count: int, rows: int) -> None:
    found = data.spaced(range(rows), count)
    assert len(found) == min(count, rows)
    gaps = [b - a for a, b in pairwise(found)]
    assert not gaps or max(gaps) - min(gaps) <= 1
    assert not gaps or min(gaps) >= 1
