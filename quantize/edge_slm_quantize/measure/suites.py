"""The task suites of `edge-slm eval`, for a model that is in no catalogue yet.

Each is given what the model does as a function or an engine, so that it knows no format. Shares
come with Wilson's 95 % interval and the number of rows: a few dozen rows tell a ruin, not a nuance.
"""

from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from edge_slm.answer import ModelUsed, Source
from edge_slm.bench.tasks_translation import Segment
from edge_slm.engines import ChatEngine
from edge_slm.engines.loaded import Engines
from edge_slm.errors import UsageError
from edge_slm.evaluation.answers import Question, evaluate
from edge_slm.evaluation.baselines import always_generate
from edge_slm.evaluation.text_scores import chrf as chrf_of
from edge_slm.evaluation.text_scores import word_errors
from edge_slm.i18n import t
from edge_slm.kb.documents import Document
from edge_slm.kb.passages import headed, split
from edge_slm.kb.search import Hit, hit_of
from edge_slm_quantize.measure import suite_data as data
from edge_slm_quantize.measure.intervals import wilson
from edge_slm_quantize.measure.speed import Figures
from edge_slm_quantize.measure.vectors import unit
from edge_slm_quantize.records import Suites

Embed = Callable[[list[str], Literal["query", "passage"]], NDArray[np.float32]]
Translate = Callable[[str, str, str], str]
Transcribe = Callable[[Path], str]
FIRST = 5  # documents, as metrics.METRICS says of recall_at_5
GROUP = 16  # passages embedded at once


def faq_accuracy(chat: tuple[ChatEngine, ModelUsed], suites: Suites) -> Figures:
    """Have a chat model answer the answerable questions from what a search finds.

    No rung of the ladder helps: what is measured is the model (evaluation/baselines).

    Args:
        chat: the engine, and what it is.
        suites: the base and the questions; `sample` of the answerable ones.
    Raises:
        UsageError: a file or base cannot be read, or no question is answerable.
        MissingError: the base's embedder is not installed.
    """
    return _answers("faq_accuracy", chat, suites, answerable=True)


def refusals(chat: tuple[ChatEngine, ModelUsed], suites: Suites) -> Figures:
    """Have a chat model decline the questions that no document answers; as `faq_accuracy`."""
    return _answers("refusals", chat, suites, answerable=False)


def _answers(
    name: str, chat: tuple[ChatEngine, ModelUsed], suites: Suites, *, answerable: bool
) -> Figures:
    rows = [row for row in data.questions(suites) if row.is_answerable == answerable]
    asked = data.spaced(rows, suites.sample)
    _some(name, asked)
    with closing(Engines()) as engines, data.base(suites, engines) as base:

        def passage_of(source: Source) -> Hit | None:
            return hit_of(base, int(source.passage.rpartition(":")[2]), 1.0)

        embedder = engines.embedder(base.meta["embedder"])
        ask = partial(always_generate, base, embedder, chat)
        score, verdicts = evaluate(ask, asked, lambda _: None, passage_of)
    well = wilson(sum(verdict.well for verdict in verdicts), len(verdicts))
    details = {
        "n": len(verdicts),
        "of": len(rows),
        "low": well.low,
        "high": well.high,
        "kinds": score.by_kind,
        "unsupported_figures": score.unsupported_figures,
        "completion_tokens": score.completion_tokens,
        "p50_ms": score.p50_ms,
    }
    return {name: well.value}, details, {}


def chrf(translate: Translate, suites: Suites) -> Figures:
    """Translate segments and score them against their references, all directions together.

    Args:
        translate: gives the translation of (text, code of its language, code of the one wanted).
        suites: `pairs`, and `sample` of them in each direction.
    Raises:
        UsageError: the file cannot be read.
    """
    groups: dict[str, list[Segment]] = {}
    for one in data.segments(suites):
        groups.setdefault(f"{one.source}-{one.target}", []).append(one)
    chosen = [one for group in groups.values() for one in data.spaced(group, suites.sample)]
    _some("chrf", chosen)
    texts = [translate(one.text, one.source, one.target) for one in chosen]
    score = {pair: _chrf(pair, chosen, texts) for pair in groups}
    details = {
        "n": len(chosen),
        "by_direction": {pair: round(value, 2) for pair, value in score.items()},
        "empty": sum(not text.strip() for text in texts),
    }
    return {"chrf": chrf_of(texts, [one.reference for one in chosen])}, details, {}


