"""Ratings: what people say of answers, and what a reviewer makes of it.

A rating waits until a person approves it or rejects it. An approved one becomes an approved answer
of the base, which serves at once; no model learns anything. Texts are masked before they are
stored (privacy/mask.py).
"""

import sqlite3
from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from edge_slm.answer import Answer
from edge_slm.errors import UsageError
from edge_slm.i18n import t
from edge_slm.kb import approvals, ratings_table, schema
from edge_slm.kb.base import KnowledgeBase
from edge_slm.privacy.mask import PLACEHOLDER, Masker

Verdict = Literal["good", "bad"]
Status = Literal["waiting", "approved", "rejected"]
LONGEST_REASON = 2000  # characters
LONGEST_NAME = 200
CITING = frozenset({"approved", "quote", "written"})  # kinds of answers that say something


class Rating(msgspec.Struct, frozen=True, kw_only=True):
    """A rating of one answer; the texts are masked.

    at, by: when (ISO 8601, UTC) and by whom.
    kind, confidence, why: the rung of the answer, and what its threshold was compared with.
    passage, document, page: the first source of the answer; `passages` are all of them.
    decided_by, decided_at: who approved or rejected it, and when.
    approval: id of the approved answer that was made of it.
    """

    id: int
    at: str
    by: str
    verdict: Verdict
    reason: str
    correction: str
    question: str
    answer: str
    kind: str
    confidence: float | None
    why: str
    passage: int | None
    document: str | None
    page: int | None
    document_sha256: str | None
    passages: list[str]
    model: str | None
    model_sha256: str | None
    status: Status
    decided_by: str | None
    decided_at: str | None
    approval: int | None


def rate(
    base: KnowledgeBase,
    question: str,
    answer: Answer,
    verdict: Verdict,
    *,
    reason: str = "",
    correction: str = "",
    by: str = "",
) -> int:
    """Keep what a person says of an answer; it waits for a reviewer.

    Args:
        base: the base that the answer came from.
        question: the question as it was asked.
        answer: the answer as it was given.
        verdict: whether it is right.
        reason: why.
        correction: the answer that it should have been.
        by: who says so.
    Returns:
        id of the rating.
    Raises:
        UsageError: the verdict is none, or a text is too long.
        EdgeSlmError: the base cannot be written to now.
    """
    if verdict not in ("good", "bad"):
        raise UsageError(
            t(
                "A verdict is good or bad, not “{verdict}”.",
                "Un avis est good (bon) ou bad (mauvais), pas « {verdict} ».",
                verdict=verdict,
            )
        )
    mask = Masker().mask
    row: dict[str, object] = {
        "at": schema.now(),
        "by": _bounded(by, LONGEST_NAME, t("name", "nom")).strip(),
        "verdict": verdict,
        "question": mask(_bounded(question, approvals.LONGEST_QUESTION, "question")).text,
        "answer": mask(_plain(answer.text)).text,
        "reason": mask(_bounded(reason, LONGEST_REASON, t("reason", "motif"))).text.strip(),
        "correction": mask(
            _bounded(correction, approvals.LONGEST_ANSWER, t("correction", "correction"))
        ).text.strip(),
        "kind": answer.kind,
        "confidence": answer.route.confidence,
        "why": mask(_plain(answer.route.why)).text,
        "model": answer.model.id if answer.model else None,
        "model_sha256": answer.model.sha256 if answer.model else None,
        **_source(base, answer),
    }
    names, marks = ", ".join(row), ", ".join("?" * len(row))
    with schema.transaction(base.connection) as db:
        ratings_table.make(db.conn)
        cursor = db.conn.execute(
            f"INSERT INTO ratings ({names}) VALUES ({marks})", tuple(row.values())
        )
        return int(cursor.lastrowid or 0)


def base_of(answer: Answer, bases: Sequence[KnowledgeBase]) -> KnowledgeBase:
    """Return the base that an answer came from: of its first source, else the first base.

    Raises:
        UsageError: the answer is not one of a base.
    """
    if answer.task != "hr_faq" or not bases:
        raise UsageError(
            t(
                "Only the answers that come from a base can be rated.",
                "Seules les réponses tirées d'une base peuvent recevoir un avis.",
            )
        )
    named = {base.name: base for base in bases}
    return next((named[s.kb] for s in answer.sources if s.kb in named), bases[0])


