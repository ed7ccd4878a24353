"""Finds the sentence of the passages that answers a question, word for word.

A quotation costs no token and cannot invent: it is tried before a model writes. Each sentence gets
a score, linear in some features, and a probability against all others. It sees words, not meaning.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from operator import itemgetter

import msgspec

from edge_slm.i18n import Language
from edge_slm.kb.lexical import stems
from edge_slm.kb.search import Hit
from edge_slm.tasks.hr_faq.asking import denies, units, wants_figure, wants_verdict
from edge_slm.text import figures, sentences

LONGEST = 480  # characters of a quotation
TOGETHER = 3  # sentences of one passage
NEARLY = 1.6  # linear score that another sentence may lack: a fifth as likely as the best one
LONG_LINE = 400  # characters from which a line counts as long as any


class Features(msgspec.Struct, frozen=True):
    """What is looked at in a sentence; shares are of the question's stems, weighted by rarity.

    own, section, title: share that the sentence holds; that only its section's name adds; that
        only the document's title adds.
    synonym: stems that documents use for what the question says, at most 3, by 3.
    figure: 1 when the question asks for a figure and the sentence holds one that it did not give.
    other_figure: 1 when the sentence holds one and the question asks for none.
    unit: 1 when both name the same unit.
    denial: 1 when the question asks for a yes or no and the sentence denies.
    passage: score of the passage, 0 to 1.
    best_document: 1 when it is the best document's.
    rank: of the passage, from 0, by 10.
    length: of the line, 0 to 1.
    header: 1 when the line names the columns of a table.
    """

    own: float = 0.0
    section: float = 0.0
    title: float = 0.0
    synonym: float = 0.0
    figure: float = 0.0
    other_figure: float = 0.0
    unit: float = 0.0
    denial: float = 0.0
    passage: float = 0.0
    best_document: float = 0.0
    rank: float = 0.0
    length: float = 0.0
    header: float = 0.0


# Fitted by `edge-slm eval quotes` on examples/questions (docs/decisions/0006-answer-ladder.md).
WEIGHTS = Features(
    own=9.79,
    section=8.38,
    title=7.91,
    synonym=0.58,
    figure=4.28,
    other_figure=0.96,
    unit=1.02,
    denial=1.65,
    passage=6.82,
    best_document=0.83,
    rank=-2.1,
    length=-4.53,
    header=-2.88,
)


@dataclass(frozen=True)
class Candidate:
    """A sentence: line `place` of the lines of a passage."""

    hit: Hit
    lines: Sequence[str]
    place: int
    features: Features

    @property
    def line(self) -> str:
        """The sentence."""
        return self.lines[self.place]


@dataclass(frozen=True)
class Quote:
    """Words of a passage that answer.

    parts: as they stand in the passage, in its order. score: how much likelier the best of them is
    than any other sentence, 0 to 1. strength: its linear score, about 0 to 30.
    """

    hit: Hit
    parts: tuple[str, ...]
    score: float
    strength: float

    @property
    def text(self) -> str:
        """The words, one part a line."""
        return "\n".join(self.parts)

    @property
    def shown(self) -> str:
        """The words as they read best: a table's row with the names of its columns."""
        return "\n".join(map(_readable, self.parts))


def _readable(part: str) -> str:
    header, _, row = part.partition("\n")
    names, cells = header.split(" | "), row.split(" | ")
    if len(names) < 2 or len(names) != len(cells):
        return part
    pairs = [f"{name} : {cell}" for name, cell in zip(names[1:], cells[1:], strict=True)]
    return f"{cells[0]} — " + " ; ".join(pairs)


def best_quote(sentences_found: Iterable[Candidate], weights: Features = WEIGHTS) -> Quote | None:
    """Return the best quotation, or None where no sentence shares a word with the question.

    Sentences of the same passage that are nearly as likely come with the best one: the right one
    is the first in three cases of five, and among the first three in four of five.
    """
    scored = [(linear(candidate.features, weights), candidate) for candidate in sentences_found]
    if not scored:
        return None
    top, best = max(scored, key=itemgetter(0))
    share = 1 / sum(math.exp(score - top) for score, _ in scored)
    f = best.features
    if f.header or not f.own + f.section + f.title + f.synonym:
        return None
    near = [
        (score, candidate)
        for score, candidate in scored
        if score >= top - NEARLY and candidate.hit is best.hit and not candidate.features.header
    ]
    near.sort(key=itemgetter(0), reverse=True)
    return Quote(best.hit, _parts([one for _, one in near[:TOGETHER]]), round(share, 4), top)