def _chrf(pair: str, chosen: Sequence[Segment], texts: Sequence[str]) -> float:
    """Return the score of one direction."""
    rows = [
        (text, one.reference)
        for text, one in zip(texts, chosen, strict=True)
        if f"{one.source}-{one.target}" == pair
    ]
    return chrf_of([text for text, _ in rows], [reference for _, reference in rows])


def wer(transcribe: Transcribe, suites: Suites) -> Figures:
    """Write recordings down and count the words that differ from what is said.

    Args:
        transcribe: gives the text of a sound file.
        suites: `audio`, a manifest, and `sample` of its recordings.
    Raises:
        UsageError: the manifest cannot be read, or no word is said in any recording.
    """
    chosen = data.spaced(data.recordings(suites), suites.sample)
    counts = [word_errors(transcribe(path), said) for path, said in chosen]
    errors, words = sum(one for one, _ in counts), sum(one for _, one in counts)
    _some("wer", [1] * words)
    details = {
        "n": len(chosen),
        "words": words,
        "errors": errors,
        "by_recording": {
            path.name: f"{one}/{of}" for (path, _), (one, of) in zip(chosen, counts, strict=True)
        },
    }
    return {"wer": errors / words}, details, {}


def recall_at_5(embed: Embed, suites: Suites) -> Figures:
    """Search the corpus by vectors alone, and see whether the right document is among five.

    A document is as near as its nearest passage. Neither words nor titles' weights help, unlike in
    `edge-slm eval retrieval`: what is measured is the embedder.

    Args:
        embed: gives the vectors (texts x dimensions) of questions or of passages.
        suites: `corpus`, `questions`, and `sample` of the answerable questions.
    Raises:
        UsageError: a file cannot be read, or no question names a document of the corpus.
        IntegrityError: a vector is none.
    """
    documents = data.documents(suites)
    names = {document.name for document in documents}
    rows = [row for row in data.questions(suites) if row.is_answerable and row.source in names]
    asked = data.spaced(rows, suites.sample)
    _some("recall_at_5", asked)
    ranks = ranked(embed, documents, asked)
    found = wilson(int((ranks <= FIRST).sum()), len(ranks))
    details = {
        "n": len(asked),
        "of": len(rows),
        "low": found.low,
        "high": found.high,
        "top1": float((ranks == 1).mean()),
        "mrr": float((1 / ranks).mean()),
        "documents": len(names),
    }
    return {"recall_at_5": found.value}, details, {}


def ranked(
    embed: Embed, documents: Sequence[Document], asked: Sequence[Question]
) -> NDArray[np.int64]:
    """Return from 1 the rank of each question's own document (questions,).

    One document of an equal score counts as nearer: a model that says the same of all finds none.
    """
    names = list(dict.fromkeys(document.name for document in documents))
    queries = unit(embed([row.question for row in asked], "query"))
    best = np.full((len(asked), len(names)), -np.inf, np.float32)
    for document in documents:
        at = names.index(document.name)
        texts = [headed(document.title, passage) for passage in split(document)]
        for start in range(0, len(texts), GROUP):
            vectors = unit(embed(texts[start : start + GROUP], "passage"))
            best[:, at] = np.maximum(best[:, at], (queries @ vectors.T).max(axis=1))
    own = best[np.arange(len(asked)), [names.index(row.source or "") for row in asked]]
    ranks: NDArray[np.int64] = (best >= own[:, None]).sum(axis=1)
    return ranks


def _some(name: str, rows: Sequence[object]) -> None:
    if not rows:
        raise UsageError(
            t(
                "Nothing is left to measure {name} on: give other data, or a larger sample.",
                "Il ne reste rien pour mesurer {name} : donnez d'autres données, ou un plus grand "
                "échantillon.",
                name=name,
            )
        )
