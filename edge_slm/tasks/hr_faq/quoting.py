"""Finds the sentences of a passage that answer a question, word for word.

A quotation costs no token and cannot invent: it is tried before a model writes.
"""

import re
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

from edge_slm.i18n import Language
from edge_slm.kb.lexical import stems
from edge_slm.kb.search import Hit
from edge_slm.text import figures, fold, sentences

# A question word found in the titles counts less than one in the sentence itself.
TITLE_SHARE = 0.5
# A question for a figure is answered by a sentence that holds one.
FIGURE_BONUS = 0.5
# The documents' own word for what an agent says (kb/vocabulary.py).
SYNONYM_BONUS = 0.1
LONGEST = 480  # characters of a quotation

_WANTS_FIGURE = re.compile(
    r"\b(combien|quand|a partir de (quand|quel)|jusqu'?a (quand|quelle)|"
    r"quel(le)?s? (est |sont )?(l[ae'] ?|les )?(\w+ ){0,2}?"
    r"(duree|delai|montant|taux|plafond|date|prix|pourcentage|heure|nombre|age|preavis|periode)|"
    r"duree|delai|preavis|montant|how (many|much|long|often|old)|when|"
    r"what (is the )?(date|amount|rate|limit|number|age))"
)


@dataclass(frozen=True)
class Quote:
    """Words of a passage that answer, and how well (about 0 to 1.5)."""

    hit: Hit
    text: str  # as they stand in the passage
    score: float

    @property
    def shown(self) -> str:
        """The words as they read best: a table's row with the names of its columns."""
        header, _, row = self.text.partition("\n")
        names, cells = header.split(" | "), row.split(" | ")
        if len(names) < 2 or len(names) != len(cells):
            return self.text
        pairs = [f"{name} : {cell}" for name, cell in zip(names[1:], cells[1:], strict=True)]
        return f"{cells[0]} — " + " ; ".join(pairs)


def wants_figure(question: str) -> bool:
    """Return whether a question asks for a number, an amount, a date or a duration."""
    return bool(_WANTS_FIGURE.search(fold(question)))


def best_quote(
    question: str,
    hits: Sequence[Hit],
    rarity: Mapping[str, float],
    language: Language,
    synonyms: Set[str] = frozenset(),
) -> Quote | None:
    """Return the best quotation of the hits, or None where they share no word with the question.

    Args:
        question: the question.
        hits: passages, best first.
        rarity: weight of each stem of the question (kb.search.rarity).
        language: language of the passages.
        synonyms: stems that documents use for what the question says.
    """
    total = sum(rarity.values())
    if not total:
        return None
    asked = figures(question)
    wanted = wants_figure(question)
    best: Quote | None = None
    for hit in hits:
        lines = sentences(hit.text)
        around = set(stems(f"{hit.title} {hit.section}", language))
        for place, line in enumerate(lines):
            if _is_header(lines, place):
                continue
            held = set(stems(line, language))
            score = (
                sum(
                    weight * (1.0 if word in held else TITLE_SHARE if word in around else 0.0)
                    for word, weight in rarity.items()
                )
                / total
            )
            score += SYNONYM_BONUS * len(held & synonyms)
            if not score:
                continue
            if wanted and figures(line) - asked:
                score += FIGURE_BONUS
            score *= hit.score
            if best is None or score > best.score:
                best = Quote(hit, _whole(lines, place), round(score, 4))
    return best


def _is_header(lines: Sequence[str], place: int) -> bool:
    """Return whether a line names the columns of a table."""
    in_table = " | " in lines[place]
    begins = not place or " | " not in lines[place - 1]
    goes_on = place + 1 < len(lines) and " | " in lines[place + 1]
    return in_table and begins and goes_on


def _whole(lines: Sequence[str], place: int) -> str:
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
        lead = next((i for i in range(place - 1, -1, -1) if not lines[i].startswith("- ")), None)
        if lead is not None and lines[lead].endswith(":"):
            kept.insert(0, lines[lead])
    elif line.endswith(":"):
        for following in lines[place + 1 :]:
            if not following.startswith("- ") or len("\n".join(kept)) > LONGEST:
                break
            kept.append(following)
    return "\n".join(kept)
