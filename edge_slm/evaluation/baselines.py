"""Two ways to answer without the ladder, to compare it with.

Always generate: a model writes from the first three passages, whatever they are. Quote: the best
passage by BM25 alone, its first sentences, whatever it is. Neither checks anything.
"""

from edge_slm.answer import Answer, ModelUsed, Route, Usage
from edge_slm.clock import Clock
from edge_slm.engines import ChatEngine, Embedder, Options, Piece
from edge_slm.i18n import Language
from edge_slm.kb.base import KnowledgeBase
from edge_slm.kb.lexical import match_expression, stems
from edge_slm.kb.search import Hit, hit_of, search
from edge_slm.language import of_request
from edge_slm.tasks.hr_faq.quoting import LONGEST
from edge_slm.tasks.hr_faq.reply import source_of
from edge_slm.tasks.hr_faq.writing import LONGEST_REPLY, is_refusal, prompt
from edge_slm.text import sentences

PASSAGES = 3


def always_generate(
    base: KnowledgeBase, embedder: Embedder, chat: tuple[ChatEngine, ModelUsed], question: str
) -> Answer:
    """Have the model answer from the first passages found."""
    clock = Clock()
    engine, used = chat
    language = _language(question)
    hits = search(base, embedder, question, PASSAGES).hits
    clock.lap("search")
    text, usage = "", Usage()
    for event in engine.stream(prompt(question, hits, language), LONGEST_REPLY, Options()):
        if event.usage:
            usage = event.usage
        if isinstance(event, Piece):
            clock.first_token()
            text += event.text
    refused = is_refusal(text) or not hits
    return Answer(
        text=text.strip(),
        kind="declined" if refused else "written",
        task="hr_faq",
        language=language,
        ai_generated=True,
        route=Route("hr_faq", 1.0, "always generate"),
        sources=() if refused else tuple(source_of(hit, "") for hit in hits),
        model=used,
        usage=usage,
        timings_ms=clock.laps(),
    )


def quote_by_words(base: KnowledgeBase, question: str) -> Answer:
    """Quote the beginning of the best passage by BM25."""
    clock = Clock()
    hit = _best_by_words(base, question)
    clock.lap("search")
    shown = _beginning(hit) if hit else ""
    return Answer(
        text=shown,
        kind="quote" if hit else "declined",
        task="hr_faq",
        language=_language(question),
        ai_generated=False,
        route=Route("hr_faq", 1.0, "BM25"),
        sources=(source_of(hit, shown),) if hit else (),
        timings_ms=clock.laps(),
    )


def _best_by_words(base: KnowledgeBase, question: str) -> Hit | None:
    row = base.connection.execute(
        """SELECT rowid FROM passages_fts WHERE passages_fts MATCH ?
           ORDER BY bm25(passages_fts) LIMIT 1""",
        (match_expression(stems(question, base.language)),),
    ).fetchone()
    return hit_of(base, row[0], 1.0) if row else None


def _beginning(hit: Hit) -> str:
    kept: list[str] = []
    for line in sentences(hit.text):
        if kept and len("\n".join([*kept, line])) > LONGEST:
            break
        kept.append(line)
    return "\n".join(kept)


def _language(question: str) -> Language:
    return "en" if of_request(question) == "en" else "fr"