def _parts(chosen: Sequence[Candidate]) -> tuple[str, ...]:
    """Return the words of sentences of one passage, the likeliest first, in the passage's order."""
    kept = [chosen[0]]
    for candidate in chosen[1:]:
        longer = [*kept, candidate]
        if sum(len(whole(one.lines, one.place)) for one in longer) <= LONGEST:
            kept = longer
    kept.sort(key=lambda one: one.place)
    parts: list[str] = []
    for text in (whole(one.lines, one.place) for one in kept):
        if any(text in part for part in parts):
            continue
        parts = [part for part in parts if part not in text] + [text]
    return tuple(parts)


def linear(features: Features, weights: Features = WEIGHTS) -> float:
    """Return the score of a sentence: its features, each times its weight."""
    pairs = zip(msgspec.structs.astuple(weights), msgspec.structs.astuple(features), strict=True)
    return sum(float(weight) * float(value) for weight, value in pairs)


def candidates(
    question: str,
    hits: Sequence[Hit],
    rarity: Mapping[str, float],
    language: Language,
    synonyms: Set[str] = frozenset(),
) -> Iterator[Candidate]:
    """Yield each sentence of the hits with its features; nothing for a question without a word.

    Args:
        question: the question.
        hits: passages, best first.
        rarity: weight of each stem of the question (kb.search.rarity).
        language: language of the passages.
        synonyms: stems that documents use for what the question says.
    """
    total = sum(rarity.values())
    if not total:
        return
    asked, unit, verdict = figures(question), units(question), wants_verdict(question)
    wanted = wants_figure(question)

    def share(words: Set[str]) -> float:
        return sum(weight for word, weight in rarity.items() if word in words) / total

    for rank, hit in enumerate(hits):
        lines = sentences(hit.text)
        title, section = set(stems(hit.title, language)), set(stems(hit.section, language))
        for place, line in enumerate(lines):
            held = set(stems(line, language))
            given = bool(figures(line) - asked)
            features = Features(
                own=share(held),
                section=share(section - held),
                title=share(title - held - section),
                synonym=min(3, len(held & synonyms)) / 3,
                figure=float(wanted and given),
                other_figure=float(given and not wanted),
                unit=float(bool(unit & units(line))) if unit else 0.0,
                denial=float(verdict and denies(line)),
                passage=hit.score,
                best_document=float(hit.document == hits[0].document),
                rank=rank / 10,
                length=min(len(line), LONG_LINE) / LONG_LINE,
                header=float(_is_header(lines, place)),
            )
            yield Candidate(hit, lines, place, features)


def _is_header(lines: Sequence[str], place: int) -> bool:
    """Return whether a line names the columns of a table."""
    in_table = " | " in lines[place]
    begins = not place or " | " not in lines[place - 1]
    goes_on = place + 1 < len(lines) and " | " in lines[place + 1]
    return in_table and begins and goes_on


def whole(lines: Sequence[str], place: int) -> str:
    """Return a sentence with what it needs to be understood: a list's items, a table's header."""
    line = lines[place]
    kept = [line]
    if " | " in line:
        first = place
        while first and " | " in lines[first - 1]:
            first -= 1
        if first < place:
            kept.insert(0, lines[first])
    elif line.startswith("- "):
        first = place
        while first and lines[first - 1].startswith("- "):
            first -= 1
        if first and lines[first - 1].endswith(":"):
            everything = whole(lines, first - 1)
            return everything if line in everything.split("\n") else f"{lines[first - 1]}\n{line}"
    elif line.endswith(":"):
        for following in lines[place + 1 :]:
            if not following.startswith("- ") or len("\n".join([*kept, following])) > LONGEST:
                break
            kept.append(following)
    return "\n".join(kept)
