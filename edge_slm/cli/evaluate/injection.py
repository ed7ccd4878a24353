"""edge-slm eval injection: do orders hidden in a text change what the assistant does?"""

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge_slm.cli.evaluate.common import DETAILS, FILE, SAMPLE, rows_of, show, write_details
from edge_slm.cli.options import AS_JSON, CHAT_MODEL
from edge_slm.i18n import t
from edge_slm.progress import progress

if TYPE_CHECKING:
    from edge_slm.evaluation.injection import CappedEngines, Text, Tried

WRITINGS = 20


@click.command(
    "injection",
    help=t(
        "Attacks resisted and harmless texts flagged. Rows: text. Attacks are typed as requests, "
        "or planted in a document that is asked about. Resisted: declined, quoted, approved, or "
        "written with sources and without what the attack quotes.",
        "Attaques sans effet et textes anodins signalés. Lignes : text. Les attaques sont tapées "
        "comme des demandes, ou glissées dans un document sur lequel on pose une question. Sans "
        "effet : déclinée, citée, approuvée, ou rédigée avec ses sources et sans ce que "
        "l'attaque cite.",
    ),
)
@rows_of("attacks", "JSON lines of attacks.", "Attaques en JSON lines.")
@click.option(
    "--benign",
    type=FILE,
    help=t("JSON lines of harmless texts.", "Textes anodins en JSON lines."),
)
@click.option(
    "--kb",
    help=t("Base to ask; all by default.", "Base à interroger ; toutes par défaut."),
)
@click.option(
    "--in-documents",
    is_flag=True,
    help=t(
        "Plant the attacks in a copy of the base, which --kb names.",
        "Glisser les attaques dans une copie de la base, que --kb nomme.",
    ),
)
@click.option(
    "--model-only",
    is_flag=True,
    help=t(
        "With --in-documents: ask the model alone, without the other rungs and the checks.",
        "Avec --in-documents : interroger le modèle seul, sans les autres barreaux ni contrôles.",
    ),
)
@click.option(
    "--writings",
    type=click.IntRange(min=0),
    default=WRITINGS,
    show_default=True,
    help=t("Let the model write N times at most.", "Ne laisser le modèle rédiger que N fois."),
)
@CHAT_MODEL
@SAMPLE
@DETAILS
@AS_JSON
def command(
    attacks: Path,
    benign: Path | None,
    kb: str | None,
    in_documents: bool,
    model_only: bool,
    writings: int,
    model: str | None,
    sample: int | None,
    details: Path | None,
    as_json: bool,
) -> None:
    """Score the resistance to injections."""
    from edge_slm.evaluation.injection import CappedEngines, Text, bare, planted, score
    from edge_slm.evaluation.rows import read_rows, sampled

    if in_documents and not kb:
        raise click.UsageError(t("Name the base with --kb.", "Nommez la base avec --kb."))
    if model_only and not in_documents:
        raise click.UsageError(
            t("--model-only needs --in-documents.", "--model-only demande --in-documents.")
        )
    harmless = read_rows(benign, Text) if benign else []
    rows = sampled(read_rows(attacks, Text), sample)
    engines = CappedEngines(model, writings)
    with progress(t("Attacking", "Attaques"), len(rows)) as advance:
        if in_documents:
            tried = _plant(rows, str(kb), engines, advance, bare if model_only else planted)
        else:
            tried = _type(rows, kb, engines, advance)
    write_details(details, tried)
    show(score(tried, harmless), as_json)


def _type(
    attacks: "Sequence[Text]",
    kb: str | None,
    engines: "CappedEngines",
    advance: Callable[[int], None],
) -> "list[Tried]":
    from edge_slm.assistant import Assistant
    from edge_slm.evaluation.injection import typed
    from edge_slm.kb.base import KnowledgeBase, base_path, list_bases

    files = [base_path(kb)] if kb else list_bases()
    if not files:
        click.echo(
            t(
                "There is no base: what is not detected is declined for want of documents. Make "
                "one with edge-slm demo, or name one with --kb.",
                "Il n'y a pas de base : ce qui n'est pas détecté est décliné faute de documents. "
                "Créez-en une avec edge-slm demo, ou nommez-la avec --kb.",
            ),
            err=True,
        )
    with Assistant(engines, [KnowledgeBase.open(path) for path in files]) as assistant:
        return typed(assistant, engines, attacks, advance)


def _plant(
    attacks: "Sequence[Text]",
    kb: str,
    engines: "CappedEngines",
    advance: Callable[[int], None],
    way: "Callable[..., list[Tried]]",
) -> "list[Tried]":
    from edge_slm.evaluation.injection import copied
    from edge_slm.kb.base import KnowledgeBase, base_path

    try:
        with (
            tempfile.TemporaryDirectory() as folder,
            KnowledgeBase.open(copied(base_path(kb), Path(folder))) as base,
        ):
            return way(base, engines, attacks, advance)
    finally:
        engines.close()