@schema.explained()
def all_of(base: KnowledgeBase, status: Status | None = None) -> list[Rating]:
    """Return the ratings of a base, oldest first; of one status, or all of them.

    Raises:
        IntegrityError: the base holds what is no rating.
    """
    if not ratings_table.exists(base.connection):
        return []
    where, values = ("WHERE status = ?", (status,)) if status else ("", ())
    rows = base.connection.execute(
        f"SELECT {', '.join(ratings_table.COLUMNS)} FROM ratings {where} ORDER BY id", values
    )
    return [_rating(row) for row in rows]


def approve(
    base: KnowledgeBase,
    rating: int,
    by: str,
    *,
    question: str | None = None,
    answer: str | None = None,
    passage: int | None = None,
) -> int:
    """Make an approved answer of a rating: the correction, or the answer that was found good.

    Args:
        base: the base.
        rating: id of the rating; it must be waiting.
        by: who takes responsibility for the answer.
        question: the question, better worded; None for the one that was asked.
        answer: another text than the rating's.
        passage: id of the passage that it cites; None for the one that the answer cited, as long
            as its document has not changed.
    Returns:
        id of the approved answer.
    Raises:
        UsageError: there is no such rating, it is decided, or it holds no answer to approve.
        EdgeSlmError: the base cannot be written to now.
    """
    by = _named(by)
    with schema.transaction(base.connection) as db:
        row = _waiting(db.conn, rating)
        text = proposed(row) if answer is None else _plain(answer).strip()
        if not text:
            raise UsageError(
                t(
                    "Rating {id} holds no answer to approve: give it with --answer.",
                    "L'avis {id} ne contient pas de réponse à approuver : donnez-la avec --answer.",
                    id=rating,
                )
            )
        if answer is None:
            _check_unmasked(rating, text)
        if passage is None:
            passage = _unchanged_passage(db.conn, row)
        asked = PLACEHOLDER.sub(" ", row.question) if question is None else _plain(question)
        approval = approvals.write(base, db.conn, asked.strip(), text, passage, by)
        (at,) = db.conn.execute(
            "SELECT approved_at FROM approved WHERE id = ?", (approval,)
        ).fetchone()
        _decide(db.conn, rating, "approved", by, at)
        db.conn.execute(
            "UPDATE ratings SET approval = ?, approval_at = ? WHERE id = ?", (approval, at, rating)
        )
        return approval


def reject(base: KnowledgeBase, rating: int, by: str) -> None:
    """Close a rating without an approved answer; arguments and errors are those of `approve`."""
    by = _named(by)
    with schema.transaction(base.connection) as db:
        _waiting(db.conn, rating)
        _decide(db.conn, rating, "rejected", by, schema.now())


def reopen(base: KnowledgeBase, rating: int) -> None:
    """Undo a decision: the rating waits again, and the answer approved from it is withdrawn.

    Raises:
        UsageError: there is no such rating, or it waits already.
    """
    with schema.transaction(base.connection) as db:
        row = _row(db.conn, rating)
        if row.status == "waiting":
            raise UsageError(
                t(
                    "Rating {id} waits already.",
                    "L'avis {id} est déjà en attente.",
                    id=rating,
                )
            )
        db.conn.execute(
            "DELETE FROM approved WHERE EXISTS (SELECT 1 FROM ratings WHERE ratings.id = ? "
            "AND approval = approved.id AND approval_at = approved.approved_at)",
            (rating,),
        )
        db.conn.execute(
            "UPDATE ratings SET status = 'waiting', decided_by = NULL, decided_at = NULL, "
            "approval = NULL, approval_at = NULL WHERE id = ?",
            (rating,),
        )


def _check_unmasked(rating: int, text: str) -> None:
    if masked := PLACEHOLDER.search(text):
        raise UsageError(
            t(
                "The text of rating {id} was masked ({masked}): give the answer to approve with "
                "--answer.",
                "Le texte de l'avis {id} a été masqué ({masked}) : donnez la réponse à approuver "
                "avec --answer.",
                id=rating,
                masked=masked[0],
            )
        )


def proposed(rating: Rating) -> str:
    """Return the answer that a rating holds to be right; empty where it says of none."""
    if rating.correction or rating.verdict == "bad":
        return rating.correction
    return rating.answer if rating.kind in CITING else ""


