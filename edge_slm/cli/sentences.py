"""What went wrong, as one sentence and an exit code (edge_slm/errors.py), in the user's language.

Knows the errors of this project, of the command line library, of the disk and of SQLite; anything
else is an internal error.
"""

import errno
import sqlite3

import click

from edge_slm.errors import EdgeSlmError, IntegrityError, UsageError
from edge_slm.i18n import t


def explain(error: Exception) -> tuple[str, int]:
    """Return the sentence and the exit code of an error that ends a command."""
    if isinstance(error, EdgeSlmError):
        return str(error), error.exit_code
    if isinstance(error, click.ClickException):
        return _usage(error), UsageError.exit_code
    if isinstance(error, sqlite3.Error):
        return _base(error)
    if isinstance(error, OSError):
        return _disk(error)
    if isinstance(error, MemoryError):
        return t(
            "There is not enough memory: close other programs, or use the “lite” profile.",
            "La mémoire manque : fermez d'autres programmes, ou employez le profil « lite ».",
        ), EdgeSlmError.exit_code
    return _internal(error), EdgeSlmError.exit_code


def _internal(error: Exception) -> str:
    return t(
        "Internal error ({error}): run the command again with --debug and report it.",
        "Erreur interne ({error}) : relancez avec --debug et signalez-la.",
        error=f"{type(error).__name__}: {error}",
    )


def _disk(error: OSError) -> tuple[str, int]:
    from edge_slm.sources import is_disk_full

    # EFBIG: the file would outgrow what the system or the user's quota allows.
    if is_disk_full(error) or error.errno == errno.EFBIG:
        return _full(), EdgeSlmError.exit_code
    return t(
        "{path} cannot be read or written ({reason}): check the path and its permissions.",
        "{path} ne se lit ou ne s'écrit pas ({reason}) : vérifiez le chemin et ses droits.",
        path=error.filename or t("A file", "Un fichier"),
        reason=error.strerror or type(error).__name__,
    ), UsageError.exit_code


def _full() -> str:
    return t(
        "The disk is full: free some space and run the command again; nothing was half-written.",
        "Le disque est plein : libérez de la place et relancez ; rien n'est écrit à moitié.",
    )


def _base(error: sqlite3.Error) -> tuple[str, int]:
    name = getattr(error, "sqlite_errorname", "") or ""
    if name.startswith(("SQLITE_FULL", "SQLITE_IOERR")):
        return _full(), EdgeSlmError.exit_code
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return t(
            "Another command is at work on the base: wait for its end and run this one again.",
            "Une autre commande travaille sur la base : attendez sa fin et relancez.",
        ), EdgeSlmError.exit_code
    if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM")):
        return t(
            "The base cannot be written: check the permissions of its file and folder.",
            "La base ne peut pas être écrite : vérifiez les droits du fichier et du dossier.",
        ), UsageError.exit_code
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
        return t(
            "The base is damaged ({error}): put a copy in its place, or make it again.",
            "La base est abîmée ({error}) : remettez une copie, ou refaites-la.",
            error=error,
        ), IntegrityError.exit_code
    return _internal(error), EdgeSlmError.exit_code


def _usage(error: click.ClickException) -> str:
    context = getattr(error, "ctx", None)
    return t(
        "{message} See {path} --help.",
        "{message} Voir {path} --help.",
        message=_message(error),
        path=context.command_path if context else "edge-slm",
    )


def _message(error: click.ClickException) -> str:
    match error:
        case click.NoSuchOption():
            text = t("There is no option {name}", "Pas d'option {name}", name=error.option_name)
            return text + _near(error.possibilities)
        case click.NoSuchCommand():
            name = error.command_name
            text = t("There is no command “{name}”", "Pas de commande « {name} »", name=name)
            return text + _near(error.possibilities)
        case click.MissingParameter():
            return t("{name} is missing.", "Il manque {name}.", name=_name(error))
        case click.BadParameter():
            return t(
                "{name} is not valid: {wanted}",
                "{name} n'est pas valable : {wanted}",
                name=_name(error),
                wanted=_wanted(error),
            )
        case _:
            message = error.format_message()
            return t("{m}", "Ligne de commande non valable ({m}).", m=message)


def _near(names: object) -> str:
    found = ", ".join(names) if isinstance(names, (list, tuple)) else ""
    if not found:
        return "."
    return t("; did you mean {names}?", " ; vouliez-vous dire {names} ?", names=found)


def _name(error: click.BadParameter) -> str:
    if error.param is None:
        return t("an argument", "un argument")
    option = isinstance(error.param, click.Option)
    return max(error.param.opts, key=len) if option else error.param.make_metavar(_context(error))


def _context(error: click.BadParameter) -> click.Context:
    return error.ctx or click.Context(click.Command("edge-slm"))


def _wanted(error: click.BadParameter) -> str:
    kind = error.param.type if error.param else None
    if isinstance(kind, click.Choice):
        return t("give one of {c}.", "donnez l'un de {c}.", c=", ".join(map(str, kind.choices)))
    if isinstance(kind, click.IntRange):
        return t(
            "give a whole number from {low}.",
            "donnez un entier à partir de {low}.",
            low=kind.min,
        )
    if kind is click.INT:
        return t("give a whole number.", "donnez un nombre entier.")
    return error.message
