"""Measuring a GGUF file: a tiny random model, then the starter models."""

from pathlib import Path

import msgspec
import numpy as np
import pytest

from edge_slm.cards import get_card
from edge_slm.engines.loaded import EMBEDDER, Engines
from edge_slm.files import sha256_of
from edge_slm.kb.base import KnowledgeBase
from edge_slm.kb.documents import Block, Document
from edge_slm.store import Store
from edge_slm_quantize.gguf.measure import (
    DIVERGENCE,
    SIZE,
    SPEED,
    VECTORS,
    kept_reference,
    measure,
    measure_reference,
)
from edge_slm_quantize.measure.divergence import Divergence, paired_difference
from edge_slm_quantize.measure.texts import texts_from
from edge_slm_quantize.recipe import Task
from edge_slm_quantize.records import Artefact, Order, Suites
from tests.quantize.orders import TEXTS, an_order
from tests.quantize.tiny import tiny_gguf

CHAT = "qwen2.5-coder-0.5b-instruct-q4_k_m"
SMALL = "smollm2-135m-instruct-q4_1"
SENTENCE = "the man said that he was in the house with them. "
DETAILS = {"hexagon": {"share": 0.75}}


def ordered(folder: Path, path: Path, metrics: tuple[str, ...], task: Task = "chat") -> Order:
    order = an_order(folder)
    source = msgspec.structs.replace(
        order.source, path=str(path), sha256=sha256_of(path), task=task
    )
    texts = msgspec.structs.replace(TEXTS, evaluation=(SENTENCE * 60, SENTENCE * 60))
    return msgspec.structs.replace(
        order, source=source, texts=texts, metrics=metrics, tokens=1024, threads=2
    )


def artefact(path: Path) -> Artefact:
    return Artefact(
        recipe="Q8_0",
        format="gguf",
        path=path.name,
        bytes=path.stat().st_size,
        bits_per_weight=8.5,
        details=DETAILS,
    )


def test_a_file_against_itself_has_no_divergence(tmp_path: Path) -> None:
    model = tiny_gguf(tmp_path / "tiny.gguf")
    order = ordered(tmp_path, model, (*SIZE, *DIVERGENCE))
    own = measure_reference(order, model)
    found = measure(order, artefact(model), model)
    assert found.values["kld"] < 1e-4
    assert found.values["top1_agreement"] == 1.0
    assert found.values["perplexity"] == own.values["perplexity"]
    assert found.values["hexagon"] == 0.75
    assert found.values["size"] == model.stat().st_size
    assert found.absent == {}


def test_other_weights_diverge_and_their_flips_are_told_as_text(tmp_path: Path) -> None:
    model, other = tiny_gguf(tmp_path / "tiny.gguf"), tiny_gguf(tmp_path / "b.gguf", seed=1)
    found = measure(ordered(tmp_path, model, DIVERGENCE), artefact(other), other)
    assert found.values["kld_low"] <= found.values["kld"] <= found.values["kld_high"]
    flips = found.details["divergence"]["flips"]
    assert found.values["kld"] > 0 and flips
    assert {"before", "reference_text", "candidate_text"} <= set(flips[0])
    kept = msgspec.json.decode(msgspec.json.encode(found.details["divergence"]), type=Divergence)
    assert paired_difference(kept, kept).indistinguishable


def test_weights_that_are_no_numbers_have_no_divergence_and_a_reason(tmp_path: Path) -> None:
    model = tiny_gguf(tmp_path / "tiny.gguf")
    norm = np.full(64, np.nan, np.float32)
    bad = tiny_gguf(tmp_path / "nan.gguf", replaced={"output_norm.weight": norm})
    found = measure(ordered(tmp_path, model, ("kld", "size")), artefact(bad), bad)
    assert set(found.values) >= {"size"}
    assert "NaN" in found.absent["kld"]


def test_a_chat_model_is_timed_and_translates(tmp_path: Path) -> None:
    model = tiny_gguf(tmp_path / "tiny.gguf", context=4096)
    order = ordered(tmp_path, model, (*SPEED, "chrf"))
    order = msgspec.structs.replace(order, suites=Suites(sample=1))
    found = measure(order, artefact(model), model)
    assert set(found.values) | set(found.absent) == {*SPEED, "chrf"}
    assert found.values["prefill_tokens_per_second"] > 0
    assert found.values["tokens_per_second"] > 0
    assert found.values["ram"] > 10**7
    assert 0 <= found.values["chrf"] < 50
    assert found.details["chrf"]["n"] == 2
    assert found.details["speed"]["repeats"] == 3


