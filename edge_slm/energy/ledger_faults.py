"""What may be wrong with the ledger's file, each as one sentence."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from edge_slm.errors import EdgeSlmError, IntegrityError, UsageError
from edge_slm.i18n import t


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what the system, SQLite or the rows themselves say into one sentence.

    Raises:
        EdgeSlmError: the file is in use, cannot be read or written to, or the disk is full.
        IntegrityError: the file is damaged, or no SQLite file.
    """
    try:
        yield
    except sqlite3.Error as error:
        raise _told(error, path) from error
    except OSError as error:
        raise _unusable(error, path) from error
    except (msgspec.ValidationError, UnicodeError, OverflowError) as error:
        raise _damaged(error, path) from error


def _told(error: sqlite3.Error, path: Path) -> EdgeSlmError:
    # The low byte is the kind of error: https://www.sqlite.org/rescode.html
    match getattr(error, "sqlite_errorcode", 0) & 0xFF:
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return EdgeSlmError(
                t(
                    "The energy ledger {path} is held by another program: nothing was noted.",
                    "Le registre d'énergie {path} est tenu par un autre programme : rien n'est "
                    "noté.",
                    path=path,
                )
            )
        case sqlite3.SQLITE_FULL:
            return EdgeSlmError(
                t(
                    "The disk is full and the energy ledger {path} is as it was: make room.",
                    "Le disque est plein et le registre d'énergie {path} est resté tel quel : "
                    "faites de la place.",
                    path=path,
                )
            )
        case sqlite3.SQLITE_NOTADB:
            return foreign(path)
        case (
            sqlite3.SQLITE_READONLY
            | sqlite3.SQLITE_CANTOPEN
            | sqlite3.SQLITE_IOERR
            | sqlite3.SQLITE_PERM
        ):
            return _unusable(error, path)
        case _:
            return _damaged(error, path)


def _unusable(error: Exception, path: Path) -> EdgeSlmError:
    return EdgeSlmError(
        t(
            "The energy ledger {path} cannot be used ({error}): check the disk and your rights on "
            "it, or set EDGE_SLM_LEDGER=off.",
            "Le registre d'énergie {path} n'est pas utilisable ({error}) : vérifiez le disque et "
            "vos droits, ou posez EDGE_SLM_LEDGER=off.",
            path=path,
            error=getattr(error, "strerror", None) or error,
        )
    )


def _damaged(error: Exception, path: Path) -> IntegrityError:
    return IntegrityError(
        t(
            "The energy ledger {path} is damaged ({error}): move it away, a new one will begin.",
            "Le registre d'énergie {path} est abîmé ({error}) : déplacez-le, un nouveau "
            "commencera.",
            path=path,
            error=error,
        )
    )


def foreign(path: Path) -> IntegrityError:
    """Return the error of a file that is something else; it is left as it is."""
    return IntegrityError(
        t(
            "{path} is no energy ledger, and was left as it is: move it away, or set "
            "EDGE_SLM_LEDGER=off.",
            "{path} n'est pas un registre d'énergie, et reste tel quel : déplacez-le, ou posez "
            "EDGE_SLM_LEDGER=off.",
            path=path,
        )
    )


def newer(path: Path) -> EdgeSlmError:
    """Return the error of a ledger that a newer version of this program began."""
    return EdgeSlmError(
        t(
            "The energy ledger {path} was begun by a newer version of edge-slm, and was left as "
            "it is: update edge-slm, or move the file away.",
            "Le registre d'énergie {path} a été commencé par une version plus récente d'edge-slm, "
            "et reste tel quel : mettez edge-slm à jour, ou déplacez le fichier.",
            path=path,
        )
    )


def no_switch(name: str, value: str) -> UsageError:
    """Return the error of a switch that is neither on nor off."""
    return UsageError(
        t(
            "{name} is “{value}”: set it to on or off; nothing was noted.",
            "{name} vaut « {value} » : mettez on ou off ; rien n'est noté.",
            name=name,
            value=value,
        )
    )
