"""Approved answers: what a person takes responsibility for, given word for word.

A question gets the approved answer of the same words, or of the one question that asks for the same
thing in other words (likeness.py). No model is asked, so that an answer takes milliseconds and
serves as soon as it is approved.
"""

import sqlite3
from collections import defaultdict
from dataclasses import dataclass
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

from edge_slm.errors import UsageError
from edge_slm.i18n import t
from edge_slm.kb import ratings_table, schema
from edge_slm.kb.base import KnowledgeBase
from edge_slm.kb.lexical import stems
from edge_slm.kb.likeness import differ, likeness
from edge_slm.kb.mending import Speller
from edge_slm.kb.wording import LONGEST, Wording, mended_words, plain_words, read, words_of

LONGEST_QUESTION = 4000  # characters, those of a request
LONGEST_ANSWER = 20_000
RIVAL = 0.02  # an answer this near to the best one, and another, makes the question ambiguous
_COLUMNS = ("id", "question", "answer", "passage", "approved_by", "approved_at")


@dataclass(frozen=True)
class Approved:
    """An approved answer that was found for a question.

    Attributes:
        id: its number in the base.
        question: the question that it was approved for.
        answer: the text, to be given word for word.
        passage: id of the passage that it cites, or None.
        score: how surely the question asked is the one approved, 0 to 1; 1 for the same words.
        approved_by: who takes responsibility for it.
        approved_at: when, ISO 8601, UTC.
    """

    id: int
    question: str
    answer: str
    passage: int | None
    score: float
    approved_by: str
    approved_at: str


def approve(
    base: KnowledgeBase, question: str, answer: str, passage: int | None, approved_by: str
) -> None:
    """Keep an answer to a question.

    Args:
        base: the base.
        question: the question; other wordings of it get the same answer.
        answer: the text.
        passage: id of the passage that it cites, or None.
        approved_by: who takes responsibility for it.
    Raises:
        UsageError: the question holds no word, a text is too long, or the passage does not exist.
    """
    with schema.transaction(base.connection) as db:
        write(base, db.conn, question, answer, passage, approved_by)


def write(
    base: KnowledgeBase,
    connection: sqlite3.Connection,
    question: str,
    answer: str,
    passage: int | None,
    approved_by: str,
) -> int:
    """Do what `approve` does inside a transaction that is open; return the approval's id."""
    key, wording = _key(base, question), read(question)
    _check(key, question, answer)
    found = connection.execute("SELECT 1 FROM passages WHERE id = ?", (passage,)).fetchone()
    if passage is not None and not found:
        raise UsageError(
            t(
                "The base has no passage {id}: find its number with edge-slm kb search --json.",
                "La base n'a pas de passage {id} : cherchez son numéro avec edge-slm kb search "
                "--json.",
                id=passage,
            )
        )
    for _, same in _same_words(connection, key, wording):
        connection.execute("DELETE FROM approved WHERE id = ?", (same[0],))
    row = (_full(key, wording), question, answer, passage, approved_by, schema.now())
    cursor = connection.execute(
        "INSERT INTO approved (key, question, answer, passage, approved_by, approved_at) "
        "VALUES (?, ?, ?, ?, ?, ?)",
        row,
    )
    return int(cursor.lastrowid or 0)


def find(base: KnowledgeBase, question: str) -> Approved | None:
    """Return the approved answer to a question, or None.

    Its score is at least the base's `calibration.approved`.
    """
    best = likeliest(base, question)
    return best if best and best.score >= base.calibration.approved else None


@schema.explained()
def likeliest(base: KnowledgeBase, question: str) -> Approved | None:
    """Return the approved answer that fits a question best, however badly, or None.

    Nothing is returned where two approved answers that differ fit equally well.
    """
    if not base.connection.execute("SELECT 1 FROM approved LIMIT 1").fetchone():
        return None  # the tables of concepts take a third of a second to read
    if same := _same_words(base.connection, _key(base, question), read(question)):
        return _approved(same[0][1], 1.0)
    if len(question) > LONGEST:
        return None
    index = _index(base)
    ranked = index.ranked(read(question, partial(index.speller.mended, is_word=_is_word(base))))
    if not ranked:
        return None
    best = ranked[0]
    rivals = (other for other in ranked[1:] if other.score >= best.score - RIVAL)
    return None if any(other.answer != best.answer for other in rivals) else best


@schema.explained()
def all_of(base: KnowledgeBase) -> list[dict[str, Any]]:
    """Return all approved answers: id, question, answer, passage, approved_by, approved_at, rating.

    `rating` is the id of the rating that the answer was approved from, or None.
    """
    origins = ratings_table.origins(base.connection)
    return [
        {**dict(zip(_COLUMNS, row, strict=True)), "rating": origins.get((row[0], row[5]))}
        for row in _rows(base, "ORDER BY id")
    ]


