"""Hybrid search of one base: full text and vectors, fused.

Each passage gets two scores, BM25 over stems and the cosine of E5, both scaled to what this
question's candidates span; E5's cosines are compressed (0.75 to 0.9 for right and wrong alike), so
they are never compared raw. A passage also gains from the opening of its document, which says what
the document is about. What the question says in the base's words is in words.py, how sure the base
is that it holds an answer at all in calibration.py.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from edge_slm.engines import Embedder
from edge_slm.kb import schema
from edge_slm.kb.base import KnowledgeBase
from edge_slm.kb.calibration import Signals
from edge_slm.kb.lexical import match_expression, stems
from edge_slm.kb.words import understood, words_of

CANDIDATES = 300  # passages whose vectors are nearest
WITH_WORDS = 1000  # passages with the question's words: many hold a common one


@dataclass(frozen=True)
class Weights:
    """How much each part of a passage, and each side of the search, counts.

    Measured on the development questions (docs/decisions/0005-retrieval.md).
    """

    title: float = 2.0
    section: float = 1.0
    text: float = 1.0
    dense: float = 1.0  # of the cosine's side, against 1.0 for BM25
    added: float = 0.5  # of a word that the base adds to the question, against 1.0 for its own
    lead: float = 0.5  # of the score of the document's first passage, against 1.0 for its own
    opening: float = 0.2  # of the share of the question's words that the first passage holds


@dataclass(frozen=True)
class Hit:
    """A passage found, best first."""

    kb: str
    passage: int
    document: str
    title: str
    page: int
    section: str
    text: str
    score: float  # 0 to 1


@dataclass(frozen=True)
class Found:
    """What a search found.

    Attributes:
        hits: passages, best first.
        signals: what tells whether they answer.
        rarity: weight of each stem of the question, its typing mended (`rarity`).
        asked: the question as it was understood: typing mended, nothing added.
        said: its stems and those that the base adds, which were searched for.
    """

    hits: tuple[Hit, ...]
    signals: Signals
    rarity: Mapping[str, float] = field(default_factory=dict)
    asked: str = ""
    said: frozenset[str] = frozenset()


NOTHING = Found((), Signals(0.0, 0.0, 0.0))


@schema.explained()
def search(
    base: KnowledgeBase,
    embedder: Embedder,
    question: str,
    limit: int = 8,
    weights: Weights | None = None,
) -> Found:
    """Return the passages of a base that are nearest to a question.

    Args:
        base: the base.
        embedder: the model that the base was built with.
        question: one sentence or some words.
        limit: how many passages to return.
        weights: another balance than the measured one.
    Raises:
        IntegrityError: the embedder is not the base's, or the base is damaged.
    """
    weights = weights or Weights()
    base.check_embedder(embedder)
    ids, matrix = base.matrix()
    if len(matrix) == 0:
        return NOTHING
    asked = understood(base, question)
    own = list(dict.fromkeys(stems(asked.question, base.language)))
    weight = rarity(base, own)
    said = stems(asked.expanded, base.language)
    lexical = _lexical(base, own, said, weights)
    # The audience's words steer the vectors only: as words, they are in every legal reference.
    cosines = matrix @ embedder.embed_query(f"{asked.expanded} {base.audience}".rstrip())
    nearest = _nearest(cosines)
    both = Sides(lexical, Cosines(ids, cosines, nearest))
    scores = _fuse(base, both, weight, weights)
    best = sorted(scores, key=lambda p: (-scores[p], p))[:limit]
    hits = tuple(hit for p in best if (hit := hit_of(base, p, scores[p])))
    if base.audience:
        # Without the audience's words, which bring every question nearer.
        cosines = matrix @ embedder.embed_query(asked.expanded)
    signals = Signals(
        cosine=float(cosines.max()),
        agreement=hits[0].score if hits else 0.0,
        coverage=_coverage(base, weight, hits[0].document) if hits else 0.0,
    )
    return Found(hits, signals, weight, asked.question, frozenset(said))


def rarity(base: KnowledgeBase, words: Sequence[str]) -> dict[str, float]:
    """Return the inverse document frequency of stems over the passages of a base."""
    total = base.passage_count()
    weights = {}
    for word in words:
        (count,) = base.connection.execute(
            "SELECT count(*) FROM passages_fts WHERE passages_fts MATCH ?", (f'"{word}"',)
        ).fetchone()
        weights[word] = math.log(1 + (total - count + 0.5) / (count + 0.5))
    return weights


def _lexical(
    base: KnowledgeBase, own: Sequence[str], said: Sequence[str], weights: Weights
) -> dict[int, float]:
    """Return the BM25 scores of the question's own stems and, counting less, of those added."""
    scores = _bm25(base, own, weights)
    for passage, score in _bm25(base, [word for word in said if word not in own], weights).items():
        scores[passage] = scores.get(passage, 0.0) + weights.added * score
    return scores


def _bm25(base: KnowledgeBase, words: Sequence[str], weights: Weights) -> dict[int, float]:
    if not words:
        return {}
    rows = base.connection.execute(
        """SELECT rowid, -bm25(passages_fts, ?, ?, ?) AS score FROM passages_fts
           WHERE passages_fts MATCH ? ORDER BY score DESC LIMIT ?""",
        (weights.title, weights.section, weights.text, match_expression(list(words)), WITH_WORDS),
    )
    return {int(passage): float(score) for passage, score in rows}


