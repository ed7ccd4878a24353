"""JSON files of a model's folder: small, whole and of the right kind, or one sentence says why."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edge_slm.errors import IntegrityError
from edge_slm.i18n import size, t

# The largest seen: a tokenizer of 262,144 words with its merges takes 35 MB (Gemma 3).
MOST_BYTES = 100_000_000
_MOST_CONFIG_BYTES = 4_000_000


def read_json(path: Path, most: int = _MOST_CONFIG_BYTES) -> dict[str, Any]:
    """Read an object from a JSON file.

    Args:
        path: the file.
        most: the bytes that it may have at most.

    Raises:
        IntegrityError: it is too large, not JSON, or no object.
        OSError: it cannot be read.
    """
    found = _read(path, most)
    if not isinstance(found, dict):
        raise _not_json(path)
    return found


def _read(path: Path, most: int) -> Any:
    given = path.stat().st_size
    if given > most:
        raise IntegrityError(
            t(
                "{path} has {given}, where a file of this name has {most} at most: it is not what "
                "it should be.",
                "{path} fait {given}, alors qu'un fichier de ce nom fait au plus {most} : ce n'est "
                "pas ce que ce devrait être.",
                path=path,
                given=size(given),
                most=size(most),
            )
        )
    # A hostile file nests brackets until the stack ends.
    try:
        return json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise _not_json(path) from error


def read_json_list(path: Path, most: int = _MOST_CONFIG_BYTES) -> list[Any]:
    """Like `read_json`, of a file that holds a list.

    Raises:
        IntegrityError: it is too large, not JSON, or no list.
        OSError: it cannot be read.
    """
    found = _read(path, most)
    if not isinstance(found, list):
        raise _not_json(path)
    return found


def read_json_if_there(path: Path, most: int = _MOST_CONFIG_BYTES) -> dict[str, Any]:
    """Like `read_json`; an empty object where there is no such file."""
    return read_json(path, most) if path.is_file() else {}


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write an object, in a folder that is made where it is not there yet."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _not_json(path: Path) -> IntegrityError:
    return IntegrityError(
        t(
            "{path} is not the JSON that it should be: copy the model's folder again.",
            "{path} n'est pas le JSON qu'il devrait être : recopiez le dossier du modèle.",
            path=path,
        )
    )
