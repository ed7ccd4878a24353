"""Ways to answer a question from a base: the ladder, and what it is compared with."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from typing import Literal, get_args

from edge_slm.answer import Source
from edge_slm.assistant import Assistant
from edge_slm.engines.loaded import Engines
from edge_slm.evaluation.answers import Ask, PassageOf
from edge_slm.evaluation.baselines import always_generate, quote_by_words
from edge_slm.kb.base import KnowledgeBase, base_path
from edge_slm.kb.rungs import ALL, Rungs
from edge_slm.kb.search import Hit, hit_of

Way = Literal["ladder", "always_generate", "bm25_quote"]
WAYS: tuple[Way, ...] = get_args(Way)


@contextmanager
def opened(
    way: Way, kb: str, model: str | None = None, rungs: Rungs = ALL
) -> Iterator[tuple[Ask, PassageOf]]:
    """Open a way to ask a base; yield it, and what finds the passage that a citation names.

    Args:
        way: the ladder, a model that writes every answer, or a plain quotation by BM25.
        kb: name or file of the base.
        model: id of the chat model; None takes the best one that is installed.
        rungs: of the ladder, those that may be used.
    Raises:
        UsageError: no such base or model.
        MissingError: a model that it needs is not installed.
    """
    with KnowledgeBase.open(base_path(kb)) as base:

        def passage_of(source: Source) -> Hit | None:
            return hit_of(base, int(source.passage.rpartition(":")[2]), 1.0)

        match way:
            case "ladder":
                with Assistant.open(model=model, kb=[kb], rungs=rungs) as assistant:
                    yield assistant.ask, passage_of
            case "always_generate":
                with closing(Engines(model)) as engines:
                    embedder = engines.embedder(base.meta["embedder"])
                    yield partial(always_generate, base, embedder, engines.chat()), passage_of
            case "bm25_quote":
                yield partial(quote_by_words, base), passage_of
