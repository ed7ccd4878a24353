"""edge-slm kb review: what people said of answers, and the answers that a person approves."""

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from edge_slm.cli import output
from edge_slm.cli.options import AS_JSON
from edge_slm.errors import UsageError
from edge_slm.i18n import t

if TYPE_CHECKING:
    from edge_slm.kb.base import KnowledgeBase


@click.command(
    "review",
    help=t(
        "List the ratings that wait in a base, or in all of them; approve or reject one; approve "
        "an answer of your own for a QUESTION; withdraw one.",
        "Lister les avis en attente dans une base, ou dans toutes ; en approuver ou rejeter un ; "
        "approuver une réponse de votre main pour une QUESTION ; en retirer une.",
    ),
)
@click.argument("name", required=False)
@click.option(
    "--approve",
    type=int,
    metavar="ID",
    help=t(
        "Make an approved answer of a rating: its correction, or --answer.",
        "Faire d'un avis une réponse approuvée : sa correction, ou --answer.",
    ),
)
@click.option("--reject", type=int, metavar="ID", help=t("Close a rating.", "Clore un avis."))
@click.option(
    "--reopen",
    type=int,
    metavar="ID",
    help=t(
        "Undo a decision; the answer approved from it is withdrawn.",
        "Annuler une décision ; la réponse approuvée qui en vient est retirée.",
    ),
)
@click.option("--question", help=t("Question to approve for.", "Question concernée."))
@click.option("--answer", help=t("Answer, word for word.", "Réponse, mot pour mot."))
@click.option("--by", help=t("Who decides.", "Qui décide."))
@click.option(
    "--passage",
    type=int,
    help=t("Passage that it cites (kb search --json).", "Passage cité (kb search --json)."),
)
@click.option(
    "--withdraw",
    type=int,
    metavar="ID",
    help=t("Withdraw an approved answer.", "Retirer une réponse approuvée."),
)
@click.option(
    "--approved",
    is_flag=True,
    help=t("List the approved answers.", "Lister les réponses approuvées."),
)
@click.option(
    "--all", "everything", is_flag=True, help=t("List decided ratings too.", "Avis traités aussi.")
)
@click.option(
    "--export",
    "file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help=t(
        "Write the rated answers to FILE (.jsonl or .csv): query, output, output_true.",
        "Écrire les réponses jugées dans FILE (.jsonl ou .csv) : query, output, output_true.",
    ),
)
@AS_JSON
def command(
    name: str | None,
    approve: int | None,
    reject: int | None,
    reopen: int | None,
    question: str | None,
    answer: str | None,
    by: str | None,
    passage: int | None,
    withdraw: int | None,
    approved: bool,
    everything: bool,
    file: Path | None,
    as_json: bool,
) -> None:
    """Review ratings and approve answers."""
    deeds = [deed for deed in (approve, reject, reopen, withdraw) if deed is not None]
    words = (question, answer, by, passage) != (None, None, None, None)
    if len(deeds) > 1 or (file and (deeds or words)):
        raise UsageError(t("Ask for one thing at a time.", "Demandez une seule chose à la fois."))
    with ExitStack() as stack:
        bases = [stack.enter_context(base) for base in _opened(name)]
        if file:
            _export(bases, file)
        elif not deeds and not words:
            _list(bases, approved=approved, everything=everything, as_json=as_json)
        elif withdraw is not None:
            _withdraw(_only(bases), withdraw)
        elif reopen is not None:
            _reopen(_only(bases), reopen)
        elif reject is not None:
            _reject(_only(bases), reject, by)
        elif approve is not None:
            _approve_rating(_only(bases), approve, by, question, answer, passage)
        else:
            _approve(_only(bases), question, answer, by, passage)


def _opened(name: str | None) -> "list[KnowledgeBase]":
    from edge_slm.kb.base import KnowledgeBase, base_path, list_bases

    return [KnowledgeBase.open(path) for path in ([base_path(name)] if name else list_bases())]


def _only(bases: "list[KnowledgeBase]") -> "KnowledgeBase":
    if len(bases) != 1:
        raise UsageError(
            t(
                "Name the base: edge-slm kb review NAME … (edge-slm kb list shows them).",
                "Nommez la base : edge-slm kb review NOM … (edge-slm kb list les montre).",
            )
        )
    return bases[0]


