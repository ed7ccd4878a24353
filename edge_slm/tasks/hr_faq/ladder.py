"""The answer ladder: approved, quoted, written, declined; the smallest rung that serves.

Each rung cites its passages. What a model writes is held to them: a sentence with a figure or too
many words that its passages do not hold is not shown.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from edge_slm.answer import Kind, Source, Usage
from edge_slm.engines import ChatEngine, Embedder, Message, Options, Piece
from edge_slm.i18n import Language, decimal, say
from edge_slm.kb import approvals
from edge_slm.kb.base import KnowledgeBase
from edge_slm.kb.lexical import stems
from edge_slm.kb.search import NOTHING, Found, Hit, hit_of, passages_of, search
from edge_slm.kb.vocabulary import expanded
from edge_slm.tasks.hr_faq.quoting import Quote, best_quote
from edge_slm.tasks.small_talk import scope
from edge_slm.text import figures, sentences, shorten, split_complete

# Measured on the development questions (docs/decisions/0006-answer-ladder.md).
QUOTE_SURE = 0.35  # score from which a quotation answers by itself
PASSAGES_QUOTED = 3  # looked at for a quotation
# Read by the model. One, so that its state is made once for each passage and serves every
# question; three read anew were no better (docs/decisions/0010-prefix-store.md).
PASSAGES_READ = 1
LONGEST_REPLY = 160  # tokens
# The passages are documents; a reply copies from them.
WRITING = Options(keep_prefix=True, lookup=True)
FAR = 0.1  # confidence under which a request is about something else altogether
FOREIGN_WORDS = 0.4  # share of a written sentence's stems that may stand in no passage

_UNKNOWN = {"fr": "JE NE SAIS PAS", "en": "I DO NOT KNOW"}


@dataclass(frozen=True)
class Evidence:
    """What the bases hold on a question: the surest base's hits, and how sure it is (0 to 1)."""

    base: KnowledgeBase | None
    found: Found
    confidence: float
    threshold: float


@dataclass
class Reply:
    """An answer under way; all is final once `pieces` is exhausted."""

    pieces: Iterator[str] = field(default_factory=lambda: iter(()))
    kind: Kind = "declined"
    why: str = ""
    sources: tuple[Source, ...] = ()
    usage: Usage = field(default_factory=Usage)
    warnings: list[str] = field(default_factory=list)
    model_wrote: bool = False


def gather(question: str, bases: Sequence[KnowledgeBase], embedder: Embedder) -> Evidence:
    """Search all bases and return what the surest one holds.

    A base with an approved answer is the surest, and needs no search.
    """
    for base in bases:
        if approvals.find(base, question):
            return Evidence(base, NOTHING, 1.0, base.calibration.threshold)
    best = Evidence(None, NOTHING, 0.0, 1.0)
    for base in bases:
        found = search(base, embedder, question)
        calibration = base.calibration
        confidence = calibration.confidence(found.signals) if found.hits else 0.0
        if best.base is None or confidence > best.confidence:
            best = Evidence(base, found, confidence, calibration.threshold)
    return best


def answer(
    question: str, language: Language, evidence: Evidence, engine: Callable[[], ChatEngine]
) -> Reply:
    """Answer a question from the evidence, by the smallest rung that serves.

    Args:
        question: the question.
        language: language of the question, and of what is said around the passages.
        evidence: what `gather` found.
        engine: gives the chat model; called only if a model has to write.
    """
    base = evidence.base
    if base is None:
        return _declined(language, evidence)
    if approved := approvals.find(base, question):
        return _approved(base, language, *approved)
    if not evidence.found.hits or evidence.confidence < evidence.threshold:
        return _declined(language, evidence)
    quote = _best_quote(question, base.language, evidence.found)
    if quote and quote.score >= QUOTE_SURE:
        reply = Reply()
        reply.pieces = iter([_quote(reply, language, evidence, quote)])
        return reply
    reply = Reply()
    reply.pieces = _written(reply, question, language, evidence, engine, quote)
    return reply


def _best_quote(question: str, language: Language, found: Found) -> Quote | None:
    synonyms = set(stems(expanded(question, language), language)) - found.rarity.keys()
    return best_quote(question, found.hits[:PASSAGES_QUOTED], found.rarity, language, synonyms)


def source_of(hit: Hit, quote: str) -> Source:
    """Return the citation of a passage."""
    return Source(
        kb=hit.kb,
        document=hit.document,
        title=hit.title,
        page=hit.page,
        section=hit.section,
        passage=f"{hit.kb}:{hit.passage}",
        quote=quote,
        score=hit.score,
    )


def _approved(base: KnowledgeBase, language: Language, text: str, passage: int | None) -> Reply:
    hit = hit_of(base, passage, 1.0) if passage is not None else None
    return Reply(
        iter([text]),
        "approved",
        say(
            language,
            "approved beforehand for this question",
            "approuvée d'avance pour cette question",
        ),
        (source_of(hit, shorten(hit.text, 300)),) if hit else (),
    )


def _declined(language: Language, evidence: Evidence) -> Reply:
    base = evidence.base
    text = say(
        language,
        "I do not find the answer in my documents.",
        "Je ne trouve pas la réponse dans mes documents.",
    )
    if evidence.confidence < FAR:
        text += " " + scope(language)
    elif base and base.contact:
        text += say(language, " Please ask: {c}.", " Adressez-vous à : {c}.", c=base.contact)
    why = say(
        language,
        "the documents hold nothing near enough (confidence {c}, at least {t} is needed)",
        "les documents n'ont rien d'assez proche (confiance {c}, il faut {t})",
        c=decimal(evidence.confidence, 2, language),
        t=decimal(evidence.threshold, 2, language),
    )
    return Reply(iter([text]), "declined", why)


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