def test_what_a_chat_model_has_not_is_absent_with_a_sentence(tmp_path: Path) -> None:
    model = tiny_gguf(tmp_path / "tiny.gguf")
    found = measure(ordered(tmp_path, model, ("wer", "cosine")), artefact(model), model)
    assert found.values == {}
    assert set(found.absent) == {"wer", "cosine"}
    assert list(tmp_path.glob("shared/*")) == []


@pytest.mark.model
def test_a_perplexity_is_that_of_a_plain_computation(tmp_path: Path) -> None:
    from llama_cpp import Llama

    path = Store().path(SMALL)
    order = msgspec.structs.replace(ordered(tmp_path, path, DIVERGENCE), texts=texts_from([]))
    found = measure(order, artefact(path), path)
    assert found.values["kld"] < 1e-6
    assert (found.values["top1_agreement"], found.details["divergence"]["tokens"]) == (1.0, 512)
    about = kept_reference(order).about
    chunk = list(about.chunks[0])
    model = Llama(str(path), n_ctx=512, n_batch=512, n_threads=2, logits_all=True, verbose=False)
    model.eval(chunk)
    logits = np.array(model.scores[255:511], np.float64)
    model.close()
    total = np.log(np.exp(logits - logits.max(1, keepdims=True)).sum(1)) + logits.max(1)
    losses = total - logits[np.arange(256), chunk[256:]]
    assert losses.mean() == pytest.approx(np.mean(about.losses[:256]), rel=1e-3)


@pytest.mark.model
def test_a_small_model_answers_from_a_base_and_is_timed(tmp_path: Path) -> None:
    base, questions = tmp_path / "kb.db", tmp_path / "questions.jsonl"
    engines = Engines()
    with KnowledgeBase.create(base, EMBEDDER, 384) as opened:
        text = "L'abonnement à la piscine municipale coûte 42 euros par mois."
        opened.add(Document("piscine.md", "Piscine", (Block(text, 1, ""),)), engines.embedder())
    engines.close()
    questions.write_text(
        '{"question": "Combien coûte l\'abonnement à la piscine ?", "document": "piscine.md", '
        '"must_appear": ["42"]}',
        "utf-8",
    )
    path = Store().path(CHAT)
    order = msgspec.structs.replace(
        ordered(tmp_path, path, ("faq_accuracy",)),
        suites=Suites(kb=str(base), questions=str(questions), sample=1),
    )
    found = measure(order, artefact(path), path)
    assert found.values == {"faq_accuracy": 1.0}
    assert found.details["faq_accuracy"]["n"] == 1


@pytest.mark.model
def test_an_embedder_against_itself_is_the_same_and_finds_its_documents(tmp_path: Path) -> None:
    path = Store().path(EMBEDDER)
    corpus, questions = tmp_path / "corpus.jsonl", tmp_path / "questions.jsonl"
    texts = {"piscine": "L'abonnement à la piscine coûte 42 euros.", "velo": "Le vélo est prêté."}
    corpus.write_text(
        "".join(f'{{"id": "{n}", "title": "{n}", "text": "{x}"}}\n' for n, x in texts.items()),
        "utf-8",
    )
    questions.write_text('{"question": "Quel est le prix de la piscine ?", "gold_doc": "piscine"}')
    order = ordered(
        tmp_path, path, (*VECTORS, "recall_at_5", "seconds_per_item", "ram"), task="embed"
    )
    order = msgspec.structs.replace(
        order,
        source=msgspec.structs.replace(order.source, embed=get_card(EMBEDDER).embed),
        texts=msgspec.structs.replace(order.texts, evaluation=(*texts.values(), SENTENCE)),
        suites=Suites(corpus=str(corpus), questions=str(questions)),
    )
    found = measure(order, artefact(path), path)
    assert found.absent == {}
    assert found.values["cosine"] == pytest.approx(1.0, abs=1e-5)
    assert found.values["neighbours"] == found.values["recall_at_5"] == 1.0
    assert found.details["recall_at_5"]["top1"] == 1.0
    assert found.values["seconds_per_item"] > 0