def _list(bases: "list[KnowledgeBase]", *, approved: bool, everything: bool, as_json: bool) -> None:
    from edge_slm.kb import approvals, ratings

    rows: list[dict[str, object]] = []
    for base in bases:
        if approved:
            rows += [{"base": base.name, **row} for row in approvals.all_of(base)]
        else:
            found = ratings.all_of(base, None if everything else "waiting")
            rows += [{"base": base.name, **msgspec.to_builtins(rating)} for rating in found]
    if as_json:
        output.show_json(rows)
        return
    for row in rows:
        click.echo(_approval_line(row) if approved else _rating_lines(row))
    if not rows and not approved:
        _say(t("No rating waits.", "Aucun avis n'est en attente."))


def _approval_line(row: dict[str, object]) -> str:
    return "{id}\t{question}\t{answer}\t{approved_by}, {approved_at}".format(**row)


def _rating_lines(row: dict[str, object]) -> str:
    verdict = t("good", "bon") if row["verdict"] == "good" else t("bad", "mauvais")
    place = f"{row['document']}, p. {row['page']}" if row["document"] else "-"
    lines = [
        f"{row['id']}\t{row['base']}\t{verdict}\t{row['status']}\t{row['at']}\t{row['by'] or '-'}",
        t("  Question: {text}", "  Question : {text}", text=row["question"]),
        t(
            "  Answer ({kind}, {place}): {text}",
            "  Réponse ({kind}, {place}) : {text}",
            kind=row["kind"],
            place=place,
            text=row["answer"],
        ),
    ]
    if row["reason"]:
        lines.append(t("  Reason: {text}", "  Motif : {text}", text=row["reason"]))
    if row["correction"]:
        lines.append(t("  Correction: {text}", "  Correction : {text}", text=row["correction"]))
    return "\n".join(lines)


def _approve(
    base: "KnowledgeBase",
    question: str | None,
    answer: str | None,
    by: str | None,
    passage: int | None,
) -> None:
    from edge_slm.kb import approvals

    if not (question and answer and by):
        raise UsageError(
            t(
                "An approval needs --question, --answer and --by.",
                "Une approbation demande --question, --answer et --by.",
            )
        )
    approvals.approve(base, question, answer, passage, by)


def _approve_rating(
    base: "KnowledgeBase",
    rating: int,
    by: str | None,
    question: str | None,
    answer: str | None,
    passage: int | None,
) -> None:
    from edge_slm.kb import ratings

    if answer is not None and not answer.strip():
        raise UsageError(
            t(
                "The answer is empty: give its text after --answer.",
                "La réponse est vide : donnez son texte après --answer.",
            )
        )
    number = ratings.approve(
        base, rating, by or "", question=question, answer=answer, passage=passage
    )
    _say(
        t(
            "Approved: answer {id} of the base “{name}” serves from now on.",
            "Approuvé : la réponse {id} de la base « {name} » sert dès maintenant.",
            id=number,
            name=base.name,
        )
    )


def _reject(base: "KnowledgeBase", rating: int, by: str | None) -> None:
    from edge_slm.kb import ratings

    ratings.reject(base, rating, by or "")
    _say(t("Rating {id} is closed.", "L'avis {id} est clos.", id=rating))


def _reopen(base: "KnowledgeBase", rating: int) -> None:
    from edge_slm.kb import ratings

    ratings.reopen(base, rating)
    _say(t("Rating {id} waits again.", "L'avis {id} est de nouveau en attente.", id=rating))


def _withdraw(base: "KnowledgeBase", approval: int) -> None:
    from edge_slm.kb import approvals

    if not approvals.withdraw(base, approval):
        raise UsageError(
            t("No approval has id {id}.", "Aucune approbation n'a l'id {id}.", id=approval)
        )


def _export(bases: "list[KnowledgeBase]", file: Path) -> None:
    from edge_slm.kb import ratings_export

    rows = [pair for base in bases for pair in ratings_export.pairs(base)]
    ratings_export.write(rows, file)
    _say(t("Written: {file} ({n} rows)", "Écrit : {file} ({n} lignes)", file=file, n=len(rows)))


def _say(sentence: str) -> None:
    click.echo(sentence, err=True)
