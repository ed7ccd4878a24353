"""The answer ladder: approved, quoted, written, declined; the smallest rung that serves.

Each rung cites its passages. The ladder decides, not the model: a refusal comes before any writing,
and what a model writes is held to its passages (writing.py).
"""

from collections.abc import Callable, Iterator

from edge_slm.engines import ChatEngine
from edge_slm.i18n import Language, decimal, say
from edge_slm.kb.approvals import Approved
from edge_slm.kb.base import KnowledgeBase
from edge_slm.kb.rungs import ALL, Rungs
from edge_slm.kb.search import hit_of
from edge_slm.tasks.hr_faq.clarifying import Clarification, clarification
from edge_slm.tasks.hr_faq.declining import declined
from edge_slm.tasks.hr_faq.evidence import Evidence
from edge_slm.tasks.hr_faq.quoting import Quote
from edge_slm.tasks.hr_faq.reply import Reply, source_of
from edge_slm.tasks.hr_faq.writing import PASSAGES_READ, write
from edge_slm.text import shorten


def answer(
    question: str,
    language: Language,
    evidence: Evidence,
    engine: Callable[[], ChatEngine],
    rungs: Rungs = ALL,
) -> Reply:
    """Answer a question from the evidence, by the smallest rung that serves.

    Args:
        question: the question.
        language: language of the question, and of what is said around the passages.
        evidence: what `evidence.gather` found.
        engine: gives the chat model; called only if a model has to write.
        rungs: those that may be used; the base may allow fewer.
    """
    base = evidence.base
    if base is None:
        return declined(language, evidence)
    rungs &= base.rungs
    if evidence.approved:
        return _approved(base, language, evidence.approved)
    if not evidence.found.hits or evidence.confidence < evidence.threshold:
        return declined(language, evidence)
    # Asked only where an answer may follow.
    if rungs & {"quote", "written"} and (
        asked_back := clarification(evidence.found.asked, evidence.found.hits, language)
    ):
        return _clarifying(language, asked_back)
    quote = evidence.quote
    reply = Reply()
    if quote and "quote" in rungs and (quote.score >= base.calibration.quote):
        reply.pieces = iter([_quote(reply, language, evidence, quote)])
    else:
        reply.pieces = _climb(reply, question, language, evidence, engine, quote, rungs)
    return reply


def _climb(
    reply: Reply,
    question: str,
    language: Language,
    evidence: Evidence,
    engine: Callable[[], ChatEngine],
    quote: Quote | None,
    rungs: Rungs,
) -> Iterator[str]:
    """Yield what a model writes, else the quotation however unsure, else a refusal."""
    base = evidence.base
    if base and "written" in rungs:
        hits = [quote.hit] if quote else list(evidence.found.hits[:PASSAGES_READ])
        yield from write(reply, question, language, base, hits, engine())
        if reply.model_wrote:
            return
    if quote and "quote" in rungs:
        yield _quote(reply, language, evidence, quote)
        return
    why = say(
        language,
        "the rungs that are allowed give no answer",
        "les réponses autorisées ne donnent rien",
    )
    refusal = declined(language, evidence, why)
    reply.kind, reply.why = refusal.kind, refusal.why
    yield from refusal.pieces


def _approved(base: KnowledgeBase, language: Language, match: Approved) -> Reply:
    hit = hit_of(base, match.passage, 1.0) if match.passage is not None else None
    return Reply(
        iter([match.answer]),
        "approved",
        say(
            language,
            "approved by {by} on {day} for the question “{question}”",
            "approuvée par {by} le {day} pour la question « {question} »",
            by=match.approved_by,
            day=match.approved_at[:10],
            question=shorten(match.question, 200),
        ),
        (source_of(hit, shorten(hit.text, 300)),) if hit else (),
    )


def _clarifying(language: Language, asked_back: Clarification) -> Reply:
    """Return the question to ask back, as a refusal: no answer is given yet."""
    choices = " / ".join(choice.label for choice in asked_back.choices)
    why = say(
        language,
        "the documents answer differently by case, and the question does not say which",
        "les documents répondent différemment selon le cas, et la question ne dit pas lequel",
    )
    return Reply(iter([f"{asked_back.text} ({choices})"]), "declined", why)


def _quote(reply: Reply, language: Language, evidence: Evidence, quote: Quote) -> str:
    reply.kind = "quote"
    reply.sources = (source_of(quote.hit, quote.text),)
    reply.why = say(
        language,
        "the words of the document answer (quotation {score}, confidence {confidence})",
        "les mots du document répondent (citation {score}, confiance {confidence})",
        score=decimal(quote.score, 2, language),
        confidence=decimal(evidence.confidence, 2, language),
    )
    return quote.shown