def _source(base: KnowledgeBase, answer: Answer) -> dict[str, object]:
    """Return where an answer came from: the first source that this base holds, and all of them."""
    facts: dict[str, object] = {
        "passages": msgspec.json.encode([source.passage for source in answer.sources]).decode()
    }
    for source in answer.sources:
        name, _, number = source.passage.rpartition(":")
        if name != base.name or not number.isdecimal():
            continue
        sha256 = base.connection.execute(
            "SELECT d.sha256 FROM documents d JOIN passages p ON p.document = d.id "
            "WHERE p.id = ? AND d.name = ?",
            (int(number), source.document),
        ).fetchone()
        facts |= {"passage": int(number), "document": source.document, "page": source.page}
        facts["document_sha256"] = sha256[0] if sha256 else None
        break
    return facts


def _unchanged_passage(connection: sqlite3.Connection, rating: Rating) -> int | None:
    # SQLite gives ids of passages anew: only the same document still holds what was cited.
    found = connection.execute(
        "SELECT p.id FROM passages p JOIN documents d ON d.id = p.document "
        "WHERE p.id = ? AND d.name = ? AND d.sha256 = ? AND p.page = ?",
        (rating.passage, rating.document, rating.document_sha256, rating.page),
    ).fetchone()
    return int(found[0]) if found else None


def _waiting(connection: sqlite3.Connection, rating: int) -> Rating:
    row = _row(connection, rating)
    if row.status != "waiting":
        raise UsageError(
            t(
                "Rating {id} is decided already ({status} by {by}): see kb review --reopen.",
                "L'avis {id} est déjà traité ({status} par {by}) : voir kb review --reopen.",
                id=rating,
                status=_STATUS_NAMES[row.status](),
                by=row.decided_by,
            )
        )
    return row


def _row(connection: sqlite3.Connection, rating: int) -> Rating:
    row = None
    if ratings_table.exists(connection) and abs(rating) < 1 << 63:  # what SQLite can compare
        row = connection.execute(
            f"SELECT {', '.join(ratings_table.COLUMNS)} FROM ratings WHERE id = ?", (rating,)
        ).fetchone()
    if row is None:
        raise UsageError(
            t(
                "The base has no rating {id}: list them with edge-slm kb review.",
                "La base n'a pas d'avis {id} : listez-les avec edge-slm kb review.",
                id=rating,
            )
        )
    return _rating(row)


def _rating(row: tuple[Any, ...]) -> Rating:
    values = dict(zip(ratings_table.COLUMNS, row, strict=True))
    try:
        values["passages"] = msgspec.json.decode(values["passages"])
        return msgspec.convert(values, Rating)
    except (msgspec.MsgspecError, TypeError, UnicodeDecodeError) as error:
        raise schema.damaged(error) from None


def _decide(connection: sqlite3.Connection, rating: int, status: Status, by: str, at: str) -> None:
    connection.execute(
        "UPDATE ratings SET status = ?, decided_by = ?, decided_at = ? WHERE id = ?",
        (status, by, at, rating),
    )


_STATUS_NAMES = {
    "waiting": lambda: t("waiting", "en attente"),
    "approved": lambda: t("approved", "approuvé"),
    "rejected": lambda: t("rejected", "rejeté"),
}


def _named(by: str) -> str:
    by = _bounded(by, LONGEST_NAME, t("name", "nom")).strip()
    if not by:
        raise UsageError(
            t(
                "Say who decides: --by NAME.",
                "Dites qui décide : --by NOM.",
            )
        )
    return by


def _bounded(text: str, longest: int, name: str) -> str:
    if len(text) > longest:
        raise UsageError(
            t(
                "The {name} is too long ({length} characters, at most {longest}): shorten it.",
                "Texte trop long ({name} : {length} caractères, {longest} au plus) : abrégez-le.",
                name=name,
                length=len(text),
                longest=longest,
            )
        )
    return _plain(text)


def _plain(text: str) -> str:
    """Return a text without what a terminal would obey, nor what is no Unicode text."""
    whole = text.encode("utf-8", "replace").decode()
    return "".join(char for char in whole if char in "\n\t" or char.isprintable() or char == "\xa0")
