"""Why llama.cpp could not read or quantise a file, told by its log, as one sentence."""

import re
from pathlib import Path

from edge_slm.errors import EdgeSlmError, IntegrityError, UsageError
from edge_slm.i18n import t
from edge_slm.machine import free_disk

_LEAST_FREE = 16 << 20  # bytes; a disk with less is full: a slab of one tensor is larger


def failure(said: str, source: Path, kind: str, folder: Path) -> EdgeSlmError:
    """Return the error that llama.cpp's log tells of.

    Args:
        said: the log. source: the file that was read. kind: what was to be made of it.
        folder: where it was to be written.
    """
    reasons = re.findall(r"(?:failed to quantize|error loading model): (.*)", said)
    reason = reasons[-1].strip() if reasons else said.strip().rpartition("\n")[2][:200]
    if found := re.search(r"unknown model architecture: '([^']*)'", reason):
        return UsageError(_unknown_architecture(source, found[1]))
    if re.search(r"imatrix!|importance matrix", reason):
        return UsageError(_needs_matrix(kind))
    if found := re.search(r"tensor '([^']*)' has invalid data", reason):
        return IntegrityError(_not_finite(source, found[1]))
    if "validation failed" in reason:
        return IntegrityError(_too_large(source, kind))
    if re.search(r"file bounds|corrupted|incomplete|failed to load model|read error", reason):
        return IntegrityError(_damaged(source))
    if "iostream" in reason or free_disk(folder) < _LEAST_FREE:
        return EdgeSlmError(_disk(folder))
    return other(source, kind, reason)


def _unknown_architecture(source: Path, name: str) -> str:
    return t(
        "llama.cpp does not know the architecture {name} of {file}: give a model of another one, "
        "or another recipe.",
        "llama.cpp ne connaît pas l'architecture {name} de {file} : donnez un modèle d'une autre, "
        "ou une autre recette.",
        name=name or "''",
        file=source.name,
    )


def _needs_matrix(kind: str) -> str:
    return t(
        "{kind} needs an importance matrix: add +imatrix to the recipe.",
        "{kind} a besoin d'une matrice d'importance : ajoutez +imatrix à la recette.",
        kind=kind,
    )


def _not_finite(source: Path, tensor: str) -> str:
    return t(
        "The tensor {tensor} of {file} holds numbers that are not finite (NaN): the model is "
        "damaged, get it again.",
        "Le tenseur {tensor} de {file} contient des nombres non finis (NaN) : le modèle est "
        "abîmé, obtenez-le de nouveau.",
        tensor=tensor,
        file=source.name,
    )


def _too_large(source: Path, kind: str) -> str:
    return t(
        "{file} holds numbers that {kind} cannot hold: try a recipe with more bits.",
        "{file} contient des nombres que {kind} ne peut pas contenir : essayez une recette de "
        "plus de bits.",
        file=source.name,
        kind=kind,
    )


def _damaged(source: Path) -> str:
    return t(
        "{file} is damaged or cut short: get it again.",
        "{file} est abîmé ou tronqué : obtenez-le de nouveau.",
        file=source.name,
    )


def _disk(folder: Path) -> str:
    return t(
        "The quantised file could not be written in {folder}: its disk is full or read-only.",
        "Le fichier quantifié n'a pas pu être écrit dans {folder} : son disque est plein ou en "
        "lecture seule.",
        folder=folder,
    )


def other(source: Path, kind: str, reason: str) -> EdgeSlmError:
    """Return the error of a reason that only llama.cpp's own words tell."""
    return EdgeSlmError(
        t(
            "llama.cpp could not make {kind} of {file}: {reason}.",
            "llama.cpp n'a pas pu faire {kind} de {file} : {reason}.",
            kind=kind,
            file=source.name,
            reason=reason.rstrip(".") or "?",
        )
    )
