"""edge-slm kb: make, fill, look into and share knowledge bases."""

import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from edge_slm.cli import kb_review, kb_set, kb_synonyms, output, prepare
from edge_slm.cli.options import AS_JSON
from edge_slm.errors import EdgeSlmError, UsageError
from edge_slm.i18n import size, t
from edge_slm.progress import progress

if TYPE_CHECKING:
    from edge_slm.kb.base import KnowledgeBase

YES_HELP = t("Do not ask.", "Ne pas demander.")


@click.group(
    "kb",
    help=t(
        "Knowledge bases: one file each, copied like any file.",
        "Bases documentaires : un fichier chacune, qui se copie comme tout fichier.",
    ),
)
def command() -> None:
    """Group of the commands on bases."""


command.add_command(prepare.command)
command.add_command(kb_synonyms.command)
command.add_command(kb_review.command)
command.add_command(kb_set.command)


@command.command("create", help=t("Make an empty base NAME.", "Créer une base vide NAME."))
@click.argument("name")
@click.option(
    "--language",
    type=click.Choice(["fr", "en"]),
    default="fr",
    show_default=True,
    help=t("Language of the documents.", "Langue des documents."),
)
@click.option(
    "--contact",
    default="",
    help=t(
        "Whom to ask when the base does not answer.",
        "À qui s'adresser quand la base ne répond pas.",
    ),
)
@click.option(
    "--audience",
    help=t(
        "Words that go without saying for those who ask (default: civil service).",
        "Mots qui vont sans dire pour ceux qui demandent (défaut : fonction publique).",
    ),
)
def create(name: str, language: str, contact: str, audience: str | None) -> None:
    """Make an empty base."""
    from edge_slm.cards import get_card
    from edge_slm.engines.loaded import EMBEDDER
    from edge_slm.kb.base import KnowledgeBase, base_path

    embed = get_card(EMBEDDER).embed
    assert embed
    with KnowledgeBase.create(
        base_path(name),
        EMBEDDER,
        embed.dimensions,
        "en" if language == "en" else "fr",
        contact,
        audience,
    ) as base:
        _say(
            t(
                "Base “{name}” made ({path}). Fill it: edge-slm kb add {name} FOLDER",
                "Base « {name} » créée ({path}). Remplissez-la : edge-slm kb add {name} DOSSIER",
                name=base.name,
                path=base.path,
            )
        )


@command.command(
    "add",
    help=t(
        "Add files or folders to a base. A document already there is left as it is; a newer "
        "version takes its place.",
        "Ajouter des fichiers ou des dossiers à une base. Un document déjà présent reste tel "
        "quel ; une version plus récente le remplace.",
    ),
)
@click.argument("name")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--access",
    default="",
    metavar="LABEL",
    help=t("Label of who may read them.", "Étiquette de qui peut les lire."),
)
@click.option(
    "--prepare",
    "prepares",
    is_flag=True,
    help=t("Then do what “kb prepare” does.", "Puis faire ce que fait « kb prepare »."),
)
def add(name: str, paths: tuple[Path, ...], access: str, prepares: bool) -> int:
    """Add documents."""
    from edge_slm.engines.loaded import Engines
    from edge_slm.kb.ingest import add_files, find_files, nothing_found

    with _open(name) as base, closing(Engines()) as engines:
        files = find_files(paths)
        if not files:
            raise nothing_found(paths)
        embedder = engines.embedder(base.meta["embedder"])
        with progress(t("Reading", "Lecture"), len(files)) as advance:
            report = add_files(
                base, embedder, files, access=access, on_file=lambda _: advance(1), on_error=_say
            )
        _say(
            t(
                "{added} added, {same} unchanged, {failed} left out; "
                "the base holds {total} passages.",
                "{added} ajoutés, {same} inchangés, {failed} écartés ; "
                "la base compte {total} passages.",
                added=len(report.added),
                same=len(report.unchanged),
                failed=len(report.failed),
                total=base.passage_count(),
            )
        )
        if prepares:
            prepare.run(base, engines)
        return UsageError.exit_code if report.failed else 0


@command.command("list", help=t("List the bases.", "Lister les bases."))
@AS_JSON
def list_command(as_json: bool) -> None:
    """List the bases."""
    from edge_slm.kb.base import KnowledgeBase, list_bases

    rows = []
    for path in list_bases():
        try:
            with KnowledgeBase.open(path) as base:
                rows.append(
                    {
                        "name": base.name,
                        "documents": len(base.documents()),
                        "passages": base.passage_count(),
                        "bytes": path.stat().st_size,
                        "path": str(path),
                    }
                )
        except EdgeSlmError as error:
            _say(str(error))
    if as_json:
        output.show_json(rows)
        return
    for row in rows:
        click.echo(
            t(
                "{name}: {documents} documents, {passages} passages, {size}",
                "{name} : {documents} documents, {passages} passages, {size}",
                size=size(int(str(row["bytes"]))),
                **{key: row[key] for key in ("name", "documents", "passages")},
            )
        )
    if not rows:
        _say(
            t(
                "No base yet: edge-slm kb create NAME, or edge-slm demo for a sample.",
                "Aucune base : edge-slm kb create NOM, ou edge-slm demo pour un exemple.",
            )
        )