def _written(
    reply: Reply,
    question: str,
    language: Language,
    evidence: Evidence,
    engine: Callable[[], ChatEngine],
    quote: Quote | None,
) -> Iterator[str]:
    """Yield what the model writes, sentence by sentence, as far as the passages bear it out."""
    hits = evidence.found.hits[:PASSAGES_READ]
    same = evidence.base is not None and evidence.base.language == language
    held = Held.of(question, hits, language, words=same)
    kept: list[str] = []
    reply.model_wrote = True
    for sentence in _sentences(reply, engine(), prompt(question, hits, language)):
        if _UNKNOWN[language] in sentence.upper():
            break
        if not held.bears(sentence):
            reply.warnings.append(
                say(
                    language,
                    "A written sentence that the passages do not bear out was dropped.",
                    "Une phrase rédigée que les passages ne confirment pas a été écartée.",
                )
            )
            break
        yield f" {sentence}" if kept else sentence
        kept.append(sentence)
    if kept:
        _cite_written(reply, " ".join(kept), hits, language)
        return
    reply.model_wrote = False
    if quote:
        yield _quote(reply, language, evidence, quote)
        return
    declined = _declined(language, evidence)
    reply.kind, reply.why = declined.kind, declined.why
    yield from declined.pieces


def _sentences(reply: Reply, engine: ChatEngine, messages: Sequence[Message]) -> Iterator[str]:
    """Yield the whole sentences of the model's reply; a last one cut off is left out."""
    pending = ""
    for event in engine.stream(messages, LONGEST_REPLY, WRITING):
        if event.usage:
            reply.usage = event.usage
        if isinstance(event, Piece):
            pending += event.text
            whole, pending = split_complete(pending)
            yield from whole
        elif event.complete and pending.strip():
            yield pending.strip()


def prompt(question: str, hits: Sequence[Hit], language: Language) -> list[Message]:
    """Return what a model is asked: the passages come first, so that their state can be kept."""
    system = say(
        language,
        "You answer the questions of civil servants from the extracts given, and from nothing "
        "else. Answer in one or two short sentences, with the exact figures of the extracts. "
        "If the extracts do not answer, write only: {unknown}.",
        "Tu réponds aux questions d'agents publics d'après les extraits donnés, et rien d'autre. "
        "Réponds en une ou deux phrases courtes, avec les chiffres exacts des extraits. Si les "
        "extraits ne répondent pas, écris seulement : {unknown}.",
        unknown=_UNKNOWN[language],
    )
    extracts = "\n\n".join(
        f"[{number}] {' > '.join(part for part in (hit.title, hit.section) if part)}\n{hit.text}"
        for number, hit in enumerate(hits, 1)
    )
    return [Message("system", f"{system}\n\n{extracts}"), Message("user", question)]


def prepare(
    base: KnowledgeBase, engine: ChatEngine, on_passage: Callable[[bool], None]
) -> tuple[int, int]:
    """Have the model read every passage of a base, so that an answer need not wait for it.

    Args:
        base: the base.
        engine: the chat model; it keeps what it read.
        on_passage: called after each passage, with whether it had to be read.
    Returns:
        passages read, and passages that were kept already or cannot be.
    """
    read = passed = 0
    for document in base.documents():
        for hit in passages_of(base, document.name):
            fresh = engine.prepare(prompt("", [hit], base.language))
            read, passed = read + fresh, passed + (not fresh)
            on_passage(fresh)
    return read, passed


def _cite_written(reply: Reply, text: str, hits: Sequence[Hit], language: Language) -> None:
    reply.kind = "written"
    reply.why = say(
        language,
        "written by the model from the passages cited",
        "rédigée par le modèle d'après les passages cités",
    )
    spoken = set(stems(text, language))

    def shared(line: str) -> int:
        return len(spoken & set(stems(line, language))) + 2 * len(figures(text) & figures(line))

    scored = [(max(sentences(hit.text), key=shared), hit) for hit in hits]
    scored.sort(key=lambda pair: -shared(pair[0]))
    best = shared(scored[0][0])
    cited: list[Source] = []
    unseen = figures(text)  # each figure stands in a passage that is cited
    for line, hit in scored:
        held = figures(f"{hit.title}\n{hit.section}\n{hit.text}")
        if not cited or (shared(line) and shared(line) >= best / 2) or unseen & held:
            cited.append(source_of(hit, line))
            unseen -= held
    reply.sources = tuple(cited)


@dataclass(frozen=True)
class Held:
    """What the passages and the question hold: figures, stems.

    `words` is False where the reply is in another language than the passages: only its figures
    can be compared then.
    """

    figures: frozenset[str]
    stems: frozenset[str]
    language: Language
    words: bool

    @classmethod
    def of(
        cls, question: str, hits: Sequence[Hit], language: Language, words: bool = True
    ) -> "Held":
        """Gather the figures and stems of the hits; the question's own words may be repeated."""
        text = "\n".join(f"{hit.title}\n{hit.section}\n{hit.text}" for hit in hits)
        known = frozenset(stems(f"{text}\n{question}", language))
        return cls(frozenset(figures(text)), known, language, words)

    def bears(self, sentence: str) -> bool:
        """Return whether a sentence says no figure, and few words, of its own."""
        if not figures(sentence) <= self.figures:
            return False
        if not self.words:
            return True
        words = [word for word in stems(sentence, self.language) if not word.isdigit()]
        foreign = sum(word not in self.stems for word in words)
        return foreign <= FOREIGN_WORDS * len(words)