def _nearest(cosines: NDArray[np.float32]) -> NDArray[np.intp]:
    """Return the places of the largest cosines, largest first."""
    if len(cosines) > CANDIDATES:
        places = np.argpartition(-cosines, CANDIDATES)[:CANDIDATES]
    else:
        places = np.arange(len(cosines))
    return places[np.argsort(-cosines[places], kind="stable")]


class Cosines:
    """The cosines of all passages with a question, scaled to what its nearest passages span."""

    def __init__(
        self, ids: NDArray[np.int64], values: NDArray[np.float32], nearest: NDArray[np.intp]
    ) -> None:
        """Take the passages' ids (rising), their cosines, and the places of the nearest."""
        self._ids, self._values = ids, values
        self._high, self._low = float(values[nearest[0]]), float(values[nearest[-1]])
        self.passages = [int(ids[place]) for place in nearest]

    def scaled(self, passages: Sequence[int]) -> dict[int, float]:
        """Return 1 for the nearest passage, 0 for the last of the nearest and all beyond."""
        wanted = np.array(passages, np.int64)
        places = np.minimum(np.searchsorted(self._ids, wanted), len(self._ids) - 1)
        span = (self._high - self._low) or 1.0
        scaled = np.maximum(0.0, (self._values[places] - self._low) / span)
        # The full text may hold what another program has added since the matrix was read.
        scaled[self._ids[places] != wanted] = 0.0
        return dict(zip(passages, scaled.tolist(), strict=True))


@dataclass(frozen=True)
class Sides:
    """Both sides of a search: BM25 scores by passage, and cosines."""

    lexical: Mapping[int, float]
    cosines: Cosines


def _fuse(
    base: KnowledgeBase, sides: Sides, rarity: Mapping[str, float], weights: Weights
) -> dict[int, float]:
    leads = _leads(base, {*sides.lexical, *sides.cosines.passages})
    dense = sides.cosines.scaled(list({*leads, *leads.values()}))
    top = max(sides.lexical.values(), default=0.0) or 1.0

    def own(passage: int) -> float:
        words = sides.lexical.get(passage, 0.0) / top
        return (words + weights.dense * dense[passage]) / (1 + weights.dense)

    scores = {passage: own(passage) + weights.lead * own(lead) for passage, lead in leads.items()}
    best = sorted(scores, key=lambda p: (-scores[p], p))[:CANDIDATES]
    shares = _shares(base, {leads[passage] for passage in best}, rarity)
    whole = 1 + weights.lead + weights.opening
    return {
        # Another program may have taken the document out since.
        passage: (scores[passage] + weights.opening * shares.get(leads[passage], 0.0)) / whole
        for passage in best
    }


def _leads(base: KnowledgeBase, passages: set[int]) -> dict[int, int]:
    """Return the first passage of the document of each passage."""
    marks = ", ".join("?" * len(passages))
    rows = base.connection.execute(
        f"""WITH found AS (SELECT id, document FROM passages WHERE id IN ({marks})),
                 leads AS (SELECT document, min(id) AS lead FROM passages
                           WHERE document IN (SELECT document FROM found) GROUP BY document)
            SELECT found.id, leads.lead FROM found JOIN leads USING (document)""",
        tuple(passages),
    )
    return {int(passage): int(lead) for passage, lead in rows}


def _shares(
    base: KnowledgeBase, passages: set[int], rarity: Mapping[str, float]
) -> dict[int, float]:
    """Return the share of the question's stems, weighted by rarity, that passages hold.

    Stems that no document holds tell no passage from another, and are left out.
    """
    known = words_of(base).stems
    asked = {word: weight for word, weight in rarity.items() if word in known}
    total = sum(asked.values()) or 1.0
    marks = ", ".join("?" * len(passages))
    rows = base.connection.execute(
        f"""SELECT id, title_stems || ' ' || section_stems || ' ' || text_stems
            FROM passages WHERE id IN ({marks})""",
        tuple(passages),
    )
    held = {passage: set(words.split()) for passage, words in rows}
    return {
        passage: sum(weight for word, weight in asked.items() if word in words) / total
        for passage, words in held.items()
    }


def hit_of(base: KnowledgeBase, passage: int, score: float) -> Hit | None:
    """Return a passage by its id, or None when its document is gone."""
    row = base.connection.execute(
        """SELECT d.name, d.title, p.page, p.section, p.text
           FROM passages p JOIN documents d ON d.id = p.document WHERE p.id = ?""",
        (passage,),
    ).fetchone()
    if row is None:
        return None
    document, title, page, section, text = row
    return Hit(base.name, passage, document, title, page, section, text, round(score, 4))


@schema.explained()
def passages_of(base: KnowledgeBase, document: str) -> list[Hit]:
    """Return the passages of a document in its order; their score is 0, nothing was asked."""
    rows = base.connection.execute(
        """SELECT p.id, d.title, p.page, p.section, p.text
           FROM passages p JOIN documents d ON d.id = p.document WHERE d.name = ? ORDER BY p.id""",
        (document,),
    )
    return [
        Hit(base.name, passage, document, title, page, section, text, 0.0)
        for passage, title, page, section, text in rows
    ]


def _coverage(base: KnowledgeBase, weights: Mapping[str, float], document: str) -> float:
    """Return the share of the stems, weighted by rarity, that a document holds."""
    total = sum(weights.values())
    if not total:
        return 0.0
    rows = base.connection.execute(
        """SELECT p.title_stems || ' ' || p.section_stems || ' ' || p.text_stems
           FROM passages p JOIN documents d ON d.id = p.document WHERE d.name = ?""",
        (document,),
    )
    held = {word for (text,) in rows for word in text.split()}
    return sum(weight for word, weight in weights.items() if word in held) / total
