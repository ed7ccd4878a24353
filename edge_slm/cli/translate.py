"""edge-slm translate."""

import sys
from pathlib import Path

import click

from edge_slm import files
from edge_slm.cli import output
from edge_slm.cli.options import AS_JSON, CHAT_MODEL
from edge_slm.errors import UsageError
from edge_slm.i18n import t
from edge_slm.language import NAMES, code_of

LONGEST_FILE = 2_000_000  # bytes: days of work for a small model
SUFFIXES = frozenset({".txt", ".md", ".markdown", ".html", ".htm", ".srt", ".vtt", ".csv"})


class LanguageType(click.ParamType[str]):
    """A language by code or name."""

    name = "LANG"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the code, or fail naming those that are known."""
        code = code_of(value)
        if code is None:
            self.fail(
                t(
                    "“{value}” is not a known language: {known}.",
                    "« {value} » n'est pas une langue connue : {known}.",
                    value=value,
                    known=", ".join(NAMES),
                ),
                param,
                ctx,
            )
        return code


LANGUAGE = LanguageType()


@click.command(
    "translate",
    help=t(
        "Translate TEXT, a text or Markdown FILE, or standard input (“-”).",
        "Traduire TEXT, un fichier (FILE) texte ou Markdown, ou l'entrée standard (« - »).",
    ),
)
@click.argument("text", nargs=-1, required=True, metavar="TEXT|FILE|-")
@click.option(
    "--from",
    "source",
    type=LANGUAGE,
    help=t("Language of the text; found by default.", "Langue du texte ; reconnue par défaut."),
)
@click.option(
    "--to",
    "target",
    type=LANGUAGE,
    help=t(
        "Language wanted: French by default, English from French.",
        "Langue voulue : français par défaut, anglais si le texte est français.",
    ),
)
@click.option(
    "--glossary",
    type=click.Path(path_type=Path),
    metavar="CSV",
    help=t("CSV file of two columns: term, translation.", "Fichier CSV : terme, traduction."),
)
@click.option(
    "-o",
    "--output",
    "destination",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help=t("File to write.", "Fichier à écrire."),
)
@AS_JSON
@CHAT_MODEL
def command(
    text: tuple[str, ...],
    source: str | None,
    target: str | None,
    glossary: Path | None,
    destination: Path | None,
    as_json: bool,
    model: str | None,
) -> None:
    """Translate."""
    from edge_slm.assistant import Assistant
    from edge_slm.tasks.translation import read_glossary

    pairs = read_glossary(glossary) if glossary else []
    content = _content(text)
    streamed = output.to_terminal() and not as_json and destination is None
    with Assistant.open(model=model, kb=()) as assistant:
        on_piece = output.show_piece if streamed else output.hide_piece
        answer = assistant.translate(content, source, target, pairs, on_piece)
    printed = answer.to_json() if as_json else answer.text
    if destination:
        with files.replacing(destination) as temporary:
            temporary.write_text(printed.rstrip("\n") + "\n", encoding="utf-8")
    elif streamed:
        click.echo()
    else:
        click.echo(printed.rstrip("\n"))
    output.show_warnings(answer)


def _content(words: tuple[str, ...]) -> str:
    argument = " ".join(words)
    if argument == "-":
        name = t("Standard input", "L'entrée standard")
        return _decoded(sys.stdin.buffer.read(LONGEST_FILE + 1), name)
    path = Path(argument)
    # A sentence may be longer than a file name can be.
    if len(argument) < 1024 and "\n" not in argument and path.is_file():
        with path.open("rb") as file:
            return _decoded(file.read(LONGEST_FILE + 1), path.name)
    # One word with the suffix of a text is a file that is not there, never a sentence.
    if path.suffix.lower() in SUFFIXES and len(argument.split()) == 1:
        raise UsageError(
            t("There is no file {path}.", "Il n'y a pas de fichier {path}.", path=argument)
        )
    return output.as_text(words)


def _decoded(data: bytes, name: str) -> str:
    if len(data) > LONGEST_FILE:
        raise UsageError(
            t(
                "{name} is too long to translate (over 2 MB): cut it up.",
                "{name} est trop long à traduire (plus de 2 Mo) : découpez-le.",
                name=name,
            )
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = "" if b"\0" in data else data.decode("cp1252", "replace")
    if "\0" in text or (data and not text):
        raise UsageError(
            t(
                "{name} is not a text or Markdown file.",
                "{name} n'est pas un fichier texte ou Markdown.",
                name=name,
            )
        )
    return text