def withdraw(base: KnowledgeBase, approval: int) -> bool:
    """Remove an approved answer by its id; return whether it was there."""
    with schema.transaction(base.connection) as db:
        found = db.conn.execute("DELETE FROM approved WHERE id = ?", (approval,)).rowcount
    return found > 0


class _Index:
    """The approved questions of one state of a base, read once."""

    def __init__(self, state: tuple[int, int], rows: list[tuple[Any, ...]]) -> None:
        self.state = state
        self._rows = rows
        self._alike: dict[frozenset[str], list[tuple[Wording, tuple[Any, ...]]]] = defaultdict(list)
        for row in rows:
            wording = read(str(row[1]))
            self._alike[wording.conditions].append((wording, row))
        own = {word for row in rows for word in words_of(str(row[1])[:LONGEST])}
        self.speller = Speller(mended_words() | (own - plain_words()), plain_words())

    def ranked(self, asked: Wording) -> list[Approved]:
        """Return the approved answers that a question may be about, the likeliest first."""
        scored = [
            _approved(row, score)
            for wording, row in self._alike.get(asked.conditions, ())
            if wording.words & asked.words and (score := likeness(asked, wording)) > 0
        ]
        return sorted(scored, key=lambda found: (-found.score, found.id))


_indexes: "WeakKeyDictionary[KnowledgeBase, _Index]" = WeakKeyDictionary()


def _index(base: KnowledgeBase) -> _Index:
    # Changes when another connection commits, and when this one writes.
    (version,) = base.connection.execute("PRAGMA data_version").fetchone()
    state = (int(version), base.connection.total_changes)
    index = _indexes.get(base)
    if index is None or index.state != state:
        index = _indexes[base] = _Index(state, _rows(base))
    return index


def _rows(
    base: KnowledgeBase, clause: str = "", values: tuple[Any, ...] = ()
) -> list[tuple[Any, ...]]:
    columns = ", ".join(_COLUMNS)
    return base.connection.execute(f"SELECT {columns} FROM approved {clause}", values).fetchall()


def _approved(row: tuple[Any, ...], score: float) -> Approved:
    number, question, answer, passage, by, at = row
    return Approved(number, str(question), str(answer), passage, round(score, 4), str(by), str(at))


def _is_word(base: KnowledgeBase) -> Any:
    """Return the test whether a word stands in the base's documents: then it is no mistake."""

    def found(word: str) -> bool:
        query = " OR ".join(f'"{stem}"' for stem in stems(word, base.language))
        if not query:
            return True
        rows = base.connection.execute(
            "SELECT 1 FROM passages_fts WHERE passages_fts MATCH ? LIMIT 1", (query,)
        )
        return rows.fetchone() is not None

    return found


def _check(key: str, question: str, answer: str) -> None:
    if not key:
        raise UsageError(t("The question holds no word.", "La question ne contient aucun mot."))
    for text, longest, name in (
        (question, LONGEST_QUESTION, t("question", "question")),
        (answer, LONGEST_ANSWER, t("answer", "réponse")),
    ):
        if len(text) > longest:
            raise UsageError(
                t(
                    "The {name} is too long ({length} characters, at most {longest}): shorten it.",
                    "La {name} est trop longue ({length} caractères, {longest} au plus) : "
                    "abrégez-la.",
                    name=name,
                    length=len(text),
                    longest=longest,
                )
            )


def _key(base: KnowledgeBase, question: str) -> str:
    """Return the stems of a question; its key in the base begins with them."""
    return " ".join(sorted(set(stems(question, base.language))))


def _full(key: str, wording: Wording) -> str:
    """Return the key of an approved question: stems alone do not tell category A from B."""
    return f"{key}|{' '.join(sorted(wording.conditions))}|{' '.join(sorted(wording.asks))}"


def _same_words(
    connection: sqlite3.Connection, key: str, wording: Wording
) -> list[tuple[bool, tuple[Any, ...]]]:
    """Return the approved answers to a question of the same words, the best first.

    With each comes whether it leaves unsaid what is asked for, where the other question says it.
    """
    rows = connection.execute(
        # "|" ends the stems, and "}" comes after it; a base of before has the stems alone.
        f"SELECT {', '.join(_COLUMNS)} FROM approved WHERE key = ? OR (key >= ? AND key < ?)",
        (key, f"{key}|", f"{key}}}"),
    )
    alike = []
    for row in rows:
        other = read(str(row[1]))
        if other.words == wording.words and not differ(wording, other):
            alike.append((other.asks != wording.asks, tuple(row)))
    return sorted(alike)
