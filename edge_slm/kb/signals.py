"""The signals of a question that need its words and its best document, beside those of the search.

See calibration.py for what each means and what is made of them.
"""

import math
from collections.abc import Mapping

import msgspec

from edge_slm.kb import schema
from edge_slm.kb.base import KnowledgeBase
from edge_slm.kb.calibration import Signals
from edge_slm.kb.lexical import stems
from edge_slm.kb.scope import is_outside, is_personal, years
from edge_slm.kb.search import Found, Hit

PASSAGES = 3  # looked at for the best passage


@schema.explained()
def complete(base: KnowledgeBase, question: str, found: Found) -> Signals:
    """Return all signals of a question.

    Args:
        base: the base that was searched.
        question: the question.
        found: what the search found; its signals are kept, the others are added.
    """
    if not found.hits:
        return found.signals
    document = _document(base, found.hits[0])
    held = set(stems(document, base.language))
    weights = found.rarity
    return msgspec.structs.replace(
        found.signals,
        passage=max(_share(weights, _stems(base, hit)) for hit in found.hits[:PASSAGES]),
        unseen=max((weight for word, weight in weights.items() if word not in held), default=0.0)
        / _rarest(base),
        outside=float(is_outside(question, base.language, base.audience)),
        dated=float(not years(question) <= years(document)),
        personal=float(is_personal(question)),
    )


def _document(base: KnowledgeBase, hit: Hit) -> str:
    rows = base.connection.execute(
        """SELECT p.section || ' ' || p.text FROM passages p
           JOIN documents d ON d.id = p.document WHERE d.name = ?""",
        (hit.document,),
    )
    return "\n".join([hit.title, *(text for (text,) in rows)])


def _stems(base: KnowledgeBase, hit: Hit) -> set[str]:
    return set(stems(f"{hit.title} {hit.section} {hit.text}", base.language))


def _share(weights: Mapping[str, float], held: set[str]) -> float:
    total = sum(weights.values())
    return sum(w for word, w in weights.items() if word in held) / total if total else 0.0


def _rarest(base: KnowledgeBase) -> float:
    """Return the rarity of a stem that no passage holds (search.rarity)."""
    return math.log(1 + (base.passage_count() + 0.5) / 0.5)