@command.command(
    "show",
    help=t(
        "Show the documents of a base, or the text of a DOCUMENT's page.",
        "Montrer les documents d'une base, ou le texte d'une page d'un DOCUMENT.",
    ),
)
@click.argument("name")
@click.argument("document", required=False)
@click.option(
    "--page",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help=t("Page to show.", "Page à montrer."),
)
@AS_JSON
def show(name: str, document: str | None, page: int, as_json: bool) -> None:
    """Show documents or a page."""
    with _open(name) as base:
        if document is not None:
            click.echo(_page(base, document, page))
        elif as_json:
            documents = [msgspec.to_builtins(item) for item in base.documents()]
            output.show_json({"name": base.name, **base.meta, "documents": documents})
        else:
            for item in base.documents():
                click.echo(f"{item.name}\t{item.title}\t{item.pages} p.\t{item.date}")


@command.command(
    "search",
    help=t(
        "Show the passages nearest to a QUERY.", "Montrer les passages les plus proches de QUERY."
    ),
)
@click.argument("name")
@click.argument("query", nargs=-1, required=True)
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=5,
    show_default=True,
    help=t("Passages shown.", "Passages montrés."),
)
@AS_JSON
def search_command(name: str, query: tuple[str, ...], limit: int, as_json: bool) -> None:
    """Search a base."""
    from edge_slm.engines.loaded import Engines
    from edge_slm.kb.search import search

    text = output.as_text(query)
    if not text.strip():
        raise UsageError(
            t("The query is empty: give some words.", "La recherche est vide : donnez des mots.")
        )
    with _open(name) as base, closing(Engines()) as engines:
        embedder = engines.embedder(base.meta["embedder"])
        found = search(base, embedder, text, limit)
    if as_json:
        output.show_json([msgspec.to_builtins(hit) for hit in found.hits])
        return
    for hit in found.hits:
        place = " > ".join(part for part in (hit.title, hit.section) if part)
        click.echo(f"{hit.score:.2f}  {hit.document}, p. {hit.page}: {place}")
        click.echo(f"      {hit.text[:200].replace(chr(10), ' ')}")


@command.command(
    "remove",
    help=t(
        "Remove DOCUMENTS from a base, or the whole base.",
        "Retirer des DOCUMENTS d'une base, ou la base entière.",
    ),
)
@click.argument("name")
@click.argument("documents", nargs=-1)
@click.option("--yes", is_flag=True, help=YES_HELP)
def remove(name: str, documents: tuple[str, ...], yes: bool) -> int:
    """Remove documents or a base."""
    with _open(name) as base:
        path, count = base.path, len(base.documents())
        if documents:
            return _remove_documents(base, documents)
    if not yes and not sys.stdin.isatty():
        raise UsageError(
            t(
                "Add --yes to remove the base “{name}” without being asked.",
                "Ajoutez --yes pour retirer la base « {name} » sans confirmation.",
                name=name,
            )
        )
    question = t(
        "Remove the base “{name}” and its {count} documents?",
        "Retirer la base « {name} » et ses {count} documents ?",
        name=name,
        count=count,
    )
    if not yes:
        click.confirm(question, abort=True, err=True)
    path.unlink()
    _say(t("Base “{name}” removed.", "Base « {name} » retirée.", name=name))
    return 0


@command.command(
    "export",
    help=t(
        "Copy a base to FILE: .db for the base, .jsonl for its documents.",
        "Copier une base dans FILE : .db pour la base, .jsonl pour ses documents.",
    ),
)
@click.argument("name")
@click.argument("file", type=click.Path(path_type=Path))
def export(name: str, file: Path) -> None:
    """Copy a base."""
    from edge_slm.kb.export import export_base

    with _open(name) as base:
        export_base(base, file)
    _say(t("Written: {file}", "Écrit : {file}", file=file))


def _open(name: str) -> "KnowledgeBase":
    from edge_slm.kb.base import KnowledgeBase, base_path

    return KnowledgeBase.open(base_path(name))


def _page(base: "KnowledgeBase", document: str, page: int) -> str:
    text = base.page(document, page)
    if text is None:
        raise UsageError(
            t(
                "The base has no page {page} of “{document}”: see edge-slm kb show {name}.",
                "La base n'a pas de page {page} de « {document} » : voir edge-slm kb show {name}.",
                page=page,
                document=document,
                name=base.name,
            )
        )
    return text


def _remove_documents(base: "KnowledgeBase", documents: Sequence[str]) -> int:
    missing = [document for document in documents if not base.remove(document)]
    for document in missing:
        _say(
            t("The base has no “{d}”.", "La base n'a pas de « {d} ».", d=document),
        )
    _say(t("{n} removed.", "{n} retirés.", n=len(documents) - len(missing)))
    return UsageError.exit_code if missing else 0


def _say(sentence: str) -> None:
    click.echo(sentence, err=True)
