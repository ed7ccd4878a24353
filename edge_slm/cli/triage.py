"""edge-slm triage."""

import sys
from pathlib import Path

import click

from edge_slm import files, paths
from edge_slm.answer import Answer
from edge_slm.cli import output
from edge_slm.cli.options import AS_JSON, CHAT_MODEL
from edge_slm.errors import UsageError
from edge_slm.i18n import t
from edge_slm.tasks.triage.labels import Labels, read_labels
from edge_slm.tasks.triage.mail import Mail, mail_of, read_mail

LONGEST_INPUT = 100 * 10**6  # bytes of standard input, as of a file
LABELS_FILE = "triage.json"


@click.command(
    "triage",
    help=t(
        "Sort MAIL, a .eml file, a letter (text, PDF, DOCX, ODT, HTML) or standard input (“-”): "
        "labels, service, urgency, missing pieces, a draft reply, or “to a human”. Nothing is "
        "sent.",
        "Trier MAIL, un fichier .eml, une lettre (texte, PDF, DOCX, ODT, HTML) ou l'entrée "
        "standard (« - ») : étiquettes, service, urgence, pièces manquantes, brouillon de réponse, "
        "ou « à une personne ». Rien n'est envoyé.",
    ),
)
@click.argument("mail", type=click.Path(path_type=Path, allow_dash=True), metavar="MAIL|-")
@click.option(
    "--labels",
    type=click.Path(path_type=Path),
    metavar="JSON",
    help=t(
        "File of labels; triage.json of the data folder, else the sample's, by default.",
        "Fichier d'étiquettes ; par défaut triage.json du dossier de données, sinon l'exemple.",
    ),
)
@click.option(
    "--kb",
    "bases",
    multiple=True,
    metavar="NAME",
    help=t("Base to answer from; all by default.", "Base à interroger ; toutes par défaut."),
)
@click.option(
    "-o",
    "--output",
    "destination",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help=t("File to write the draft to.", "Fichier où écrire le brouillon."),
)
@AS_JSON
@CHAT_MODEL
def command(
    mail: Path,
    labels: Path | None,
    bases: tuple[str, ...],
    destination: Path | None,
    as_json: bool,
    model: str | None,
) -> None:
    """Sort a mail."""
    from edge_slm.assistant import Assistant

    known = _labels(labels)
    read = _mail(mail)
    with Assistant.open(model=model, kb=bases or None) as assistant:
        answer = assistant.triage(read, known)
    assert answer.triage
    if destination:
        with files.replacing(destination) as temporary:
            temporary.write_text(answer.triage.draft, encoding="utf-8")
    click.echo(answer.to_json() if as_json else _shown(answer, draft=not destination))
    output.show_warnings(answer)


def _shown(answer: Answer, *, draft: bool) -> str:
    assert answer.triage
    if not draft or not answer.triage.draft:
        return answer.text
    rule = t("--- Draft, not sent ---", "--- Brouillon, non envoyé ---")
    return f"{answer.text}\n\n{rule}\n{answer.triage.draft.rstrip()}"


def _labels(path: Path | None) -> Labels:
    if path:
        return read_labels(path)
    own = paths.data_dir() / LABELS_FILE
    if own.exists():
        return read_labels(own)
    click.echo(
        t(
            "Warning: these are the sample's labels; write yours to {path}.",
            "Attention : ce sont les étiquettes de l'exemple ; écrivez les vôtres dans {path}.",
            path=own,
        ),
        err=True,
    )
    return read_labels(paths.examples_dir() / "triage" / "labels.json")


def _mail(path: Path) -> Mail:
    if str(path) != "-":
        return read_mail(path)
    data = sys.stdin.buffer.read(LONGEST_INPUT + 1)
    if len(data) > LONGEST_INPUT:
        raise UsageError(
            t(
                "Standard input holds over 100 MB: give a file without its attachments.",
                "L'entrée standard dépasse 100 Mo : donnez un fichier sans ses pièces jointes.",
            )
        )
    return mail_of(data, t("standard input", "l'entrée standard"))
