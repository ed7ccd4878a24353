"""What the bases hold on a question: the hits of the surest base, and how sure it is."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import msgspec

from edge_slm.engines import Embedder
from edge_slm.kb import approvals
from edge_slm.kb.approvals import Approved
from edge_slm.kb.base import KnowledgeBase
from edge_slm.kb.calibration import Signals
from edge_slm.kb.lexical import stems
from edge_slm.kb.rungs import ALL, Rungs
from edge_slm.kb.search import NOTHING, Found, Hit, search
from edge_slm.kb.signals import complete
from edge_slm.tasks.hr_faq.quoting import Candidate, Quote, best_quote, candidates

SEARCHED = 60  # passages ranked
FIRST = 5  # passages kept of whichever document
FIRST_TOLD = 3  # passages of which one must hold what a follow-up adds
KEPT = 12  # passages kept in all: those of the best document, and the first


@dataclass(frozen=True)
class Evidence:
    """What the surest base holds on a question, and how sure it is (0 to 1).

    `approved` is the approved answer to the question, if there is one; `quote` the best sentence.
    """

    base: KnowledgeBase | None
    found: Found
    confidence: float
    threshold: float
    approved: Approved | None = None
    quote: Quote | None = None

    @property
    def signals(self) -> Signals:
        """What tells whether the base holds an answer."""
        return self.found.signals


def gather(
    question: str,
    bases: Sequence[KnowledgeBase],
    embedder: Embedder,
    rungs: Rungs = ALL,
    new: frozenset[str] = frozenset(),
) -> Evidence:
    """Search all bases and return what the surest one holds.

    A base with an approved answer is the surest, and needs no search.

    Args:
        question: the question, self-contained.
        bases: where to search.
        embedder: the embedder of the bases.
        rungs: rungs of the ladder that may be used.
        new: stems that a follow-up adds to an earlier question. Where the first passages hold none
            of them, what was found answers the earlier question, not this one.
    """
    matches = [(base, match) for base in bases if (match := _approved(question, base, rungs))]
    if matches:
        base, match = max(matches, key=lambda pair: pair[1].score)
        return Evidence(base, NOTHING, match.score, base.calibration.approved, match)
    best = Evidence(None, NOTHING, 0.0, 1.0)
    for base in bases:
        evidence = look(question, base, embedder)
        asked = evidence.found.asked
        if asked != question and (match := _approved(asked, base, rungs)):  # typing mended
            return Evidence(base, NOTHING, match.score, base.calibration.approved, match)
        if new and not _told(new, base, question, evidence.found):
            evidence = replace(evidence, confidence=0.0)
        if best.base is None or evidence.confidence > best.confidence:
            best = evidence
    return best


def _approved(question: str, base: KnowledgeBase, rungs: Rungs) -> Approved | None:
    return approvals.find(base, question) if "approved" in rungs & base.rungs else None


def look(question: str, base: KnowledgeBase, embedder: Embedder) -> Evidence:
    """Search one base."""
    found = search(base, embedder, question, SEARCHED)
    kept = replace(found, hits=_kept(found.hits))
    quote = best_quote(quotable(question, base, kept))
    signals = msgspec.structs.replace(
        complete(base, question, found), quote=quote.strength / 20 if quote else 0.0
    )
    calibration = base.calibration
    return Evidence(
        base,
        replace(kept, signals=signals),
        calibration.confidence(signals) if found.hits else 0.0,
        calibration.threshold,
        quote=quote,
    )


def quotable(question: str, base: KnowledgeBase, found: Found) -> Iterator[Candidate]:
    """Yield the sentences of what was found, each with what tells whether it answers."""
    asked = found.asked or question
    return candidates(
        asked, found.hits, found.rarity, base.language, found.said - found.rarity.keys()
    )


def _told(new: frozenset[str], base: KnowledgeBase, question: str, found: Found) -> bool:
    """Return whether the first passages hold one of some stems, or a word used for one."""
    held = {
        stem
        for hit in found.hits[:FIRST_TOLD]
        for stem in stems(f"{hit.title} {hit.section} {hit.text}", base.language)
    }
    added = found.said.difference(stems(question, base.language))
    return bool((new | added) & held)


def _kept(hits: Sequence[Hit]) -> tuple[Hit, ...]:
    if not hits:
        return ()
    best = hits[0].document
    return tuple(
        [hit for rank, hit in enumerate(hits) if rank < FIRST or hit.document == best][:KEPT]
    )
