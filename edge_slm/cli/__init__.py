"""The `edge-slm` command: one module a subcommand, imported only when it is called.

Standard output holds the result, standard error everything else; an error is one sentence and an
exit code (edge_slm/errors.py), never a traceback unless `--debug` is given.
"""

import importlib
import os
import sys
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

import click

from edge_slm.cli.help import Formatter
from edge_slm.errors import UsageError
from edge_slm.i18n import t

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

# name -> (English, French): the listing shows these without importing the commands.
COMMANDS: dict[str, tuple[str, str]] = {
    "demo": (
        "Three real answers: an HR question, a translation, a transcript.",
        "Trois vraies réponses : une question RH, une traduction, une transcription.",
    ),
    "ask": (
        "Ask a question; the answer cites its page, or declines.",
        "Poser une question ; la réponse cite sa page, ou décline.",
    ),
    "translate": ("Translate a text or a file.", "Traduire un texte ou un fichier."),
    "transcribe": ("Write down a recording.", "Transcrire un enregistrement."),
    "triage": (
        "Sort a mail: labels, service, missing pieces, a draft, or to a human.",
        "Trier un courrier : étiquettes, service, pièces manquantes, brouillon, ou à une personne.",
    ),
    "kb": (
        "Knowledge bases: create, fill, search.",
        "Bases documentaires : créer, remplir, chercher.",
    ),
    "models": (
        "Models: list, pull, verify, remove.",
        "Modèles : lister, charger, vérifier, retirer.",
    ),
    "eval": ("Measure quality on a data file.", "Mesurer la qualité sur un fichier de données."),
    "bench": ("Measure time and memory on this machine.", "Mesurer le temps et la mémoire."),
    "serve": (
        "Serve this machine's programs: OpenAI's API, Albert API.",
        "Servir les programmes de cette machine : API d'OpenAI, Albert API.",
    ),
    "registry": (
        "Statements about this installation: eco-design (RGESN).",
        "Déclarations sur cette installation : écoconception (RGESN).",
    ),
    "doctor": (
        "What this machine can do, what is missing, how to mend it.",
        "Ce que cette machine peut faire, ce qui manque, comment y remédier.",
    ),
}
MODULES = {"eval": "evaluate"}
# Packages beside this one add commands of their own: an entry point NAME = "PACKAGE.MODULE:OBJECT",
# and in the package SUMMARY, the English and the French line of the listing.
GROUP = "edge_slm.commands"


@cache
def _added() -> dict[str, "EntryPoint"]:
    from importlib.metadata import entry_points

    return {point.name: point for point in entry_points(group=GROUP)}


def _summary(point: "EntryPoint") -> tuple[str, str]:
    english, french = importlib.import_module(point.module.partition(".")[0]).SUMMARY
    return english, french


class LazyGroup(click.Group):
    """Lists its commands from COMMANDS and imports the one that is called."""

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; a reader of a pipe (head, less) that has left is no error of ours."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:  # click would exit with 1
            _abandon_stdout()
            return 0

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        return [*COMMANDS, *(name for name in _added() if name not in COMMANDS)]

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Import a command and return it, or None where there is no such command."""
        if name in COMMANDS:
            command = importlib.import_module(f"edge_slm.cli.{MODULES.get(name, name)}").command
        elif name in _added():
            command = _added()[name].load()
        else:
            return None
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the listing of the commands."""
        with formatter.section(t("Commands", "Commandes")):
            texts = COMMANDS | {
                name: _summary(point) for name, point in _added().items() if name not in COMMANDS
            }
            formatter.write_dl([(name, t(*both)) for name, both in texts.items()])


def _show_version(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        from edge_slm import __version__

        click.echo(f"edge-slm {__version__}")
        ctx.exit()


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    help=t(
        "A private assistant that runs wholly on this machine: it cites its pages or declines.",
        "Un assistant privé qui tourne entièrement sur cette machine : il cite ses pages ou "
        "décline.",
    ),
    epilog=t(
        "Errors are one sentence; add --debug anywhere to see where one comes from.",
        "Une erreur est une phrase ; ajoutez --debug pour voir d'où elle vient.",
    ),
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_version,
    help=t("Show the version.", "Afficher la version."),
)
def root() -> None:
    """Group of all commands."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave the process with its exit code."""
    arguments, debug = _without_debug(list(sys.argv[1:] if arguments is None else arguments))
    sys.exit(run(arguments, debug))


def run(arguments: list[str], debug: bool = False) -> int:
    """Run one command and return its exit code (DESIGN 4.1)."""
    from edge_slm import offline

    offline.forbid_network()
    click.Context.formatter_class = Formatter
    try:
        result = root.main(arguments, prog_name="edge-slm", standalone_mode=False)
    except (KeyboardInterrupt, click.Abort):
        return _fail(t("Interrupted.", "Interrompu."), 130)
    except click.exceptions.NoArgsIsHelpError as error:
        return _fail(error.format_message(), UsageError.exit_code)
    except Exception as error:
        if debug and not isinstance(error, click.ClickException):
            raise
        if isinstance(error, OSError):
            _abandon_stdout()
        from edge_slm.cli.sentences import explain  # sqlite3 and more: only when something fails

        return _fail(*explain(error))
    return result if isinstance(result, int) else 0


def _abandon_stdout() -> None:
    """Send to nowhere what could not be written, or Python would try again as it ends."""
    try:
        sys.stdout.flush()
    except OSError:
        # https://docs.python.org/3/library/signal.html#note-on-sigpipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _without_debug(arguments: list[str]) -> tuple[list[str], bool]:
    end = arguments.index("--") if "--" in arguments else len(arguments)
    options = arguments[:end]
    kept = [argument for argument in options if argument != "--debug"]
    return kept + arguments[end:], len(kept) != len(options)


def _fail(sentence: str, code: int) -> int:
    click.echo(sentence, err=True)
    return code
