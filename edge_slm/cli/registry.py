"""`edge-slm registry`: statements about this installation, for registers and audits."""

from pathlib import Path

import click

from edge_slm.cli import output
from edge_slm.cli.options import AS_JSON
from edge_slm.i18n import interface_language, t

FORMATS = ("rgesn",)


@click.group(
    "registry",
    short_help=t("Statements for registers.", "Déclarations pour les registres."),
    help=t(
        "Statements about this installation, from what is installed and measured.",
        "Déclarations sur cette installation, d'après ce qui est installé et mesuré.",
    ),
)
def command() -> None:
    """Group of the statements."""


@command.command(
    help=t(
        "Write a statement: rgesn is the eco-design statement (RGESN 2024: 9.1 to 9.7, 2.3, 4.12, "
        "4.15). A figure that is missing says which command measures it.",
        "Écrire une déclaration : rgesn est la déclaration d'écoconception (RGESN 2024 : 9.1 à "
        "9.7, 2.3, 4.12, 4.15). Un chiffre absent dit quelle commande le mesure.",
    )
)
@click.option(
    "--format",
    "form",
    required=True,
    type=click.Choice(FORMATS),
    help=t("The statement.", "La déclaration."),
)
@click.option(
    "-o",
    "--output",
    "file",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help=t("Write to this file.", "Écrire dans ce fichier."),
)
@click.option(
    "--results",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help=t("Results of edge-slm bench, JSON lines.", "Résultats d'edge-slm bench, lignes JSON."),
)
@click.option(
    "--lang",
    "language",
    type=click.Choice(("fr", "en")),
    help=t(
        "Language of the statement, the interface's by default.",
        "Langue de la déclaration, celle de l'interface par défaut.",
    ),
)
@AS_JSON
def export(
    form: str, file: Path | None, results: Path | None, language: str | None, as_json: bool
) -> None:
    """Write a statement."""
    import msgspec

    from edge_slm.files import replacing
    from edge_slm.registry.figures import collect
    from edge_slm.registry.markdown import as_markdown
    from edge_slm.registry.rgesn import statement

    assert form in FORMATS
    speech = language or interface_language()
    found = statement(collect(speech, results), speech)
    if file is None:
        if as_json:
            output.show_json(found)
        else:
            click.echo(as_markdown(found), nl=False)
        return
    json = msgspec.json.format(msgspec.json.encode(found), indent=2).decode() + "\n"
    with replacing(file) as temporary:
        temporary.write_text(json if as_json else as_markdown(found), encoding="utf-8")
    click.echo(t("Written to {file}", "Écrit dans {file}", file=file), err=True)
