"""Approved answers: what a person takes responsibility for, given word for word."""

from typing import Any

from edge_slm.errors import UsageError
from edge_slm.i18n import t
from edge_slm.kb import schema
from edge_slm.kb.base import KnowledgeBase
from edge_slm.kb.lexical import stems

_COLUMNS = ("id", "question", "answer", "approved_by", "approved_at")


def approve(
    base: KnowledgeBase, question: str, answer: str, passage: int | None, approved_by: str
) -> None:
    """Keep an answer to a question.

    Args:
        base: the base.
        question: the question; another wording with the same stems gets the same answer.
        answer: the text.
        passage: id of the passage that it cites, or None.
        approved_by: who takes responsibility for it.
    Raises:
        UsageError: the question holds no word, or the passage does not exist.
    """
    key = _key(base, question)
    if not key:
        raise UsageError(t("The question holds no word.", "La question ne contient aucun mot."))
    with schema.transaction(base.connection) as db:
        if passage is not None and not db.table("passages").count_where("id = ?", [passage]):
            raise UsageError(
                t(
                    "The base has no passage {id}: find its number with edge-slm kb search --json.",
                    "La base n'a pas de passage {id} : cherchez son numéro avec edge-slm kb search "
                    "--json.",
                    id=passage,
                )
            )
        db.table("approved").delete_where("key = ?", [key])
        db.table("approved").insert(
            {
                "key": key,
                "question": question,
                "answer": answer,
                "passage": passage,
                "approved_by": approved_by,
                "approved_at": schema.now(),
            }
        )


@schema.explained()
def find(base: KnowledgeBase, question: str) -> tuple[str, int | None] | None:
    """Return the approved answer to a question and the passage it cites, or None."""
    row = base.connection.execute(
        "SELECT answer, passage FROM approved WHERE key = ?", (_key(base, question),)
    ).fetchone()
    return (str(row[0]), row[1]) if row else None


@schema.explained()
def all_of(base: KnowledgeBase) -> list[dict[str, Any]]:
    """Return all approved answers: id, question, answer, approved_by, approved_at."""
    rows = base.connection.execute(f"SELECT {', '.join(_COLUMNS)} FROM approved ORDER BY id")
    return [dict(zip(_COLUMNS, row, strict=True)) for row in rows]


def withdraw(base: KnowledgeBase, approval: int) -> bool:
    """Remove an approved answer by its id; return whether it was there."""
    with schema.transaction(base.connection) as db:
        found = db.conn.execute("DELETE FROM approved WHERE id = ?", (approval,)).rowcount
    return found > 0


def _key(base: KnowledgeBase, question: str) -> str:
    return " ".join(sorted(set(stems(question, base.language))))
