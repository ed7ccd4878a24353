"""edge-slm eval triage: are mails sorted right, and do the others reach a person?"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge_slm.cli.evaluate.common import DETAILS, FILE, SAMPLE, rows_of, show, write_details
from edge_slm.cli.options import AS_JSON, CHAT_MODEL
from edge_slm.i18n import Language, t
from edge_slm.progress import progress

if TYPE_CHECKING:
    from edge_slm.engines.loaded import Engines
    from edge_slm.evaluation.triage import Choose
    from edge_slm.tasks.triage.classify import Verdict
    from edge_slm.tasks.triage.labels import Label, Labels
    from edge_slm.tasks.triage.mail import Mail

SHORTLIST = 4  # labels that a model chooses among


@click.command(
    "triage",
    help=t(
        "Labels, service, urgency, missing pieces, and what goes to a person. Rows: labels, and "
        "mail (a file beside the rows) or text; service, urgency, missing, to_human where known.",
        "Étiquettes, service, urgence, pièces manquantes, et ce qui va à une personne. Lignes : "
        "labels, et mail (un fichier à côté des lignes) ou text ; service, urgency, missing, "
        "to_human s'ils sont connus.",
    ),
)
@rows_of("mails", "JSON lines of mails.", "Courriers en JSON lines.")
@click.option(
    "--labels",
    type=FILE,
    metavar="JSON",
    help=t(
        "File of labels; labels.json beside the rows by default.",
        "Fichier d'étiquettes ; par défaut labels.json à côté des lignes.",
    ),
)
@click.option(
    "--labels-by",
    type=click.Choice(["classifier", "model", "shortlist"]),
    default="classifier",
    help=t(
        "Who chooses: the classifier, a chat model among all labels, or among its best four.",
        "Qui choisit : le classifieur, un modèle parmi toutes les étiquettes, ou parmi ses quatre "
        "meilleures.",
    ),
)
@SAMPLE
@DETAILS
@CHAT_MODEL
@AS_JSON
def command(
    mails: Path,
    labels: Path | None,
    labels_by: str,
    sample: int | None,
    details: Path | None,
    model: str | None,
    as_json: bool,
) -> None:
    """Score triage."""
    from edge_slm.engines.loaded import EMBEDDER, Engines
    from edge_slm.evaluation.rows import read_rows, sampled
    from edge_slm.evaluation.triage import Row, evaluate
    from edge_slm.process_tree import cpu_seconds
    from edge_slm.tasks.triage.classify import Classifier
    from edge_slm.tasks.triage.labels import read_labels

    rows = sampled(read_rows(mails, Row), sample)
    known = read_labels(labels or mails.parent / "labels.json")
    engines = Engines(model)
    try:
        classifier = Classifier(known.labels, engines.embedder(), EMBEDDER)
        choose = _chooser(labels_by, known, engines)
        with progress(t("Sorting", "Tri"), len(rows)) as advance:
            score, found = evaluate(
                rows,
                mails.parent,
                known,
                classifier,
                cpu_seconds,
                choose,
                lambda: advance(1),
            )
    finally:
        engines.close()
    write_details(details, found)
    show(score, as_json)


def _chooser(by: str, known: "Labels", engines: "Engines") -> "Choose | None":
    from edge_slm.privacy.mask import mask
    from edge_slm.tasks.triage.model import choose

    if by == "classifier":
        return None
    names = {label.name: label for label in known.labels}

    def chosen(mail: "Mail", verdict: "Verdict") -> "Sequence[Label]":
        among = verdict.ranked[:SHORTLIST] if by == "shortlist" else known.labels
        language: Language = "fr" if mail.language == "fr" else "en"
        engine, _ = engines.chat()
        found, _ = choose(engine, mask(mail.words).text, among, language)
        return [names[name] for name in found]

    return chosen
